"""Start any method of the registry on a case: what the forms and the page's buttons share."""

from collections.abc import Mapping
from typing import Any

from forensics.api.running import method_options
from forensics.case import Case
from forensics.errors import CaseError, NotApplicable, OptionError
from forensics.runs import Run
from forensics.ui.jobs import look_at, start_run
from forensics.ui.views.methods import methods_view, startable
from forensics.ui.views.repair_needs import why_not


def start_method(case: Case, name: str, values: Mapping[str, Any]) -> Run:
    """Put a run into the worker's queue.

    Args:
        case: The case.
        name: Of a method that looks for evidence, or of a repair.
        values: Its options; what is left out is what the case suggests, else the default.

    Raises:
        OptionError: No such method, or a wrong option.
        NotApplicable: The method cannot examine models of the case's kind, or not this model.
        CaseError: It is under way, or what it builds on is not there yet.
        JobFailed: The worker does not start.
    """
    spec = next((spec for spec in startable() if spec.name == name), None)
    if spec is None:
        known = ", ".join(spec.name for spec in startable())
        raise OptionError(f"The page cannot start {name[:40]!r}.", remedy=f"Known: {known}.")
    spec.check_fits(case.manifest.kind)
    reason = why_not(case, spec) if spec.kind == "repair" else None
    if reason is not None:
        raise NotApplicable(reason, remedy="The Repair tab says which repairs fit this model.")
    for run in case.runs(name):  # one whose process is gone must not stand in the way
        look_at(case, run.id)
    _check_ready(case, name)
    return start_run(case, name, method_options(case, spec, values))


def _check_ready(case: Case, name: str) -> None:
    """Refuse a second run beside one that waits or works, and one that has nothing to go by."""
    line = next(line for line in methods_view(case)["methods"] if line["name"] == name)
    if line["active"]:
        raise CaseError(
            f"{line['label']} is under way on this case.",
            remedy="Wait for it, or cancel it with the button at the top.",
        )
    if line["refused"]:
        repairs = line["kind"] == "repair"
        remedy = "The Repair tab says what each repair needs." if repairs else None
        raise CaseError(line["refused"], remedy=remedy or "Run such a scan first.")
