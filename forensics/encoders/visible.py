"""Which part of a picture an encoder sees."""

from forensics.encoders.base import Preprocessing

Box = tuple[float, float, float, float]


def visible_part(preprocessing: Preprocessing, width: int, height: int) -> Box:
    """Return the part of a picture that the input covers.

    Args:
        preprocessing: Of the encoder.
        width: Of the picture in pixels.
        height: Of the picture in pixels.

    Returns:
        Left, top, right, bottom as fractions of the picture: a centre crop hides the rest, padding
        reaches past 0 and 1.
    """
    if preprocessing.fit == "squash":
        return (0.0, 0.0, 1.0, 1.0)
    across, down = preprocessing.width / width, preprocessing.height / height
    scale = min(across, down) if preprocessing.fit == "longest" else max(across, down)
    if preprocessing.shorter is not None:
        scale = preprocessing.shorter / min(width, height)
    half_width, half_height = across / scale / 2, down / scale / 2
    return (0.5 - half_width, 0.5 - half_height, 0.5 + half_width, 0.5 + half_height)
