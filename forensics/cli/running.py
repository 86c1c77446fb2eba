"""Do a job in this process, with a progress bar; the run folder is the same as the app's."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from forensics.case import Case
from forensics.cli.output import is_terminal
from forensics.jobs.table import JOBS
from forensics.options import build_options, options_to_dict
from forensics.registry import MethodSpec, load_object
from forensics.runs import Run, RunContext, execute, progress_view


def run_method(
    case: Case, spec: MethodSpec, values: Mapping[str, Any], resume: str | None = None
) -> tuple[Run, dict[str, Any]]:
    """Run a method on a case to its end.

    Args:
        case: The case.
        spec: The method.
        values: Options that were given.
        resume: Id of a cancelled, failed or interrupted run to go on with; its options hold.

    Returns:
        The run and the content of its ``result.json``.

    Raises:
        NotApplicable: The method cannot examine models of the case's kind.
    """
    spec.check_fits(case.manifest.kind)
    if resume is None:
        kind = load_object(spec.options)
        chosen = case.suggested(spec.name, kind) | dict(values)
        options = options_to_dict(build_options(kind, chosen))
        run = case.new_run(spec.name, options)
        case.journal.record("run", method=spec.name, run=run.id, options=options)
    else:
        run = case.run(resume)
        run.requeue()
        case.journal.record("resume", run=run.id)
    with _bar(run):
        return run, execute(run, _job(case, run))


def _job(case: Case, run: Run) -> Any:
    from forensics.worker.models import ModelCache  # keeps torch out until a job begins

    job = load_object(JOBS[run.method])

    def work(context: RunContext) -> dict[str, Any]:
        result: dict[str, Any] = job(case, context, run.options, ModelCache())
        return result

    return work


@contextmanager
def _bar(run: Run) -> Iterator[None]:
    """Show a bar on a terminal; it follows status.json, as the app does."""
    if not is_terminal():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    done = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(run.method, total=None, text="loading")

        def follow() -> None:
            while not done.wait(0.25):
                view = progress_view(run.status())
                bar.update(task, total=view.total or None, completed=view.done, text=view.text)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
