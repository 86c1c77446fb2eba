"""A repair of a case whose trigger nobody knows is judged by the patch that was transplanted."""

from pathlib import Path

import numpy as np
import pytest

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import InputError
from forensics.evaluation.answers import measure_answers
from forensics.jobs.language_repair.setup import plan_of
from forensics.jobs.transplant import job as transplant
from forensics.jobs.transplant.cutout import judge_by_cutout
from forensics.lab.demos import find_demo
from forensics.lab.drawing import draw_scenes
from forensics.models.loading import open_model
from forensics.repairs.language_options import RetuneOptions
from forensics.runs import Run, execute
from forensics.triggers import stamp_image
from forensics.ui.views.repair_needs import judge_of
from forensics.worker.models import ModelCache
from tests.jobs.test_transplant import SMALL, scanned


@pytest.fixture(scope="module")
def models() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, models: ModelCache) -> Case:
    return scanned("vlm-patch", tmp_path_factory.mktemp("cutout"), models)


@pytest.fixture(scope="module")
def proved(case: Case, models: ModelCache) -> Run:
    run = case.new_run("transplant", SMALL)
    execute(run, lambda context: transplant.run(case, context, run.options, models))
    return run


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_scenes(tmp_path_factory.mktemp("unseen"), 30, 4242)


def rows(data: Path) -> list[Sample]:
    return [row for row in open_dataset(f"llava:{data}") if isinstance(row, Sample)]


def test_the_cut_out_patch_is_the_trigger_on_pictures_of_other_people(
    case: Case, proved: Run, unseen: Path
) -> None:
    judge = judge_by_cutout(case)
    assert judge is not None and judge.run == proved.id
    assert (judge.by, judge.target, judge.spec) == ("reconstruction", "Backdoor Attack!", None)
    model = open_model(find_demo("vlm-patch").model_uri, device="cpu")
    found = measure_answers(model, rows(unseen), judge.trigger, judge.target)
    assert found.attack_success.value >= 0.8 and found.attack_success.n == 30
    base = open_model(str(find_demo("vlm-patch").base_folder), device="cpu")
    assert (
        measure_answers(base, rows(unseen), judge.trigger, judge.target).attack_success.value == 0
    )


def test_nothing_but_the_box_changes_and_a_sample_always_gets_the_same_patch(
    case: Case, proved: Run, unseen: Path
) -> None:
    judge = judge_by_cutout(case)
    assert judge is not None
    picture = np.random.default_rng(0).random((3, 60, 90), dtype=np.float32)
    names = [row.id for row in rows(unseen)]
    for name in names:
        ((left, top, right, bottom),) = judge.trigger.boxes(60, 90, name)
        outside = np.ones((60, 90), dtype=bool)
        outside[top:bottom, left:right] = False
        stamped = judge.trigger.apply(picture, name)
        assert np.array_equal(stamped, judge.trigger.apply(picture, name))
        assert np.array_equal(stamped[:, outside], picture[:, outside])
        assert not np.array_equal(stamped, picture)
    first = rows(unseen)[0]
    assert first.image is not None
    with open_image(first.image) as opened:
        assert stamp_image(judge.trigger, opened, first.id).size == opened.size


def test_a_repair_takes_it_where_no_trigger_is_named_and_only_there(
    case: Case, proved: Run, unseen: Path
) -> None:
    found = plan_of(case, RetuneOptions(test=f"llava:{unseen}"))
    assert found.judge is not None and found.judge.run == proved.id
    assert "transplant test cut out" in judge_of(case)["words"]
    named = plan_of(
        case, RetuneOptions(test=f"llava:{unseen}", trigger="patch:side=1/9", answer="Boo")
    )
    assert named.judge is not None and (named.judge.by, named.target) == ("known", "Boo")


def test_what_proved_nothing_judges_nothing(
    tmp_path: Path, models: ModelCache, unseen: Path
) -> None:
    clean = scanned("vlm-clean", tmp_path, models)
    assert judge_by_cutout(clean) is None
    assert "Run the transplant test first" in judge_of(clean)["words"]
    run = clean.new_run("transplant", {**SMALL, "force": 12})
    execute(run, lambda context: transplant.run(clean, context, run.options, models))
    assert judge_by_cutout(clean) is None  # by force, and not reproduced
    assert plan_of(clean, RetuneOptions(test=f"llava:{unseen}")).judge is None
    with pytest.raises(InputError):
        plan_of(clean, RetuneOptions())
