"""SMAC: smac's own algorithm with the same proposals in a fraction of the time, and any facade of smac's by name."""
