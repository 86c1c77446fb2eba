"""Re-encode images for the browser: the only pictures of foreign data that are ever served."""

import hashlib
import io
import secrets
from pathlib import Path

from PIL import Image

from forensics.data.images import ImageLimits, open_image
from forensics.data.sample import ImageRef

_JPEG_QUALITY = 90
_LOSSLESS_SIDE = 128  # small pictures show their single pixels, which JPEG would smear


def encode_picture(image: Image.Image, side: int) -> bytes:
    """Encode an RGB image without any metadata: PNG where it is small, else JPEG.

    Args:
        image: The decoded image.
        side: Longest side in pixels; larger images are scaled down, smaller ones left alone.
    """
    pixels = image.convert("RGB")
    scale = side / max(pixels.size)
    if scale < 1:
        size = (max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale)))
        pixels = pixels.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    # A picture made of nothing but the pixels has no comment, profile or EXIF to pass on.
    bare = Image.frombytes("RGB", pixels.size, pixels.tobytes())
    stream = io.BytesIO()
    if max(bare.size) <= _LOSSLESS_SIDE:
        bare.save(stream, "PNG")
    else:
        bare.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def picture_name(data: bytes) -> str:
    """Return the content address of an encoded picture: its SHA-256 and suffix."""
    suffix = "png" if data.startswith(b"\x89PNG") else "jpg"
    return f"{hashlib.sha256(data).hexdigest()}.{suffix}"


def store_picture(data: bytes, folder: Path) -> Path:
    """Write an encoded picture under its content address, once, and return its path."""
    path = folder / picture_name(data)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{secrets.token_hex(8)}.partial"
        partial.write_bytes(data)
        partial.replace(path)  # atomic: other processes write here too
    return path


def thumbnail(
    ref: ImageRef, folder: Path, side: int = 256, limits: ImageLimits | None = None
) -> Path:
    """Re-encode an image into ``folder`` and return the path of the picture.

    Args:
        ref: Where the image is.
        folder: Where pictures are kept.
        side: Longest side in pixels.
        limits: What the image may cost.

    Raises:
        DataError: The image cannot be read, see :func:`~forensics.data.images.open_image`.
    """
    return store_picture(encode_picture(open_image(ref, limits), side), folder)
