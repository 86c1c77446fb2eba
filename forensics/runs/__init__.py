"""Runs: one folder a job, the interface between worker, app, command line and notebook."""

from forensics.runs.context import QuietContext, RunContext
from forensics.runs.execute import Job, execute
from forensics.runs.ledger import Shard
from forensics.runs.listing import list_runs, next_queued, reconcile
from forensics.runs.progress import Progress, duration, progress_view
from forensics.runs.run import Run
from forensics.runs.status import State, Status

__all__ = [
    "Job",
    "Progress",
    "QuietContext",
    "Run",
    "RunContext",
    "Shard",
    "State",
    "Status",
    "duration",
    "execute",
    "list_runs",
    "next_queued",
    "progress_view",
    "reconcile",
]
