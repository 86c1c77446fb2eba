"""Which model of a case is under suspicion."""

from typing import Final

from forensics.case import Case
from forensics.errors import CaseError
from forensics.runs import Run

TUNING: Final = {"multimodal-llm": "tune", "clip": "tune-pairs"}
"""What tunes a base of a kind on the data of its case."""


def model_under_suspicion(case: Case) -> str:
    """Name the model to scan and to measure.

    That is the case's own model. A case made from a base alone (model and base are the same) has
    none yet: there it is what the latest ``tune`` (``tune-pairs``) run made of the base.

    Raises:
        CaseError: The case has only a base, and nothing was tuned on its data yet.
    """
    manifest = case.manifest
    if manifest.model != manifest.base:
        return manifest.model
    tuned = [run for run in case.runs(TUNING[manifest.kind]) if run.status().state == "finished"]
    if not tuned:
        raise CaseError(
            "The case has a base model but none that was tuned on its data.",
            remedy=f"Run: forensics tune --case {case.folder}",
        )
    return tuned_model(case, tuned[0])


def base_to_tune(case: Case) -> str:
    """Name the base that ``tune`` and ``tune-pairs`` start from.

    Raises:
        CaseError: The case names none.
    """
    if case.manifest.base is None:
        raise CaseError(
            "The case names no base model to tune.",
            remedy="Make it with: forensics case new DIR --base URI --data URI",
        )
    return case.manifest.base


def tuned_model(case: Case, run: Run) -> str:
    """Name what a finished ``tune`` or ``tune-pairs`` run made; the case may have moved since.

    Raises:
        CaseError: The run left no model.
    """
    adapter, whole = run.folder / "tuned" / "adapter", run.folder / "tuned" / "model"
    if case.manifest.kind == "clip" and whole.is_dir():
        return f"openclip:{whole}"
    if adapter.is_dir():
        return f"hf:{str(case.manifest.base).removeprefix('hf:')}+adapter:{adapter}"
    if whole.is_dir():
        return str(whole)
    raise CaseError(f"Run {run.id} left no model.", remedy="Tune again.")
