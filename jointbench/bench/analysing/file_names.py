"""Names of optimizers in names of files."""


def plain(name: str) -> str:
    """The name, with what a file's name cannot have in every system replaced."""
    return "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in name)
