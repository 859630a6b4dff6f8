"""What stands in for a training: fit, predict, publish. Imports from `data` alone."""
