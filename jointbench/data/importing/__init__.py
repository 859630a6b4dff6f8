"""Tables that others made, of any columns, as evaluations of a task."""
