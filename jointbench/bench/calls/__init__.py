"""What the commands and the Python calls of the same names share, and the objects that they give."""
