"""Run a method on a case: look for evidence, test a trigger, repair, measure, tune."""

from typing import Any

from forensics.api.cases import CaseLike, open_case
from forensics.api.finished import FinishedRun
from forensics.api.following import Tell
from forensics.api.running import run_method
from forensics.case import Case
from forensics.errors import NotApplicable, OptionError
from forensics.registry import KINDS, MethodSpec, find_method, methods


def scan(
    case: CaseLike,
    method: str,
    /,
    *,
    resume: str | None = None,
    progress: Tell | None = None,
    **options: Any,
) -> FinishedRun:
    """Look for evidence.

    Args:
        case: The case, or its folder.
        method: Name or alias of a scan: ``bye`` and ``attention-entropy`` are the same.
        resume: Id of a stopped run to go on with; its own options hold.
        progress: Told how far it is.
        options: Of the method, as its flags are called, with ``_`` for ``-``; what is left out is
            what the case suggests, else the default.

    Raises:
        InputError: No such method or option.
        NotApplicable: It cannot examine models of the case's kind.
        Cancelled: It was stopped by Ctrl-C; what it finished is kept.
        JobFailed: The job failed.
    """
    return run_method(case, _of_kind(method, "scan"), options, resume=resume, progress=progress)


def repair(
    case: CaseLike,
    method: str,
    /,
    *,
    variant: str | None = None,
    resume: str | None = None,
    progress: Tell | None = None,
    **options: Any,
) -> FinishedRun:
    """Remove a backdoor, measured before and after; the case's own model is never changed.

    Arguments and errors are those of :func:`scan`; ``variant`` names options that belong together,
    which ``options`` go before; :func:`export_checkpoint` writes what it made.
    """
    return run_method(
        case,
        _of_kind(method, "repair"),
        options,
        variant=variant,
        resume=resume,
        progress=progress,
    )


def transplant(
    case: CaseLike,
    /,
    *,
    resume: str | None = None,
    progress: Tell | None = None,
    **options: Any,
) -> FinishedRun:
    """Test whether a suspected trigger works on other images, with the test that fits the model.

    Arguments and errors are those of :func:`scan`.
    """
    opened = open_case(case)
    return run_method(
        opened, fitting(opened, "transplant"), options, resume=resume, progress=progress
    )


def evaluate(
    case: CaseLike,
    /,
    *,
    resume: str | None = None,
    progress: Tell | None = None,
    **options: Any,
) -> FinishedRun:
    """Measure clean accuracy and attack success; arguments and errors are those of :func:`scan`."""
    opened = open_case(case)
    spec = fitting(opened, "evaluate")
    return run_method(opened, spec, options, resume=resume, progress=progress)


def tune(
    case: CaseLike,
    /,
    *,
    resume: str | None = None,
    progress: Tell | None = None,
    **options: Any,
) -> FinishedRun:
    """Train the case's base on its data; arguments and errors are those of :func:`scan`."""
    opened = open_case(case)
    return run_method(opened, fitting(opened, "tune"), options, resume=resume, progress=progress)


def self_test(
    case: CaseLike,
    /,
    *,
    resume: str | None = None,
    progress: Tell | None = None,
    **options: Any,
) -> FinishedRun:
    """Plant a known trigger in a copy of the case, and see whether it is found.

    Arguments and errors are those of :func:`scan`; the case itself is only read.
    """
    opened = open_case(case)
    spec = fitting(opened, "self-test")
    return run_method(opened, spec, options, resume=resume, progress=progress)


def fitting(case: Case, kind: str) -> MethodSpec:
    """Return the first method of a kind that fits the case's kind of model.

    Raises:
        NotApplicable: There is none for it.
    """
    about = case.manifest.kind
    for spec in methods().values():
        if spec.kind == kind and spec.fits(about):
            return spec
    raise NotApplicable(f"No method of kind {kind!r} examines {KINDS.get(about, about)}.")


def _of_kind(name: str, kind: str) -> MethodSpec:
    spec = find_method(name)
    if spec.kind != kind:
        others = ", ".join(other.name for other in methods().values() if other.kind == kind)
        raise OptionError(
            f"{spec.name} is of kind {spec.kind!r}, not {kind!r}.", remedy=f"Known: {others}."
        )
    return spec
