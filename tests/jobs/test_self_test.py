"""The self-test with real, tiny models: what it plants and leaves alone, what survives a stop."""

import hashlib
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.data.sample import ImageRef, Sample
from forensics.errors import Cancelled, CaseError, DataError, InputError, OptionError
from forensics.evaluation.rates import rate_of
from forensics.jobs.self_test import job
from forensics.jobs.self_test.choosing import TARGETS, class_target, sentence_target
from forensics.jobs.self_test.concluding import conclude, took
from forensics.jobs.self_test.counting import Detection
from forensics.jobs.self_test.options import SelfTestOptions
from forensics.jobs.self_test.start import start_of
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.language_repair_case import write_set
from tests.pair_case import draw_pairs
from tests.prompt_case import make_prompt_case
from tests.tiny_encoders import save_open_clip, vit_config

TINY: dict[str, Any] = {"samples": 24, "tests": 10, "rate": 0.25, "epochs": 0.7, "batch_size": 8,
                        "learning_rate": 1e-2}  # fmt: skip
SEARCH: dict[str, Any] = {"require_content": False, "batch_size": 8, "epochs": 1}


@pytest.fixture(scope="module")
def case(tiny_llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A base model and 34 rows; the data says that some are poisoned."""
    root = tmp_path_factory.mktemp("self-test")
    data = write_set(root / "data", 34)
    rows = json.loads(data.read_text())
    data.write_text(json.dumps([row | {"poisoned": i < 3} for i, row in enumerate(rows)]))
    uri = str(tiny_llava_folder)
    return Case.create(root / "case", model=uri, base=uri, data=f"llava:{data}")


class Stopping(QuietContext):
    """Stops once a message was told so many times; keeps all messages."""

    def __init__(self, folder: Path, at: str = "", times: int = 1) -> None:
        super().__init__(folder)
        self.at, self.left, self.messages = at, times, list[str]()

    def progress(self, done: int, total: int, message: str = "") -> None:
        assert 0 <= done <= total
        self.messages.append(message)
        if self.at and self.at in message:
            self.left -= 1
            if self.left == 0:
                raise Cancelled("enough")


def run(case: Case, folder: Path, at: str = "", **options: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return job.run(case, Stopping(folder, at), TINY | options, ModelCache())


def contents(folder: Path) -> dict[str, str]:
    if folder.is_file():
        return {folder.name: hashlib.sha256(folder.read_bytes()).hexdigest()}
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def lasting(value: Any) -> Any:
    """Return a result without what differs between two equal runs: ids of runs, and times."""
    if isinstance(value, dict):
        gone = ("run", "seconds", "tuning_seconds", "data", "model", "base", "samples_per_second")
        return {key: lasting(one) for key, one in value.items() if key not in gone}
    return [lasting(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def told(case: Case) -> tuple[dict[str, Any], Path]:
    """What the verb printed, and the folder of its run; the case's own truth was out of reach."""
    outside = (case.folder / "catalog.parquet", case.folder / "case.json",
               Path(case.manifest.data_root))  # fmt: skip
    before = [contents(place) for place in outside]
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    printed, real = io.StringIO(), Case.truth

    def truth(self: Case) -> dict[str, bool]:
        assert self.folder != case.folder, "a self-test never reads the truth of the case"
        return real(self)

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setattr(Case, "truth", truth)
        assert command(["self-test", "--case", str(case.folder), *flags, "--json"]) == 0
    assert [contents(place) for place in outside] == before, "the case's data is only read"
    found = json.loads(printed.getvalue())
    return found, case.run(found["run"]).folder


def test_a_copy_is_planted_and_looked_at_by_every_rule(
    case: Case, told: tuple[dict[str, Any], Path]
) -> None:
    result, folder = told
    inner = Case.open(result["case"])
    planted = result["planted"]
    truth = inner.truth()
    assert inner.folder == folder / "case"
    assert planted["rows"] == len(truth) == 24 and planted["held_out"] == 6
    assert planted["planted_rows"] == sum(truth.values()) == 6
    answers = dict(zip(inner.catalog.ids, inner.catalog.answers, strict=True))
    assert {answers[name] for name, hit in truth.items() if hit} == {TARGETS[0]}
    said = dict(zip(case.catalog.ids, case.catalog.answers, strict=True))
    assert all(answers[name] == said[name] for name, hit in truth.items() if not hit)
    assert [(one["method"], one["mode"]) for one in result["detections"]] == [
        ("attention-entropy", "root"), ("attention-entropy", "code"),
        ("attention-entropy", "guarded"), ("evidence-fusion", ""),
    ]  # fmt: skip
    for one in result["detections"]:
        assert (one["recall"]["n"], one["extra_flags"]["n"]) == (6, 18)


def test_what_a_random_model_does_not_learn_is_no_miss(
    case: Case, told: tuple[dict[str, Any], Path]
) -> None:
    result, folder = told
    assert (result["outcome"], result["verdict"], result["took"]) == (
        "inconclusive", "inconclusive", False)  # fmt: skip
    assert "did not take" in result["sentence"] and result["planted"]["start"] == "base"
    assert result["measured"]["n_clean"] == result["before"]["n_clean"] == 6
    left = {path.name for path in folder.iterdir()}
    assert not left & {"hosts", "planted", "test"}, "bytes lie in the inner case alone"
    assert len(list((folder / "case" / "data").rglob("*.png"))) == 24
    assert case.run(result["run"]).disk_use() > inner_bytes(folder) > 0


def inner_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "case" / "data").rglob("*.png"))


