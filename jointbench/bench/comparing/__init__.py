"""Comparing optimizers: the runs, what they found, what may be said of it, and real trainings of the winners."""
