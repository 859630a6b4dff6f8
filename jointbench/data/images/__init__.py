"""Image data sets: facts and loader together, one file a family; `registry` lists them."""
