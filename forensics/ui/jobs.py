"""Start, stop and look at jobs, and ask the worker: the one place that talks to it."""

from typing import Any

from forensics.case import Case
from forensics.runs import Run
from forensics.runs.listing import interrupt_if_abandoned
from forensics.worker import client

# A first question may have to wait for the model to be loaded.
PATIENCE = 180.0


def start_run(case: Case, method: str, options: dict[str, Any]) -> Run:
    """Put a run in the queue of the case's worker, and note who did.

    Raises:
        JobFailed: The worker does not start.
    """
    run = client.submit(case, method, options)
    case.journal.record("run", method=method, run=run.id, options=options)
    return run


def look_at(case: Case, run_id: str) -> Run:
    """Return a run, marked as interrupted first if its process is gone."""
    run = case.run(run_id)
    if run.status().state.active:
        interrupt_if_abandoned(run)
    return run


def cancel_run(case: Case, run_id: str) -> None:
    """Ask a run to stop; it keeps what it finished."""
    client.cancel(case.run(run_id))


def resume_run(case: Case, run_id: str) -> None:
    """Let a stopped run go on from its ledger."""
    client.resume(case.run(run_id))


def ask_worker(case: Case, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Ask for something small that needs the model; starts the worker if there is none.

    Raises:
        JobFailed: It cannot answer; the message says why.
    """
    return client.call(case, name, params, timeout=PATIENCE)


def model_is_warm(case: Case) -> bool:
    """Tell whether a worker has the model loaded and would answer at once."""
    state = client.worker_state(case)
    return bool(state.get("alive") and state.get("model"))