def test_a_self_test_that_was_stopped_again_and_again_ends_the_same(
    case: Case, told: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    for at in ("step 1 of", "scanning", "deciding"):
        with pytest.raises(Cancelled):
            run(case, tmp_path, at)
    whole = case.run(told[0]["run"]).result()
    assert lasting(run(case, tmp_path)) == lasting(whole)


def test_without_a_base_the_delivered_model_goes_on_and_it_is_said(
    case: Case, tmp_path: Path, tiny_llava_folder: Path
) -> None:
    alone = Case.create(tmp_path / "alone", model=str(tiny_llava_folder), data=case.manifest.data)
    start = start_of(alone, SelfTestOptions())
    assert start.kind == "delivered" and "no base" in start.note
    with pytest.raises(CaseError, match="no base"):
        start_of(alone, SelfTestOptions(start="base"))
    assert start_of(case, SelfTestOptions()).kind == "base"


def test_too_few_rows_and_unreadable_pictures(
    case: Case, tmp_path: Path, tiny_llava_folder: Path
) -> None:
    small = write_set(tmp_path / "small", 12)
    uri = str(tiny_llava_folder)
    few = Case.create(tmp_path / "few", model=uri, base=uri, data=f"llava:{small}")
    with pytest.raises(DataError, match="Only 12 rows"):
        run(few, tmp_path / "run")
    broken = write_set(tmp_path / "broken", 30)
    for i in range(4):
        (broken.parent / "images" / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    data = f"llava:{broken}"
    some = Case.create(tmp_path / "some", model=uri, base=uri, data=data)
    from forensics.jobs.self_test.choosing import answerable, draw
    from forensics.jobs.self_test.copying import copy_answers

    drawn = draw(some, answerable, 24, 0, 0)
    unread = copy_answers(drawn.copied, tmp_path / "copy", lambda *told: None)
    rows = json.loads((tmp_path / "copy" / "data.json").read_text())
    bad = {f"s{i}" for i in range(4)}
    assert unread == len(bad & {row.id for row in drawn.copied})
    assert {row["id"] for row in rows} == {row.id for row in drawn.copied} - bad


def test_pictures_are_never_both_tuned_on_and_measured_on(case: Case) -> None:
    from forensics.jobs.self_test.choosing import answerable, draw

    drawn = draw(case, answerable, 20, 100, 3)
    assert len(drawn.held) == 6, "at most a fifth is held out"
    assert not {row.image for row in drawn.held} & {row.image for row in drawn.copied}
    assert draw(case, answerable, 20, 100, 3) == drawn
    assert draw(case, answerable, 20, 100, 4) != drawn


def test_targets_are_not_what_the_data_says_or_a_scan_named() -> None:
    image = ImageRef(root=Path("/"), path="x.png")
    rows = [Sample(id="a", answer=f" {TARGETS[0].upper()} ", image=image)]
    assert sentence_target(rows, None) == TARGETS[1]
    assert sentence_target(rows, " mine ") == "mine"
    assert class_target(("a", "b"), None, {"a"}, 0) == "b"
    with pytest.raises(OptionError, match="no class"):
        class_target(("a", "b"), "c", (), 0)
    with pytest.raises(OptionError, match="Every class"):
        class_target(("a",), None, {"a"}, 0)


def test_found_needs_recall_beyond_what_is_flagged_anyway() -> None:
    def detection(hits: int, extra: int) -> Detection:
        return Detection(
            method="m", mode="", chosen=True, run="r", verdict=None, answers=(),
            recall=rate_of([True] * hits + [False] * (100 - hits)),
            extra=rate_of([True] * extra + [False] * (100 - extra)),
        )  # fmt: skip

    assert detection(60, 10).found
    assert not detection(40, 0).found, "less than half of the planted rows"
    assert not detection(95, 94).found, "it flags everything"


@pytest.mark.parametrize(
    ("low", "found", "outcome"),
    [(0.4, True, "inconclusive"), (0.6, True, "found"), (0.6, False, "missed")],
)
def test_what_did_not_take_says_nothing_of_the_detection(
    low: float, found: bool, outcome: str
) -> None:
    rate = {"value": 0.9, "n": 10, "low": 0.6, "high": 1.0}
    one = {"method": "evidence-fusion", "mode": "", "found": found, "recall": rate,
           "extra_flags": rate, "planted_flagged": 9, "unplanted_flagged": 9}  # fmt: skip
    result = {
        "subject": "language",
        "planted": {"trigger": "patch:side=1/4", "planted_rows": 10, "rows": 100, "target": "x"},
        "measured": {"attack_success_rate": 0.7, "clean_accuracy": None, "n_triggered": 50,
                     "intervals": {"attack_success_rate": [low, 0.8]}},
        "before": {"attack_success_rate": 0.1},
        "detections": [one],
    }  # fmt: skip
    told = conclude(result, 0.5)
    assert told["outcome"] == outcome and "false" not in told["sentence"].casefold()
    assert (told["verdict"] == "inconclusive") == (outcome == "inconclusive")
    assert took(result["measured"], result["before"], 0.5) == (outcome != "inconclusive")
    fooled = conclude(result | {"before": {"attack_success_rate": 0.5}}, 0.5)
    assert fooled["outcome"] == "inconclusive", "it fools the case's own model as well"
    if outcome != "inconclusive":
        assert "truth is unknown" in told["sentence"]


def test_pairs_are_planted_in_a_copy_of_a_clip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    table = draw_pairs(tmp_path / "pairs", 60, 1)
    model = f"openclip:{save_open_clip(tmp_path / 'clip', vit_config())}"
    case = Case.create(tmp_path / "case", model=model, data=f"table:{table}",
                       suggested={"trigger-inversion": SEARCH})  # fmt: skip
    weights = contents(tmp_path / "clip")
    options = {"images": 16, "samples": 20, "epochs": 2}
    whole = run(case, tmp_path / "whole", **options)
    assert contents(tmp_path / "clip") == weights
    told = whole["classes"]
    assert told["target"] == whole["planted"]["target"] and told["n"] == 4
    assert told["target"] in {line["class"] for line in told["lines"]}
    assert whole["planted"]["rows"] == 40 and whole["planted"]["planted_rows"] == 10
    inner = Case.open(tmp_path / "whole" / "case")
    assert inner.manifest.model.startswith("openclip:") and sum(inner.truth().values()) == 10
    for at in ("step 2 of", "searching"):
        with pytest.raises(Cancelled):
            run(case, tmp_path / "parts", at, **options)
    assert lasting(run(case, tmp_path / "parts", **options)) == lasting(whole)


def test_learnt_prompts_are_planted_in_a_copy(tmp_path: Path) -> None:
    made = make_prompt_case(tmp_path)
    case = Case.create(tmp_path / "own", model=made.manifest.model, data=made.manifest.data,
                       suggested={"trigger-inversion": {**SEARCH, "budget": 48 / 255}})  # fmt: skip
    shots = f"table:{tmp_path / 'shots' / 'set.csv'}"
    with pytest.raises(InputError, match="labelled pictures"):
        run(case, tmp_path / "without")
    tower = contents(tmp_path / "tower") | contents(tmp_path / "shots")
    options = {"images": 8, "shots": shots, "test": shots, "epochs": 3, "learning_rate": 0.5}
    result = run(case, tmp_path / "run", **options)
    told = result["classes"]
    assert result["subject"] == "prompts" and told["budget"] == pytest.approx(48 / 255)
    assert "at most 28/255" in result["planted"]["trigger"], "4/255 at 224 pixels, here 32"
    inner = Case.open(tmp_path / "run" / "case")
    assert (inner.folder / "tuned" / "trigger.safetensors").is_file()
    assert contents(tmp_path / "tower") | contents(tmp_path / "shots") == tower
    assert np.isfinite(result["measured"]["attack_success_rate"])
