"""What evidence says: one file an exhibit, each a function from a source's frames to an `Exhibit`."""
