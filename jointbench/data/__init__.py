"""The vocabulary and the evidence: spaces, budgets, evaluations, the log, image data sets, released logs."""
