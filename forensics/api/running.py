"""Do a job in this process; the run folder is the same as the app's."""

from collections.abc import Mapping
from typing import Any

from forensics.api.cases import CaseLike, open_case
from forensics.api.finished import FinishedRun
from forensics.api.following import Tell, following
from forensics.case import Case
from forensics.jobs.table import JOBS
from forensics.options import build_options, options_to_dict
from forensics.registry import MethodSpec, load_object
from forensics.runs import Run, RunContext, execute


def run_method(
    case: CaseLike,
    spec: MethodSpec,
    values: Mapping[str, Any],
    *,
    variant: str | None = None,
    resume: str | None = None,
    progress: Tell | None = None,
) -> FinishedRun:
    """Run a method on a case to its end. Ctrl-C cancels the run and keeps what it finished.

    Args:
        case: The case, or its folder.
        spec: The method.
        values: Options that were given; they go before the variant's.
        variant: Name of options that belong together.
        resume: Id of a cancelled, failed or interrupted run to go on with; its options hold.
        progress: Told how far it is.

    Raises:
        NotApplicable: The method cannot examine models of the case's kind.
        OptionError: A variant or an option is unknown, or an option outside its range.
        Cancelled: The user stopped it; ``resume=`` goes on.
        JobFailed: The job failed; ``job.log`` in the run says where.
    """
    opened = open_case(case)
    spec.check_fits(opened.manifest.kind)
    asked = (spec.variant(variant) if variant else {}) | dict(values)
    run = _new(opened, spec, asked) if resume is None else _again(opened, resume)
    with following(run, progress):
        execute(run, _job(opened, run))
    return FinishedRun(case=opened, run=run, result=run.result())


def method_options(case: Case, spec: MethodSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run: what was given, else what the case suggests, else defaults.

    Raises:
        OptionError: An option is unknown or outside its range.
    """
    kind = load_object(spec.options)
    return options_to_dict(build_options(kind, case.suggested(spec.name, kind) | dict(values)))


def _new(case: Case, spec: MethodSpec, values: Mapping[str, Any]) -> Run:
    options = method_options(case, spec, values)
    run = case.new_run(spec.name, options)
    case.journal.record("run", method=spec.name, run=run.id, options=options)
    return run


def _again(case: Case, run_id: str) -> Run:
    run = case.run(run_id)
    run.requeue()
    case.journal.record("resume", run=run.id)
    return run


def _job(case: Case, run: Run) -> Any:
    from forensics.worker.models import ModelCache  # keeps torch out until a job begins

    job = load_object(JOBS[run.method])

    def work(context: RunContext) -> dict[str, Any]:
        result: dict[str, Any] = job(case, context, run.options, ModelCache())
        return result

    return work
