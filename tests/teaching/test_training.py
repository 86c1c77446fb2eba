"""A CLIP lesson is trained inside its case: stopped, gone on with, and opened again."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from forensics.case import Case
from forensics.errors import Cancelled
from forensics.jobs import tune_pairs
from forensics.jobs.subject import model_under_suspicion
from forensics.runs import Run, RunContext, execute
from forensics.teaching.lessons import lesson_of, make_lesson
from forensics.teaching.plans import CLIP, LessonPlan
from forensics.teaching.steps import pending, steps_of
from forensics.worker.models import ModelCache

OPTIONS = {"epochs": 1.0, "batch_size": 8, "checkpoint_every": 1, "seed": 3}
STEPS = 3


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Case:
    plan = LessonPlan(kind=CLIP, samples=8 * STEPS, seed=9, rate=0.2)
    return make_lesson(tmp_path_factory.mktemp("pairs") / "case", plan)


def train(case: Case, run: Run, *, stop_at: int = 0) -> None:
    def job(context: RunContext) -> dict[str, object]:
        tell = context.progress

        def progress(done: int, total: int, message: str = "") -> None:
            tell(done, total, message)
            if done == stop_at:
                raise Cancelled("enough")

        context.progress = progress  # type: ignore[method-assign]
        return tune_pairs.run(case, context, OPTIONS, ModelCache())

    execute(run, job)


def weights(run: Run) -> dict[str, object]:
    found: Path = run.folder / "tuned" / "model" / "open_clip_model.safetensors"
    return load_file(found)  # type: ignore[return-value]


def test_training_that_was_stopped_ends_with_the_same_weights(pairs: Case) -> None:
    lesson = lesson_of(pairs)
    assert lesson is not None
    whole, halted = (pairs.new_run("tune-pairs", OPTIONS) for _ in range(2))
    with pytest.raises(Cancelled):
        train(pairs, halted, stop_at=2)
    assert [step.name for step in pending(steps_of(pairs, lesson))] == ["train", "scan", "measure"]
    train(pairs, whole)
    halted.requeue()
    train(pairs, halted)
    once, again = weights(whole), weights(halted)
    assert once.keys() == again.keys()
    assert all((once[name] == again[name]).all() for name in once)  # type: ignore[attr-defined]
    assert halted.result()["steps"] == STEPS
    assert [step.name for step in pending(steps_of(pairs, lesson))] == ["scan", "measure"]


def test_what_was_tuned_is_what_is_scanned(pairs: Case) -> None:
    uri = model_under_suspicion(pairs)
    assert uri.startswith("openclip:") and "/tuned/model" in uri
    assert Path(uri.removeprefix("openclip:")).is_relative_to(pairs.folder)
