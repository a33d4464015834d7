"""The field's nouns, frozen: classic objects, ARM objects, people. No I/O, no clock."""
