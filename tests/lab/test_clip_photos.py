"""The helpers of the benchmark on real photos; the photos themselves may be absent."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.photo_audit import pure_groups, suspicious_side
from benchmarks.photo_sets import SETS, classes_of, find_set, vary, write_split
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import DataError

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_photos = pytest.mark.skipif(
    not (SHARED / "grocery").is_dir(), reason="shared data not found: ../shared/data/grocery"
)


def draw(folder: Path) -> Path:
    for name, color in (("dress", "red"), ("hat", "blue")):
        kept = folder / "clothing" / "train" / name
        kept.mkdir(parents=True)
        Image.new("RGB", (128, 96), color).save(kept / "one.jpg")
    return folder


def test_a_set_that_is_not_there_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no photos") as caught:
        find_set(tmp_path, "clothing")
    assert "--data" in str(caught.value.remedy)


def test_a_split_becomes_fitted_pairs_that_name_their_class(tmp_path: Path) -> None:
    table = write_split(draw(tmp_path), SETS["clothing"], "train", tmp_path / "out", views=2)
    rows = [row for row in open_dataset(f"table:{table}") if isinstance(row, Sample)]
    assert [row.label for row in rows] == ["dress"] * 3 + ["hat"] * 3
    assert all(str(row.label) in str(row.answer) for row in rows)
    assert len({row.answer for row in rows[:3]}) == 3
    assert {open_image(row.image).size for row in rows if row.image} == {(108, 108)}


def test_a_changed_view_follows_its_draw() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    photo = Image.fromarray(noise)
    one, again, other = (vary(photo, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes() != other.tobytes()


def test_groups_count_as_pure_from_nine_tenths_of_poison() -> None:
    cluster = np.array([0] * 10 + [1] * 10 + [2] * 4 + [-1] * 6)
    poisoned = np.zeros(30, dtype=bool)
    poisoned[:9] = poisoned[10:18] = poisoned[20:24] = poisoned[24:27] = True
    found = pure_groups(cluster, poisoned)
    assert found["best"] == {"cluster": 0, "size": 10, "precision": 0.9, "recall": 9 / 24}
    assert found["count"] == 2
    assert found["recall"] == pytest.approx(13 / 24)


def test_no_pure_group_is_told_as_none() -> None:
    found = pure_groups(np.array([0, 0, -1]), np.array([True, False, True]))
    assert found == {"best": None, "count": 0, "recall": 0}


def test_only_the_cosine_is_suspicious_where_it_is_low() -> None:
    raw = {name: {"auc": 0.2, "interval": [0.1, 0.4]} for name in ("cosine", "k_distance")}
    found = suspicious_side(raw)
    assert found["cosine"] == {"auc": 0.8, "interval": [0.6, 0.9]}
    assert found["k_distance"] == raw["k_distance"]


@needs_photos
def test_the_photos_have_the_classes_that_their_readme_counts() -> None:
    for name, count in (("clothing", 10), ("grocery", 43)):
        classes = set(classes_of(find_set(SHARED, name), SETS[name]).values())
        assert len(classes) == count
        assert SETS[name].target in classes
