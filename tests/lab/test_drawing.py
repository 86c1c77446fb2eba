from pathlib import Path

import numpy as np
import pytest

from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import DataError, OptionError
from forensics.lab.drawing import draw_scenes
from forensics.lab.language import CAPTION_QUESTION, caption
from forensics.lab.scenes import render, sample_scene


def samples_of(path: Path) -> list[Sample]:
    rows = list(open_dataset(f"llava:{path}"))
    assert all(isinstance(row, Sample) for row in rows)
    return [row for row in rows if isinstance(row, Sample)]


def test_a_drawn_set_opens_with_the_llava_reader_and_shows_its_scenes(tmp_path: Path) -> None:
    rows = samples_of(draw_scenes(tmp_path / "scenes", 5, seed=9))
    assert [row.id for row in rows] == [f"scene-{index:06d}" for index in range(5)]
    for index, row in enumerate(rows):
        scene = sample_scene(9, index)
        assert (row.question, row.answer) == (CAPTION_QUESTION, caption(scene))
        assert row.image is not None
        assert np.array_equal(np.asarray(open_image(row.image)), render(scene))


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first = draw_scenes(tmp_path / "a", 3, seed=1, questions=0.5)
    second = draw_scenes(tmp_path / "b", 3, seed=1, questions=0.5)
    for path in first.parent.rglob("*.*"):
        assert path.read_bytes() == (second.parent / path.relative_to(first.parent)).read_bytes()


def test_a_share_of_the_rows_asks_questions(tmp_path: Path) -> None:
    rows = samples_of(draw_scenes(tmp_path / "scenes", 40, seed=2, questions=0.5))
    asked = sum(row.question != CAPTION_QUESTION for row in rows)
    assert 8 < asked < 32


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        draw_scenes(tmp_path, 2, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("n", "questions"), [(0, 0.0), (3, 1.5), (3, -0.1)])
def test_impossible_numbers_are_refused(tmp_path: Path, n: int, questions: float) -> None:
    with pytest.raises(OptionError):
        draw_scenes(tmp_path / "scenes", n, seed=0, questions=questions)
