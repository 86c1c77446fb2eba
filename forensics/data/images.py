"""Read images from strangers: every limit is checked before a pixel is decoded."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from forensics.data.locate import ImageLocator
from forensics.data.pixels import to_rgb
from forensics.data.records import BadRow, shown
from forensics.data.sample import ImageRef
from forensics.errors import DataError
from forensics.settings import current


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """Bound what an image may cost.

    Attributes:
        pixels: Most pixels, width times height.
        size_bytes: Most bytes of the encoded image.
        ratio: The longer side may be so many times the shorter one. Image processors that scale
            the shorter side up to a fixed length would make gigabytes of a thin strip.
    """

    pixels: int = 64_000_000
    size_bytes: int = 64 << 20
    ratio: int = 200


def limits_in_force() -> ImageLimits:
    """Return the limits of this machine's settings."""
    chosen = current()
    return ImageLimits(
        pixels=chosen.megapixels * 1_000_000, size_bytes=chosen.image_megabytes << 20
    )


# The classes themselves instead of Image.open: exactly the format that the first bytes say is
# tried, and the pixel limit is ours alone, not a process-wide setting of Pillow.
_DECODERS: tuple[tuple[bytes, Callable[[io.BytesIO], ImageFile]], ...] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"GIF87a", GifImageFile),
    (b"GIF89a", GifImageFile),
    (b"RIFF", WebPImageFile),
    (b"BM", BmpImageFile),
    (b"II*\0", TiffImageFile),
    (b"MM\0*", TiffImageFile),
)
_FORMATS = "JPEG, PNG, WebP, BMP, GIF and TIFF"


def open_image(ref: ImageRef, limits: ImageLimits | None = None) -> Image.Image:
    """Decode an image as 8-bit RGB without metadata.

    The EXIF orientation is applied; transparent parts are laid on white; of an animation the first
    frame is taken; colour profiles are ignored.

    Args:
        ref: Where the image is.
        limits: What it may cost, by default what the settings say; checked before decoding.

    Raises:
        DataError: It is missing, outside its root, too large, truncated, damaged, or no image.
    """
    limits = limits or limits_in_force()
    return decode_image(image_bytes(ref, limits), name_of(ref), limits)


def image_bytes(ref: ImageRef, limits: ImageLimits | None = None) -> bytes:
    """Return the encoded image as it stands in the file or cell, for hashing.

    Raises:
        DataError: It is missing, outside its root, or larger than the limit.
    """
    limits = limits or limits_in_force()
    path = image_path(ref)
    if ref.offset is not None:
        return _read_member(path, ref, limits)
    if ref.row is None:
        return _read_file(path, ref, limits)
    from forensics.data.parquet_cells import read_cell  # pyarrow is slow to import

    data = read_cell(path, ref.column or "", ref.row, limits.size_bytes, ref.item)
    if data is None:
        raise _too_large(ref, limits)
    return data


def image_path(ref: ImageRef) -> Path:
    """Return the file that holds the image, after checking that it lies inside the root.

    Raises:
        DataError: It is missing or outside its root.
    """
    try:
        # Checked again here: a reference may come from a case file that someone else wrote.
        checked = ImageLocator(ref.root).locate(ref.path)
    except BadRow as bad:
        raise DataError(f"{name_of(ref)}: {bad.reason}.", remedy=bad.remedy) from None
    return checked.root / checked.path


def decode_image(data: bytes, name: str, limits: ImageLimits | None = None) -> Image.Image:
    """Decode the bytes of an image file as 8-bit RGB without metadata.

    Args:
        data: The encoded image.
        name: What to call it in messages.
        limits: What it may cost.

    Raises:
        DataError: It has too many pixels, is truncated, damaged, or no image.
    """
    decoder = _decoder_for(data, name)
    limits = limits or limits_in_force()
    _check_pixels(_webp_size(data), name, limits)
    try:
        with decoder(io.BytesIO(data)) as image:
            _check_pixels(image.size, name, limits)
            image.load()
            return to_rgb(ImageOps.exif_transpose(image))
    except DataError:
        raise
    except Exception as error:
        # Pillow meets damaged files with a dozen kinds of exception; to the user they are one.
        raise DataError(
            f"{name} is damaged or truncated: {error}.", remedy="Replace the image file."
        ) from error


def name_of(ref: ImageRef) -> str:
    """Return what to call an image in messages."""
    if ref.offset is not None:
        return f"Image at byte {ref.offset} of {shown(ref.path)}"
    cell = "" if ref.row is None else f", row {ref.row + 1}, column {shown(ref.column)}"
    item = "" if ref.item is None else f", image {ref.item + 1}"
    return f"Image {shown(ref.path)}{cell}{item}"


def _read_file(path: Path, ref: ImageRef, limits: ImageLimits) -> bytes:
    try:
        if path.stat().st_size > limits.size_bytes:
            raise _too_large(ref, limits)
        with path.open("rb") as stream:
            data = stream.read(limits.size_bytes + 1)
    except OSError as error:
        raise DataError(f"{name_of(ref)} cannot be read: {error.strerror}.") from error
    if len(data) > limits.size_bytes:  # it grew since
        raise _too_large(ref, limits)
    return data


def _read_member(path: Path, ref: ImageRef, limits: ImageLimits) -> bytes:
    """Read a part of a tar file; a case file that names another part only gets what is there."""
    offset, size = ref.offset or 0, ref.size or 0
    if size > limits.size_bytes:
        raise _too_large(ref, limits)
    try:
        with path.open("rb") as stream:
            stream.seek(max(offset, 0))
            data = stream.read(max(size, 0))
    except OSError as error:
        raise DataError(f"{name_of(ref)} cannot be read: {error.strerror}.") from error
    if len(data) != size:
        raise DataError(f"{name_of(ref)} is cut off.", remedy="Copy or download the file again.")
    return data


def _too_large(ref: ImageRef, limits: ImageLimits) -> DataError:
    return DataError(
        f"{name_of(ref)} is larger than {limits.size_bytes / 2**20:,.0f} MB.",
        remedy="Save it smaller.",
    )


def _decoder_for(data: bytes, name: str) -> Callable[[io.BytesIO], ImageFile]:
    if not data:
        raise DataError(f"{name} is empty.", remedy="Replace the image file.")
    for start, decoder in _DECODERS:
        if data.startswith(start) and (start != b"RIFF" or data[8:12] == b"WEBP"):
            return decoder
    raise DataError(f"{name} is not an image.", remedy=f"Readable are {_FORMATS}.")


def _check_pixels(size: tuple[int, int], name: str, limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.pixels:
        raise DataError(
            f"{name} has {width:,} x {height:,} pixels, over the limit of {limits.pixels:,}.",
            remedy="Save it smaller.",
        )
    if max(size) > limits.ratio * min(size):
        raise DataError(
            f"{name} has {width:,} x {height:,} pixels, an aspect ratio over the limit of "
            f"{limits.ratio}.",
            remedy="Cut it.",
        )


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height from a WebP header, (0, 0) for any other file.

    Pillow reserves the whole canvas of a WebP as soon as it is opened, so its header is read here.
    Source: RFC 9649, sections 2.5 to 2.7.
    """
    kind = data[12:16] if data.startswith(b"RIFF") and len(data) >= 30 else b""
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        return width, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
