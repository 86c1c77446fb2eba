import hashlib
import io

from PIL import Image

from forensics.data.pictures import encode_picture, picture_name, store_picture, thumbnail
from forensics.data.sample import ImageRef
from tests.data.builders import write_image


def test_a_picture_is_scaled_down_never_up():
    large = Image.open(io.BytesIO(encode_picture(Image.new("RGB", (400, 100)), 200)))
    small = Image.open(io.BytesIO(encode_picture(Image.new("RGB", (20, 10)), 200)))
    thin = Image.open(io.BytesIO(encode_picture(Image.new("RGB", (4000, 1)), 200)))
    assert (large.format, large.size) == ("JPEG", (200, 50))
    assert (small.format, small.size) == ("PNG", (20, 10))
    assert thin.size == (200, 1)


def test_a_picture_carries_no_metadata(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "secret"
    path = write_image(
        tmp_path / "a.jpg", size=(300, 200), exif=exif, comment=b"secret", icc_profile=b"secret"
    )
    assert path.read_bytes().count(b"secret") == 3
    for side in (256, 64):
        picture = thumbnail(ImageRef(root=tmp_path, path="a.jpg"), tmp_path / "thumbs", side)
        assert b"secret" not in picture.read_bytes()


def test_pictures_are_stored_once_under_their_hash(tmp_path):
    data = encode_picture(Image.new("RGB", (4, 4)), 8)
    first, second = store_picture(data, tmp_path / "t"), store_picture(data, tmp_path / "t")
    assert first == second
    assert first.name == picture_name(data) == f"{hashlib.sha256(data).hexdigest()}.png"
    assert [path.name for path in (tmp_path / "t").iterdir()] == [first.name]
