"""Doing one run of a case: what the worker and the command line share."""

import threading
from collections.abc import Callable
from typing import Any

from forensics.case import Case
from forensics.runs import Run, RunContext, execute
from forensics.worker.models import ModelCache
from forensics.worker.table import JobTable, load_table, resolve


def perform(
    case: Case,
    run: Run,
    models: ModelCache,
    *,
    table: JobTable | None = None,
    stop: threading.Event | None = None,
    between: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Do a queued run in this process, to its end.

    Args:
        case: The case.
        run: Its run, in state ``queued``.
        models: Where the job gets models from.
        table: Which function does it; our own table by default.
        stop: See :func:`forensics.runs.execute`.
        between: See :func:`forensics.runs.execute`.

    Returns:
        The result.

    Raises:
        ForensicsError: As :func:`forensics.runs.execute`.
    """
    known = table or load_table()

    def job(context: RunContext) -> dict[str, Any]:
        # In here, so that an unknown method or a missing library fails the run, not the worker.
        known.check_job(run.method)
        result: dict[str, Any] = resolve(known.jobs[run.method])(case, context, run.options, models)
        return result

    return execute(run, job, stop=stop, between=between)
