"""One handler per operation: `observe` (is it already so?), `apply`, `undo`. They act; the planner has decided."""
