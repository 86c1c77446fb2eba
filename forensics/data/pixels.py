"""Bring decoded images of every pixel format to 8-bit RGB."""

import numpy as np
from PIL import Image


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an 8-bit RGB image without metadata.

    Transparent parts are laid on white. More than 8 bits are scaled down, not cut off: 16-bit
    values by 1/257, floats from [0, 1] where they lie in it, else clipped to [0, 255].

    Args:
        image: A decoded image of any mode.
    """
    if image.mode.startswith(("I", "F")):
        image = _to_eight_bits(image)
    if image.has_transparency_data:
        image = _on_white(image)
    rgb = image.convert("RGB")
    if rgb is image:
        rgb = image.copy()
    rgb.info = {}
    return rgb


def _on_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=255.0, neginf=0.0)
    if image.mode == "F":
        scale = 255.0 if values.size and values.max() <= 1.0 else 1.0
    else:
        # 32-bit integer images hold 16-bit values in practice, sometimes 8-bit ones.
        scale = 1.0 if image.mode == "I" and values.max(initial=0.0) <= 255 else 1 / 257
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8))
