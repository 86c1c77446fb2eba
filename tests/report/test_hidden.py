"""What only a demo's maker can know is not told before it is revealed; and the newer figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from forensics.case import Case
from forensics.report.blocks import Curves, Gallery, Map, Table
from forensics.report.gather import gather
from forensics.report.hidden import without_truth
from forensics.report.page import page
from forensics.report.twin import twin_text
from forensics.runs import execute
from tests.report.cases import HOSTILE, MARK, WHEN
from tests.ui import synthetic
from tests.ui.drawn_repairs import write_repair

NAMES = ["disc", "heart", "moon"]
SECRET = ("heart", "0.95", '"value": 0.03', "patch:size=4")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return synthetic.make_case(tmp_path / "case", 30)


def blocks(report: Any) -> dict[str, Any]:
    return {block.key.split("-2026")[0]: block for block in report.sections[-1].blocks}


def test_success_of_a_trigger_that_only_the_maker_knows_is_told_when_revealed(case: Case) -> None:
    write_repair(case, NAMES)
    hidden, shown = (gather(case, generated=WHEN, reveal=reveal) for reveal in (False, True))
    for text in (page(hidden), twin_text(hidden)):
        assert "told when ground truth is revealed" in text
        assert not [word for word in SECRET if word in text]
    rates = blocks(hidden)["rates"]
    assert isinstance(rates, Table) and [cell.value for cell in rates.rows[0][3:]] == [
        0.94, 0.9, None, None]  # fmt: skip
    assert "frontier" not in blocks(hidden) and "frontier" in blocks(shown)
    assert blocks(shown)["rates"].rows[0][5].value == 0.95
    gallery = blocks(hidden)["examples"]
    assert isinstance(gallery, Gallery) and {len(item.pictures) for item in gallery.items} == {1}
    assert {len(item.pictures) for item in blocks(shown)["examples"].items} == {2}


def test_a_trigger_that_the_user_named_is_no_secret(case: Case) -> None:
    write_repair(case, NAMES, trigger="patch:side=1/4", answer="heart")
    report = gather(case, generated=WHEN)
    assert "frontier" in blocks(report) and blocks(report)["rates"].rows[0][5].value == 0.95


def test_a_reconstructed_trigger_takes_the_place_of_a_known_one() -> None:
    def version(known: float, found: float) -> dict[str, Any]:
        rates = {"known": known, "reconstruction": found}
        return {
            "clean_accuracy": 0.9, "n_clean": 50, "attack_success_rate": known, "n_triggered": 40,
            "intervals": {"clean_accuracy": [0.8, 1.0], "attack_success_rate": [0.0, 1.0]},
            "triggers": {name: {"value": value, "n": 30, "low": 0.1, "high": 0.9}
                         for name, value in rates.items()},
            "target": "secret", "per_class": [],
        }  # fmt: skip

    result = {"method": "trigger-tuning", "judged_by": "known", "before": version(0.99, 0.7),
              "after": version(0.01, 0.2), "controls": [version(0.98, 0.6)],
              "sentence": "secret 99 %"}  # fmt: skip
    told = without_truth(result, {})
    assert told["judged_by"] == "reconstruction"
    found = [told[state]["attack_success_rate"] for state in ("before", "after")]
    assert found == [0.7, 0.2]
    assert told["controls"][0]["attack_success_rate"] == 0.6 and told["after"]["n_triggered"] == 30
    assert "secret" not in str(told) and "0.99" not in str(told)
    assert without_truth(result, {"trigger": "patch:side=1/4"}) == result


def test_evaluations_with_the_known_trigger_tell_accuracy_alone(case: Case) -> None:
    result = {"method": "evaluate", "trigger": "patch:side=1/4", "target": "secret",
              "clean_accuracy": 0.9, "attack_success_rate": 0.99, "n_clean": 50, "n_triggered": 40,
              "target_rate": 0.01,
              "intervals": {"clean_accuracy": [0.8, 1.0], "attack_success_rate": [0.9, 1.0]},
              "minus_base": {"attack_success_rate": {"value": 0.9}}}  # fmt: skip
    run = case.new_run("evaluate", {})
    execute(run, lambda _context: result)
    text = twin_text(gather(case, generated=WHEN))
    assert "secret" not in text and "0.99" not in text and '"value": 0.9,' in text


def self_test_result(text: str) -> dict[str, Any]:
    rate = {"value": 0.5, "n": 10, "low": 0.2, "high": 0.8}
    ends = {"clean_accuracy": [0.6, 1.0], "attack_success_rate": [0.5, 1.0]}
    rates = {"clean_accuracy": 0.9, "attack_success_rate": 0.8, "n_clean": 10, "n_triggered": 10,
             "intervals": ends}  # fmt: skip
    return {
        "method": "self-test", "outcome": "missed", "verdict": None, "took": True,
        "sentence": text, "not_covered": [text], "planted": {"trigger": text, "target": text,
        "planted_rows": 10, "rows": 100, "seed": 0, "left_out": {text: 3}, "note": text},
        "measured": rates, "before": rates, "n": 100, "seconds": 60,
        "detections": [{"method": "evidence-fusion", "mode": "", "chosen": True, "found": False,
                        "recall": rate, "extra_flags": rate, "planted_flagged": 5,
                        "unplanted_flagged": 45,
                        "extra_answers": [{"answer": text, "count": 4}]}],
    }  # fmt: skip


def test_a_self_test_has_its_section_and_gives_no_verdict_on_the_case(case: Case) -> None:
    run = case.new_run("self-test", {})
    execute(run, lambda _context: self_test_result(f"planted {HOSTILE.answer}"))
    report = gather(case, generated=WHEN)
    assert report.self_test is not None and report.conclusion.verdict is None
    told = {block.key: block for block in report.self_test.blocks}
    detections = told["detections"]
    assert isinstance(detections, Table) and detections.rows[0][1].value == 0.5
    assert detections.rows[0][3:] == (45, "no")
    (sure,) = report.sure
    assert sure.control == "unplanted rows that it flags"
    text = page(report)
    assert "truth is unknown" in text and "false positive" not in text.casefold()
    assert f"<img src=x onerror=window.{MARK}" not in text
    assert [run.run for run in report.runs] == [run.id] and not report.sections
    failed = self_test_result("It did not take.") | {"took": False, "verdict": "inconclusive"}
    again = case.new_run("self-test", {"seed": 1})
    execute(again, lambda _context: failed)
    report = gather(case, generated=WHEN)
    assert report.conclusion.verdict is None and not report.verdicts and not report.sure


def test_losses_and_maps_are_drawn_from_what_runs_left(case: Case) -> None:
    run = write_repair(case, NAMES, trigger="patch:side=1/4", answer="heart")
    lines = [f'{{"stage": "step", "step": {k}, "of": 400, "loss": {2 / k}}}' for k in
             range(1, 401)]  # fmt: skip
    (run.folder / "losses.jsonl").write_text("\n".join(lines) + "\n")
    groups = [{"cluster": k, "size": 10, "answer": HOSTILE.answer, "purity": 1.0, "elsewhere": 0.0}
              for k in range(3)]  # fmt: skip
    drawn = case.new_run("clusters", {})
    execute(drawn, lambda _context: {"method": "clusters", "verdict": None, "sentence": "Three.",
                                     "clusters": groups, "noise": 0, "n": 30})  # fmt: skip
    rng = np.random.default_rng(0)
    save_file({"xy": rng.normal(size=(30, 2)).astype(np.float32),
               "cluster": np.repeat(np.arange(3, dtype=np.int32), 10)},
              drawn.folder / "clusters.safetensors")  # fmt: skip
    report = gather(case, generated=WHEN)
    curve = blocks(report)["losses"]
    assert isinstance(curve, Curves) and len(curve.lines[0].values) <= 120
    section = next(one for one in report.sections if one.run and one.run.method == "clusters")
    sample_map = section.blocks[0]
    assert isinstance(sample_map, Map)
    assert [len(group.places) for group in sample_map.groups if group.places] == [10, 10, 10]
    places = [at for group in sample_map.groups for place in group.places for at in place]
    assert min(places) == 0.0 and max(places) == 1.0
    text = page(report)
    assert text.count('class="chart curves"') == text.count('class="chart map"') == 1
    assert f"<img src=x onerror=window.{MARK}" not in text
