"""Plan -> done, journalled: engine port, journal, handlers, workflows, gates."""
