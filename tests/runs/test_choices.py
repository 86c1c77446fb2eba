"""A run keeps to what it chose when it began."""

from pathlib import Path

import pytest

from forensics.errors import CaseError
from forensics.jobs.inverted import settle_inversion
from forensics.runs import QuietContext, Run, execute
from forensics.runs.choices import CHOICES, choices, keep_choice
from forensics.runs.damage import damage, damaged_runs
from forensics.runs.references import builders
from tests.make_case import MakeCase


def test_what_was_chosen_once_is_not_chosen_again(tmp_path: Path) -> None:
    assert keep_choice(tmp_path, "scan", lambda: "first") == "first"
    assert keep_choice(tmp_path, "scan", lambda: "second") == "first"
    assert keep_choice(tmp_path, "judge", lambda: None) is None
    assert keep_choice(tmp_path, "judge", lambda: "late") is None, "nothing is a choice too"
    assert choices(tmp_path) == {"scan": "first", "judge": None}


def test_what_could_not_be_chosen_is_chosen_next_time(tmp_path: Path) -> None:
    def none_yet() -> str:
        raise CaseError("The case has no run.")

    with pytest.raises(CaseError):
        keep_choice(tmp_path, "scan", none_yet)
    assert keep_choice(tmp_path, "scan", lambda: "first") == "first"


def test_a_repair_that_goes_on_keeps_its_inversion_which_cannot_be_deleted(
    make_case: MakeCase,
) -> None:
    case = make_case(4)
    with pytest.raises(CaseError):
        settle_inversion(case, None, QuietContext(case.folder))

    def inverted() -> Run:
        run = case.new_run("trigger-inversion", {})
        execute(run, lambda context: {"classes": []})
        return run

    first = inverted()
    repair = case.new_run("trigger-tuning", {})
    context = QuietContext(repair.folder)
    assert settle_inversion(case, None, context).run.id == first.id
    second = inverted()
    assert settle_inversion(case, None, context).run.id == first.id
    assert settle_inversion(case, second.id, context).run.id == second.id, "the one that is named"
    assert [run.id for run in builders(first, case.runs())] == [repair.id]
    assert builders(second, case.runs()) == []


def test_a_damaged_file_of_choices_is_damage_of_the_run(make_case: MakeCase) -> None:
    case = make_case(4)
    run = case.new_run("trigger-tuning", {})
    assert damage(run.folder) == ""
    (run.folder / CHOICES).write_text("[")
    assert CHOICES in damage(run.folder)
    assert [found.id for found in damaged_runs(run.folder.parent)] == [run.id]
