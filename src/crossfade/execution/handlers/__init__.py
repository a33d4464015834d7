"""One handler per operation: `observe` (is it already so?), `apply`, `undo`; what must hold before `apply` is one table
for all, `preconditions`. They act; the planner has decided."""
