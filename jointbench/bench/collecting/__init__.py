"""Collecting the ground truth: before it, while it goes on, and whether its log is well."""
