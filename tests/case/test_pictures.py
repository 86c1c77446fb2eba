import multiprocessing
import os
import re

import numpy as np
import pytest
from PIL import Image

from forensics.case import Case, Pictures
from forensics.errors import DataError
from tests.case.making import make_case


def noise(path, side, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def test_a_picture_is_re_encoded_small_and_named_after_nothing_in_the_data(tmp_path):
    case = make_case(tmp_path)
    noise(tmp_path / "data/image-2.png", 900)
    thumb = case.pictures.thumb(case.catalog.sample("s2"))
    view = case.pictures.picture(case.catalog.sample("s2"), 300)
    assert thumb is not None and thumb.parent == case.folder / "thumbs"
    assert re.fullmatch(r"[0-9a-f]{64}\.(jpg|png)", thumb.name)
    with Image.open(thumb) as small, Image.open(view) as large:
        assert (max(small.size), max(large.size)) == (128, 300)


def test_asking_again_gives_the_same_file_unwritten_and_a_changed_image_gets_another(tmp_path):
    case = make_case(tmp_path)
    sample = case.catalog.sample("s2")
    first = case.pictures.picture(sample)
    os.utime(first, (1, 1))
    again = Case.open(case.folder).pictures.picture(sample)
    assert again == first and again.stat().st_mtime > 1  # marked as used
    noise(tmp_path / "data/image-2.png", 30)
    assert case.pictures.picture(sample) != first


def test_an_image_that_cannot_be_read_gives_no_thumb_and_says_why(tmp_path):
    case = make_case(tmp_path)
    (tmp_path / "data/image-2.png").write_bytes(b"<script>alert(1)</script>")
    assert case.pictures.thumb(case.catalog.sample("s2")) is None
    with pytest.raises(DataError, match="is not an image"):
        case.pictures.picture(case.catalog.sample("s2"))
    assert case.pictures.disk_use() == 0


def test_pictures_unused_the_longest_go_when_the_limit_is_reached(tmp_path):
    case = make_case(tmp_path)
    for row in range(6):
        noise(tmp_path / f"data/image-{row}.png", 64, seed=row)
    size = case.pictures.picture(case.catalog.sample("s0")).stat().st_size
    pictures = Pictures(case.folder, limit=int(4.5 * size))
    made = []
    for row in range(6):
        made.append(pictures.picture(case.catalog.sample(f"s{row}")))
        os.utime(made[-1], (row + 1, row + 1))
    assert pictures.disk_use() <= 4.5 * size
    assert made[-1].exists() and not made[0].exists()


def test_a_link_among_the_pictures_of_a_foreign_case_is_never_served(tmp_path):
    case = make_case(tmp_path)
    sample = case.catalog.sample("s2")
    thumb = case.pictures.thumb(sample)
    assert thumb is not None
    thumb.unlink()
    thumb.symlink_to("/etc/passwd")
    again = case.pictures.thumb(sample)
    assert again is not None and not again.is_symlink()
    assert again.read_bytes().startswith(b"\x89PNG")


def draw(folder):
    case = Case.open(folder)
    return [str(case.pictures.picture(sample)) for sample in case.catalog.samples()]


def test_processes_that_draw_the_same_pictures_agree_and_leave_no_rest(tmp_path):
    case = make_case(tmp_path)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        one, other = pool.map(draw, [case.folder] * 2)
        pool.close()
        pool.join()
    assert one == other
    assert len(list((case.folder / "views").iterdir())) == 10
