"""Text that a terminal shows and does not obey."""


def printable(text: str) -> str:
    """The text without what could steer a terminal: names in packages, files and policies are anyone's."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
