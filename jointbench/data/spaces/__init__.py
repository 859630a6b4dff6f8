"""Spaces: what is searched, one file a space; `registry` lists those that ship."""
