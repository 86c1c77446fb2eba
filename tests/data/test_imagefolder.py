import os

import pytest

from forensics.data.open import open_dataset
from forensics.errors import DataError
from tests.data.builders import split, write_image


def test_the_folder_of_an_image_is_its_label_and_its_path_the_id(tmp_path):
    for name in ["dog/2.png", "cat/1.JPG", "train/owl/3.png", "flat.png"]:
        write_image(tmp_path / name)
    (tmp_path / "README.md").write_text("no image")
    write_image(tmp_path / ".hidden" / "x.png")
    write_image(tmp_path / "cat" / "._1.png")
    dataset = open_dataset(f"imagefolder:{tmp_path}")
    samples, errors = split(dataset)
    assert not errors
    assert [(sample.id, sample.label) for sample in samples] == [
        ("flat.png", None),
        ("cat/1.JPG", "cat"),
        ("dog/2.png", "dog"),
        ("train/owl/3.png", "owl"),
    ]
    assert [path.name for path in dataset.files] == ["flat.png", "1.JPG", "2.png", "3.png"]
    assert dataset.truth() == {}


def test_links_leading_out_are_reported(tmp_path):
    outside = write_image(tmp_path / "secret" / "b.png")
    root = tmp_path / "data"
    write_image(root / "a.png")
    (root / "b.png").symlink_to(outside)
    (root / "door").symlink_to(outside.parent)
    (root / "me").symlink_to(root)
    (root / "gone.png").symlink_to(root / "nothing")
    samples, errors = split(open_dataset(str(root)))
    assert [sample.id for sample in samples] == ["a.png"]
    assert len(errors) == 4


def test_a_name_that_is_not_utf8_and_a_pipe_are_row_errors(tmp_path):
    write_image(tmp_path / "a.png")
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.png")
    samples, errors = split(open_dataset(str(tmp_path)))
    assert [sample.id for sample in samples] == ["a.png"]
    assert sorted(error.reason[:12] for error in errors) == ["image 'pipe.", "the id is no"]


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_images_is_refused(tmp_path, name):
    with pytest.raises(DataError):
        open_dataset(f"imagefolder:{tmp_path / name}")
