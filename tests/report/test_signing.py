"""Sign-off: what is signed, what is newer than a signature, and texts of whoever signs."""

import json
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.report.gather import gather
from forensics.report.page import page
from forensics.report.signing import findings, sign, signatures
from forensics.report.twin import twin
from tests.report.cases import HOSTILE, MARK, WHEN
from tests.ui import synthetic


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = synthetic.make_case(tmp_path / "case", 30)
    synthetic.scan(made)
    return made


def test_a_signature_holds_until_something_is_newer(case: Case) -> None:
    before = findings(case)
    made = sign(case, " A. Analyst ", role="lead", statement="I looked at all of it.")
    assert (made.name, made.holds, made.changes) == ("A. Analyst", True, ())
    assert made.facts_sha256 == before.facts_sha256 == gather(case, generated=WHEN).facts_sha256
    case.journal.record("look")  # reading is no finding
    assert signatures(case)[0].holds
    run = synthetic.scan(case, tau=3.0)
    told = signatures(case)[0]
    assert not told.holds and told.changes == (f"1 run finished since: {run.id}",)
    case.journal.decide(case.catalog.samples(0, 1)[0].id, "keep")
    assert "decisions about samples changed since" in signatures(case)[0].changes
    again = sign(case, "A. Analyst")
    assert again.holds and [one.holds for one in signatures(case)] == [False, True]


def test_deleted_and_changed_runs_and_another_model_are_told(case: Case) -> None:
    sign(case, "A")
    run = case.run(method="attention-entropy")
    result = run.result()
    (run.folder / "result.json").write_text(json.dumps(result | {"sentence": "Nothing here."}))
    assert "1 run changed since" in signatures(case)[0].changes[0]
    run.delete()
    assert "1 run deleted since" in signatures(case)[0].changes[0]
    manifest = json.loads((case.folder / "case.json").read_text())
    (case.folder / "case.json").write_text(json.dumps(manifest | {"model": "hf:other/model"}))
    assert "what the case examines was changed since" in signatures(case)[0].changes


def test_the_report_shows_signatures_and_what_is_missing(case: Case) -> None:
    sign(case, "A. Analyst", role="lead", statement="Fit for use\nin part.")
    report = gather(case, generated=WHEN)
    text = page(report)
    assert "A. Analyst, lead" in text and "Nothing has changed since." in text
    done = {step.key: step.done for step in report.steps}
    assert done == {"scan": True, "transplant": False, "self-test": False, "review": False,
                    "repair": False, "sign": True}  # fmt: skip
    assert twin(report)["signatures"][0]["statement"] == "Fit for use\nin part."
    synthetic.scan(case, tau=3.0)
    assert "Findings are newer than this signature" in page(gather(case, generated=WHEN))


def test_texts_of_whoever_signs_stay_text(case: Case) -> None:
    hostile = HOSTILE.note.encode("utf-8", "ignore").decode()
    sign(case, HOSTILE.answer[:80], role=HOSTILE.name[:80], statement=hostile + HOSTILE.title)
    text = page(gather(case, generated=WHEN))
    assert "<img src=x" not in text and f"<script>window.{MARK}" not in text
    assert "&lt;img src=x" in text
    for bad in ({"name": " "}, {"name": "x" * 81}, {"name": "x", "statement": "y" * 2001}):
        with pytest.raises(Exception, match=r"needs a name|longer than"):
            sign(case, **bad)


def test_the_verb_signs_and_says_what_comes_next(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sign", "--case", str(case.folder), "--by", "A. Analyst", "--role", "lead"]
    assert command([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] and told["facts_sha256"] == findings(case).facts_sha256
    assert command(["sign", "--case", str(case.folder), "--by", " "]) == 2
    (entry, *_) = case.journal.entries("sign")
    assert entry.detail["name"] == "A. Analyst" and len(entry.detail["signed"]["runs"]) == 1
