"""Cutting patches out of pictures and pasting them into others, in pixels; no torch."""

import numpy as np
from PIL import Image

from forensics.detectors.transplant.boxes import Box


def pixel_box(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the pixels of a box: at least one, never outside the picture.

    Args:
        box: Fractions (left, top, right, bottom).
        size: Width and height.
    """
    width, height = size
    left, top = min(width - 1, round(box[0] * width)), min(height - 1, round(box[1] * height))
    right, bottom = max(left + 1, round(box[2] * width)), max(top + 1, round(box[3] * height))
    return left, top, min(width, right), min(height, bottom)


def cut(picture: Image.Image, box: Box) -> Image.Image:
    """Return the pixels of a box as a picture of their own."""
    return picture.crop(pixel_box(box, picture.size))


def paste(host: Image.Image, patch: Image.Image, box: Box) -> Image.Image:
    """Return a copy of a picture with a patch in place of a box, resized only where it must be."""
    where = pixel_box(box, host.size)
    pasted = host.copy()
    pasted.paste(fit(patch, where[2] - where[0], where[3] - where[1]), where[:2])
    return pasted


def fit(patch: Image.Image, width: int, height: int) -> Image.Image:
    """Return a patch in a size, resized only where it must be."""
    if patch.size == (width, height):
        return patch
    return patch.resize((width, height), Image.Resampling.BICUBIC)


def scramble(patch: Image.Image, seed: int) -> Image.Image:
    """Return the same pixels in a random order: same colours, no shape."""
    pixels = np.asarray(patch)
    flat = pixels.reshape(-1, pixels.shape[2])
    order = np.random.default_rng(seed).permutation(len(flat))
    return Image.fromarray(np.ascontiguousarray(flat[order].reshape(pixels.shape)))
