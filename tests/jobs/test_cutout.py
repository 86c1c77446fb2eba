"""A repair of a case whose trigger nobody knows is judged by the patch that was transplanted."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef, Sample
from forensics.errors import CaseError, DataError, InputError
from forensics.evaluation.answers import measure_answers
from forensics.jobs.language_repair.setup import Plan, plan_of
from forensics.jobs.transplant import cutout
from forensics.jobs.transplant import job as transplant
from forensics.jobs.transplant.cutout import judge_by_cutout, proved_transplant
from forensics.lab.demos import find_demo
from forensics.lab.drawing import draw_scenes
from forensics.models.loading import open_model
from forensics.repairs.language_options import RetuneOptions
from forensics.runs import QuietContext, Run, execute
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
    found = proved_transplant(case)
    assert found is not None and found.id == proved.id
    judge = judge_by_cutout(case, found)
    assert judge.run == proved.id
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
    judge = judge_by_cutout(case, proved)
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
    case: Case, proved: Run, unseen: Path, tmp_path: Path
) -> None:
    found = planned(case, tmp_path / "own", test=f"llava:{unseen}")
    assert found.judge is not None and found.judge.run == proved.id
    assert "transplant test cut out" in judge_of(case)["words"]
    named = planned(
        case, tmp_path / "named", test=f"llava:{unseen}", trigger="patch:side=1/9", answer="Boo"
    )
    assert named.judge is not None and (named.judge.by, named.target) == ("known", "Boo")


def test_a_run_that_goes_on_keeps_the_patch_that_it_began_with(
    case: Case, proved: Run, unseen: Path, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    first = planned(case, begun, test=f"llava:{unseen}")
    again = case.new_run("transplant", SMALL)
    shutil.copytree(proved.folder, again.folder, dirs_exist_ok=True)
    try:
        latest = proved_transplant(case)
        assert latest is not None and latest.id == again.id
        second = planned(case, begun, test=f"llava:{unseen}")
        fresh = planned(case, tmp_path / "fresh", test=f"llava:{unseen}")
    finally:
        shutil.rmtree(again.folder)
    for plan, run in ((first, proved), (second, proved), (fresh, again)):
        assert plan.judge is not None and plan.judge.run == run.id


def test_a_donor_without_its_picture_is_left_out_and_none_at_all_is_told(
    case: Case, proved: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def gone(ref: ImageRef) -> Image.Image:
        opened.append(1)
        if len(opened) == 1:
            raise DataError("gone")
        return open_image(ref)

    monkeypatch.setattr(cutout, "open_image", gone)
    judge = judge_by_cutout(case, proved)
    assert isinstance(judge.trigger, cutout.CutoutTrigger)
    assert len(judge.trigger.pieces) == SMALL["donors"] - 1 == len(opened) - 1

    def lost(ref: ImageRef) -> Image.Image:
        raise DataError("gone")

    monkeypatch.setattr(cutout, "open_image", lost)
    with pytest.raises(CaseError, match="cannot be cut out") as caught:
        judge_by_cutout(case, proved)
    assert "--trigger" in caught.value.remedy


def planned(case: Case, folder: Path, **options: str) -> Plan:
    folder.mkdir(exist_ok=True)
    return plan_of(case, RetuneOptions(**options), QuietContext(folder))  # type: ignore[arg-type]


def test_what_proved_nothing_judges_nothing(
    tmp_path: Path, models: ModelCache, unseen: Path
) -> None:
    clean = scanned("vlm-clean", tmp_path, models)
    assert proved_transplant(clean) is None
    assert "Run the transplant test first" in judge_of(clean)["words"]
    run = clean.new_run("transplant", {**SMALL, "force": 12})
    execute(run, lambda context: transplant.run(clean, context, run.options, models))
    assert proved_transplant(clean) is None  # by force, and not reproduced
    assert planned(clean, tmp_path / "run", test=f"llava:{unseen}").judge is None
    with pytest.raises(InputError):
        planned(clean, tmp_path / "other")
