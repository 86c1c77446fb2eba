import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from forensics.data.images import ImageLimits, decode_image, image_bytes, open_image
from forensics.data.sample import ImageRef
from forensics.errors import DataError
from tests.data.builders import huge_png, write_image


def reference(path):
    return ImageRef(root=path.parent, path=path.name)


def decoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return decode_image(stream.getvalue(), "x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_format_becomes_rgb_without_metadata(kind):
    image = decoded(Image.new("RGB", (32, 16), (200, 30, 30)), kind)
    assert (image.mode, image.size, image.info) == ("RGB", (32, 16), {})
    assert np.abs(np.asarray(image, int) - (200, 30, 30)).max() <= 6


def test_a_png_of_900_megapixels_is_refused_without_allocating(tmp_path):
    path = huge_png(tmp_path / "huge.png")
    assert path.stat().st_size < 2e6
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from forensics.data.images import open_image\n"
        "from forensics.data.sample import ImageRef\n"
        "from forensics.errors import DataError\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "try:\n"
        "    open_image(ImageRef(root=Path(sys.argv[1]), path='huge.png'))\n"
        "except DataError as error:\n"
        "    print(peak() - before, error)\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, message = done.stdout.split(" ", 1)
    assert "30,000 x 30,000" in message
    assert int(grown) < 20_000  # KiB; the pixels alone would take 110 MB


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_the_pixel_limit_holds_in_every_format(kind):
    stream = io.BytesIO()
    Image.new("RGB", (40, 30)).save(stream, kind)
    limits = ImageLimits(pixels=1199)
    with pytest.raises(DataError, match="40 x 30"):
        decode_image(stream.getvalue(), "x", limits)
    assert decode_image(stream.getvalue(), "x", ImageLimits(pixels=1200)).size == (40, 30)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0" + bytes(9)}])
def test_webp_headers_of_all_three_kinds_are_checked_before_pillow_opens_them(options):
    stream = io.BytesIO()
    Image.new("RGB", (40, 30)).save(stream, "WEBP", **options)
    cut = stream.getvalue()[:30]  # the header alone, which Pillow itself cannot open
    with pytest.raises(DataError, match="40 x 30"):
        decode_image(cut, "x", ImageLimits(pixels=1199))


def test_a_file_over_the_size_limit_is_refused_unread(tmp_path):
    path = tmp_path / "a.png"
    with path.open("wb") as stream:
        stream.truncate(80 << 20)  # sparse
    with pytest.raises(DataError, match="larger than 64 MB"):
        image_bytes(reference(path))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_truncated_and_damaged_files_are_data_errors(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, kind)
    data = stream.getvalue()
    for cut in (13, 31, len(data) // 2):
        with pytest.raises(DataError):
            decode_image(data[:cut], "x")


def test_random_damage_never_raises_anything_but_data_errors():
    generator = np.random.default_rng(1)
    noise = generator.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    refused = 0
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"):
        stream = io.BytesIO()
        Image.fromarray(noise).save(stream, kind)
        for _ in range(80):
            data = bytearray(stream.getvalue())
            for place in generator.integers(0, min(len(data), 400), 4):
                data[place] = generator.integers(0, 256)
            try:
                decode_image(bytes(data), "x")
            except DataError:
                refused += 1
    assert refused > 50


class _Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_pickle_named_png_is_refused_and_runs_nothing(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(pickle.dumps(_Evil(tmp_path / "ran")))
    with pytest.raises(DataError, match="not an image"):
        open_image(reference(path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"%!PS-Adobe", b"RIFF1234WAVE", b"\0" * 99])
def test_what_is_no_image_is_named(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png"):
        open_image(reference(path))


@pytest.mark.parametrize("path", ["../a.png", "/etc/passwd", "gone.png", "a\0b", "link.png", ""])
def test_a_reference_is_checked_again_when_opened(tmp_path, path):
    root = tmp_path / "data"
    root.mkdir()
    write_image(tmp_path / "a.png")
    (root / "link.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(DataError):
        open_image(ImageRef(root=root, path=path))


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (16, 8), "black")
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decoded(image, "JPEG", exif=exif).size == (8, 16)


def test_transparency_is_laid_on_white():
    clear = decoded(Image.new("RGBA", (2, 2), (255, 0, 0, 0)), "PNG")
    half = decoded(Image.new("LA", (2, 2), (0, 128)), "PNG")
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([0, 0, 255, 255, 0, 0])
    keyed = decoded(palette, "PNG", transparency=0)
    assert clear.getpixel((0, 0)) == keyed.getpixel((0, 0)) == (255, 255, 255)
    assert half.getpixel((0, 0)) == (127, 127, 127)


def test_palette_grey_bilevel_and_cmyk_become_rgb():
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 255, 255, 0, 0])
    assert decoded(palette, "PNG").getpixel((0, 0)) == (255, 0, 0)
    assert decoded(Image.new("L", (2, 2), 77), "PNG").getpixel((0, 0)) == (77, 77, 77)
    assert decoded(Image.new("1", (2, 2), 1), "PNG").getpixel((0, 0)) == (255, 255, 255)
    red = decoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG").getpixel((8, 8))
    assert red[0] > 200
    assert max(red[1:]) < 60


def test_sixteen_bits_are_scaled_not_cut_off():
    grey = Image.fromarray(np.full((2, 2), 32896, np.uint16))
    assert decoded(grey, "PNG").getpixel((0, 0)) == (128, 128, 128)
    assert decoded(grey, "TIFF").getpixel((0, 0)) == (128, 128, 128)
    share = Image.fromarray(np.array([[0.5, np.nan]], np.float32))
    assert decoded(share, "TIFF").getpixel((0, 0)) == (128, 128, 128)


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    image = decoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert image.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("size", [(1, 201), (201, 1)])
def test_a_thin_strip_is_refused_before_a_processor_blows_it_up(size: tuple[int, int]) -> None:
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, "PNG")
    with pytest.raises(DataError, match="aspect ratio"):
        decode_image(stream.getvalue(), "x")
    assert decode_image(stream.getvalue(), "x", ImageLimits(ratio=201)).size == size
