"""Decisions feed repairs and exports; what a run began with does not move."""

import csv
import json

import pytest

from forensics.case.frozen import FROZEN, read_frozen
from forensics.case.standing import standing
from forensics.data.open import open_dataset
from forensics.errors import CaseError, OptionError
from forensics.export.decided import choose, export_decided_dataset, export_decided_ids
from forensics.jobs.language_repair.flagged import Left, left_out, without_decided
from forensics.repairs.language_options import FilterRetuneOptions
from forensics.runs import execute
from forensics.runs.context import QuietContext
from forensics.runs.references import builds_on
from tests.ui.synthetic import make_case, scan

SAID = {"s1": "flag", "s2": "keep", "s3": "unsure"}


def texts(index):
    return f"s{index}", "Which?", f"thing {index}"


@pytest.fixture
def case(tmp_path):
    made = make_case(tmp_path / "case", 8, poisoned=0, texts=texts)
    for name, verdict in SAID.items():
        made.journal.decide(name, verdict, by="ada")
    made.journal.decide("s4", "flag", by="ada")
    made.journal.decide("s4", "keep", by="bob", note="=2+3")
    return made


def begin(case, **options):
    run = case.new_run("filter-retune", options)
    chosen = FilterRetuneOptions(**options)

    def choose(context):
        left = left_out(case, context, list(case.catalog), chosen)
        return {"out": list(left.out), **left.to_json()}

    return run, lambda: execute(run, choose)


def test_a_run_that_goes_by_decisions_begins_with_them_and_does_not_move(case):
    run, work = begin(case, flags="decisions")
    assert read_frozen(run.folder) == {**SAID, "s4": "disagreement"}
    case.journal.decide("s7", "flag", by="ada")  # after the start: it does not count
    told = work()
    assert told["out"] == ["s1"] and (told["scan"], told["people"]) == (None, True)
    assert (told["unsure"], told["unsure_dropped"]) == (2, False)
    assert begin(case, flags="decisions", unsure="drop")[1]()["out"] == ["s1", "s3", "s4", "s7"]


def test_a_resumed_run_takes_what_it_chose_at_first(case):
    run, work = begin(case, flags="decisions")
    work()
    (run.folder / FROZEN).unlink()  # neither asked again nor needed
    chosen = FilterRetuneOptions(flags="decisions", unsure="drop")
    again = QuietContext(run.folder)
    assert left_out(case, again, list(case.catalog), chosen).out == ("s1",)


def test_a_run_without_decisions_has_no_such_file_and_refuses_to_guess(case):
    run, _ = begin(case, flags="scan")
    assert not (run.folder / FROZEN).exists()
    with pytest.raises(CaseError, match="without the decisions"):
        read_frozen(run.folder)
    (run.folder / FROZEN).write_text(json.dumps({"verdicts": {"s1": "evil"}}))
    with pytest.raises(CaseError, match="damaged"):
        read_frozen(run.folder)


def test_people_overrule_the_scan_where_both_count(case):
    rows = list(case.catalog)
    scan = Left(kept=rows[4:], out=("s0", "s2", "s3", "s4"), method="entropy", scan="scan-1")
    said = {**SAID, "s4": "disagreement"}
    left = without_decided(rows, said, drop_unsure=False, scan=scan)
    assert left.out == ("s0", "s1") and (left.scan, left.people) == ("scan-1", True)
    assert [row.id for row in left.kept] == ["s2", "s3", "s4", "s5", "s6", "s7"]
    dropped = without_decided(rows, said, drop_unsure=True, scan=scan)
    assert dropped.out == ("s0", "s1", "s3", "s4") and dropped.unsure == 2
    assert left.method == "entropy or people"
    with pytest.raises(CaseError, match="flagged nothing"):
        without_decided(rows, {"s0": "keep"}, drop_unsure=False)


def test_where_no_scan_flagged_anything_people_count_alone(case):
    _, work = begin(case, flags="both")
    told = work()
    assert told["out"] == ["s1"] and told["scan"] is None and told["method"] == "people"


def test_a_scan_that_counts_beside_people_cannot_be_deleted_under_the_repair(case):
    flagging = scan(case)
    run, work = begin(case, flags="both")
    told = work()
    assert told["scan"] == flagging.id and "s1" in told["out"]
    assert flagging.id in builds_on(run)


def test_exports_by_decisions_keep_the_unsure_unless_told_and_say_so(case, tmp_path):
    told = export_decided_ids(case, tmp_path / "kept.csv", which="all")
    assert told["flagged"] == 1 and told["unsure"] == 2 and "are kept" in told["decided_note"]
    written = (tmp_path / "kept.csv").read_text(encoding="utf-8-sig").splitlines()
    lines = {line["id"]: line for line in csv.DictReader(written)}
    assert [name for name, line in lines.items() if line["decision"] == "flag"] == ["s1"]
    assert lines["s4"]["reason"] == "disagreement; ada: flag; bob: keep (=2+3)"
    done = export_decided_dataset(case, tmp_path / "clean.json", unsure="drop", images="copy")
    assert (done["kept"], done["removed"]) == (5, 3) and "removed as well" in done["decided_note"]
    again = open_dataset(f"llava:{tmp_path / 'clean.json'}")
    assert [record.item.id for record in again.records()] == ["s0", "s2", "s5", "s6", "s7"]
    assert case.journal.entries("export dataset")[-1].detail["people"] == ["ada", "bob"]
    with pytest.raises(OptionError):
        choose(case, unsure="maybe")


def test_nothing_is_left_out_where_nobody_decided(tmp_path):
    case = make_case(tmp_path / "case", 3, poisoned=0, texts=texts)
    told = export_decided_ids(case, tmp_path / "kept.jsonl")
    assert told["written"] == 3 and told["decided_note"].startswith("Nobody has decided")
    assert standing(case.journal.every_decision()).people() == []
