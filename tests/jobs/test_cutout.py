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
from forensics.jobs.transplant import job as transplant
from forensics.jobs.transplant import proved as proofs
from forensics.jobs.transplant.cutout import CutoutTrigger, Piece
from forensics.jobs.transplant.proved import (
    Proof,
    frames_of,
    judge_by,
    latest_proof,
    readable_donors,
)
from forensics.lab.demos import find_demo
from forensics.lab.drawing import draw_scenes
from forensics.models.loading import open_model
from forensics.repairs.language_options import RetuneOptions
from forensics.runs import QuietContext, Run, execute
from forensics.runs.durable import write_json
from forensics.runs.references import check_deletable
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
    judge = judge_by(case, proof_of(case, proved), proof_of(case, proved).donors, {})
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
    judge = judge_by(case, proof_of(case, proved), proof_of(case, proved).donors, {})
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


def test_a_run_that_goes_on_keeps_the_patches_that_it_began_with(
    case: Case, proved: Run, unseen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    first = planned(case, begun, test=f"llava:{unseen}")
    again = case.new_run("transplant", SMALL)
    shutil.copytree(proved.folder, again.folder, dirs_exist_ok=True)
    monkeypatch.setattr(proofs, "frames_of", None)  # the model is not asked again
    try:
        assert proof_of(case, again).run == again.id
        second = planned(case, begun, test=f"llava:{unseen}")
    finally:
        shutil.rmtree(again.folder)
    for plan in (first, second):
        assert plan.judge is not None and plan.judge.run == proved.id
    assert first.trigger == second.trigger


def test_what_a_stopped_repair_began_with_cannot_be_deleted(
    case: Case, proved: Run, unseen: Path
) -> None:
    run = case.new_run("filter-retune", {})
    try:
        planned(case, run.folder, test=f"llava:{unseen}")
        with pytest.raises(CaseError, match="build on"):
            check_deletable(proved, [run])
    finally:
        shutil.rmtree(run.folder)


def test_a_donor_whose_picture_is_gone_at_the_start_is_left_out_and_later_ends_the_run(
    case: Case, proved: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = proof_of(case, proved)
    first = case.catalog.select([case.catalog.index(proof.donors[0])])[0].image

    def without(lost: ImageRef | None) -> None:
        def opened(ref: ImageRef) -> Image.Image:
            if lost is None or ref == lost:
                raise DataError("gone")
            return open_image(ref)

        monkeypatch.setattr(proofs, "open_image", opened)

    without(first)
    assert readable_donors(case, proof) == list(proof.donors[1:])
    judge = judge_by(case, proof, proof.donors[1:], {})
    assert isinstance(judge.trigger, CutoutTrigger)
    assert len(judge.trigger.pieces) == SMALL["donors"] - 1
    with pytest.raises(CaseError, match="cannot be cut out") as caught:
        judge_by(case, proof, proof.donors, {})
    assert "--trigger" in caught.value.remedy
    without(None)
    assert readable_donors(case, proof) == []
    with pytest.raises(CaseError, match="cannot be cut out"):
        judge_by(case, proof, [], {})


def test_a_patch_covers_the_same_image_tokens_in_a_picture_of_any_shape() -> None:
    """As in the test: LLaVA's centre crop hides the sides of a wide picture."""
    patch, wide, tall = Image.new("RGB", (40, 40), "red"), (80, 40), (30, 60)
    frames = {wide: (0.25, 0.0, 0.75, 1.0), tall: (0.0, 0.25, 1.0, 0.75)}
    piece = Piece(patch, (0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 1.0, 1.0))
    trigger = CutoutTrigger("run", (piece,), frames)
    assert trigger.boxes(40, 80) == ((20, 0, 40, 20),)
    assert trigger.boxes(60, 30) == ((0, 15, 15, 30),)
    assert trigger.boxes(50, 50) == ((0, 0, 25, 25),)
    stamped = trigger.apply(np.zeros((3, 40, 80), dtype=np.float32))
    assert stamped[0, :20, 20:40].all() and stamped.sum() == 20 * 20


def test_the_part_that_a_model_sees_is_measured_once_for_every_size(
    tiny_llava_folder: Path, tmp_path: Path
) -> None:
    rows = []
    for number, size in enumerate([(64, 64), (128, 64), (64, 64), (32, 96)]):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
        image = ImageRef(root=tmp_path, path=f"{number}.png")
        rows.append(Sample(id=str(number), question="What?", image=image))
    rows.append(Sample(id="lost", question="?", image=ImageRef(root=tmp_path, path="no.png")))
    frames = frames_of(open_model(str(tiny_llava_folder), device="cpu"), rows)
    assert set(frames) == {(64, 64), (128, 64), (32, 96)}
    assert frames[64, 64] == (0.0, 0.0, 1.0, 1.0)
    assert frames[128, 64] == pytest.approx((0.25, 0.0, 0.75, 1.0))
    assert frames[32, 96] == pytest.approx((0.0, 1 / 3, 1.0, 2 / 3))


@pytest.mark.parametrize(
    "odd",
    [{"scan": ["x"]}, {"layer": "1"}, {"donors": "all"}, {"margin": None}, {"forced": 3}],
)
def test_a_result_that_tells_nonsense_proves_nothing(
    case: Case, proved: Run, odd: dict[str, object]
) -> None:
    again = case.new_run("transplant", SMALL)
    shutil.copytree(proved.folder, again.folder, dirs_exist_ok=True)
    try:
        write_json(again.folder / "result.json", proved.result() | odd)
        assert proof_of(case, proved).run == proved.id
        assert "transplant test cut out" in judge_of(case)["words"]
    finally:
        shutil.rmtree(again.folder)


def proof_of(case: Case, run: Run) -> Proof:
    """Return the latest proof, which is that of a run."""
    found = latest_proof(case)
    assert found is not None and found.run == run.id
    return found


def planned(case: Case, folder: Path, **options: str) -> Plan:
    folder.mkdir(exist_ok=True)
    chosen = RetuneOptions(**options)  # type: ignore[arg-type]
    return plan_of(case, chosen, QuietContext(folder), ModelCache())


def test_what_proved_nothing_judges_nothing(
    tmp_path: Path, models: ModelCache, unseen: Path
) -> None:
    clean = scanned("vlm-clean", tmp_path, models)
    assert latest_proof(clean) is None
    assert "Run the transplant test first" in judge_of(clean)["words"]
    run = clean.new_run("transplant", {**SMALL, "force": 12})
    execute(run, lambda context: transplant.run(clean, context, run.options, models))
    assert latest_proof(clean) is None  # by force, and not reproduced
    assert planned(clean, tmp_path / "run", test=f"llava:{unseen}").judge is None
    with pytest.raises(InputError):
        planned(clean, tmp_path / "other")
