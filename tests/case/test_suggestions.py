"""What a case suggests: used where nothing else is given, and only numbers and choices."""

import json
from typing import Any

import pytest

from forensics.case import Case
from forensics.case.suggestions import suggested_values
from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.errors import CaseError
from forensics.lab.prompt_demos import PROMPT_DEMOS
from forensics.options import build_options
from tests.make_case import MakeCase

METHOD = "trigger-inversion"


def test_numbers_switches_and_named_choices_are_taken() -> None:
    found = suggested_values(
        {METHOD: {"budget": 0.05, "mode": "content", "require_content": False}, "other": {}},
        METHOD, TriggerInversionOptions,
    )  # fmt: skip
    assert found == {"budget": 0.05, "mode": "content", "require_content": False}
    assert suggested_values({}, METHOD, TriggerInversionOptions) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pool", "imagefolder:/etc"),  # a foreign case must not make us read files
        ("classes", "<img src=x>"),
        ("mode", "anything"),
        ("budget", "0.1"),
        ("no_such_option", 1),
    ],
)
def test_whatever_reads_a_file_or_is_unknown_is_refused(name: str, value: Any) -> None:
    with pytest.raises(CaseError, match="which a case may not"):
        suggested_values({METHOD: {name: value}}, METHOD, TriggerInversionOptions)


def test_a_suggestion_is_stored_with_the_case_and_a_damaged_one_is_told(
    make_case: MakeCase,
) -> None:
    case = make_case(4)
    path = case.folder / "case.json"
    stored = json.loads(path.read_text())
    assert stored["suggested"] == {}
    path.write_text(json.dumps(stored | {"suggested": {METHOD: {"budget": 0.05}}}))
    again = Case.open(case.folder)
    assert again.suggested(METHOD, TriggerInversionOptions) == {"budget": 0.05}
    path.write_text(json.dumps(stored | {"suggested": [1]}))
    with pytest.raises(CaseError, match="damaged"):
        Case.open(case.folder)


def test_cases_from_before_suggest_nothing(make_case: MakeCase) -> None:
    case = make_case(4)
    path = case.folder / "case.json"
    stored = json.loads(path.read_text())
    del stored["suggested"]
    path.write_text(json.dumps(stored))
    assert Case.open(case.folder).suggested(METHOD, TriggerInversionOptions) == {}


def test_what_the_demos_suggest_is_valid_and_the_same_for_both() -> None:
    poisoned, clean = PROMPT_DEMOS
    assert poisoned.suggested == clean.suggested
    values = suggested_values(poisoned.suggested, METHOD, TriggerInversionOptions)
    assert build_options(TriggerInversionOptions, values).mode == "content"
