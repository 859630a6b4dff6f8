"""The networks that are trained here, one file a space; `registry` finds them by the space's name."""
