"""Where the page finds what is not JSON."""


def address(name: str, row: int, has_image: bool, kind: str = "thumb") -> str | None:
    """Return where a sample's picture is served; ``None`` for a sample without an image.

    Args:
        name: Id of the case.
        row: Of its catalogue.
        has_image: Whether the sample has one.
        kind: ``thumb``, or ``view`` for the picture itself.
    """
    return f"/pictures/{name}/{kind}/{row}" if has_image else None
