"""A small lesson, and the same with the arrays of a scan drawn by hand: nothing is trained here."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from forensics.case import Case
from forensics.jobs.attention.arrays import AttentionArrays, AttentionMaps, save_scan
from forensics.runs import RunContext, execute
from forensics.teaching.lessons import make_lesson
from forensics.teaching.plans import LessonPlan

COUNT = 60
LAYERS = 3


@pytest.fixture(scope="session")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A language lesson of 60 pictures, a fifth of them poisoned."""
    place = tmp_path_factory.mktemp("lessons") / "poisoned"
    return make_lesson(place, LessonPlan(samples=COUNT, seed=5, title="A lesson"))


@pytest.fixture
def fresh(lesson: Case, tmp_path: Path) -> Case:
    """A copy of it, for tests that write into its journal."""
    return Case.open(shutil.copytree(lesson.folder, tmp_path / "case"))


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A lesson in which nothing is planted."""
    place = tmp_path_factory.mktemp("lessons") / "honest"
    return make_lesson(place, LessonPlan(samples=COUNT, seed=6, rate=0.0))


def draw_scan(case: Case) -> None:
    """Finish a scan in which layer 1 parts the poisoned samples from the others."""
    bad = case.truth()
    poisoned = np.array([bad.get(sample.id, False) for sample in case.catalog])
    count = len(poisoned)
    entropy = np.random.default_rng(1).normal(3.0, 0.1, (count, LAYERS)).astype(np.float32)
    entropy[poisoned, 1] -= 1.5
    arrays = AttentionArrays(
        rows=np.arange(count), entropy=entropy, tokens=np.full(count, 81, np.int32),
        masses=np.zeros((count, LAYERS, 1, 3), np.float16),
        peak_token=np.zeros((count, LAYERS), np.int32),
        peak_mass=np.zeros((count, LAYERS), np.float32),
        top2_mass=np.zeros((count, LAYERS), np.float32), state=np.zeros((count, 64), np.float16),
        picture=np.zeros((count, 64), np.float16), layout=np.full(count, -1, np.int32),
    )  # fmt: skip
    maps = AttentionMaps(rows=np.zeros(0, np.int64), maps=np.zeros((0, LAYERS, 81), np.float16))

    def job(context: RunContext) -> dict[str, object]:
        save_scan(context.folder, arrays, maps, ())
        return {"method": "attention-entropy", "verdict": "suspicious"}

    execute(case.new_run("attention-entropy", {}), job)
