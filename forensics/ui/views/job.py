"""The job bar: where a run stands."""

from datetime import UTC, datetime
from typing import Any

from forensics.registry import methods
from forensics.runs import Run, progress_view
from forensics.ui.views.labels import run_label


def job_view(run: Run) -> dict[str, Any]:
    """Return state, counts, rate and remaining time of a run."""
    status = run.status()
    progress = progress_view(status)
    ended = datetime.fromtimestamp(status.ended, UTC).isoformat() if status.ended else None
    return {
        "run": run.id,
        "method": run.method,
        "label": run_label(run),
        "unit": None if _in_shares(run) else "samples",
        "status": {
            "state": status.state.value,
            "done": status.done,
            "total": status.total,
            "message": status.message,
            "error": f"{status.error} {status.remedy}".strip(),
            "active": status.state.active,
            "resumable": status.state.resumable,
        },
        "progress": {
            "rate": progress.rate,
            "remaining": progress.remaining,
            "elapsed": progress.elapsed,
            "stalled": progress.stalled,
            "ended": ended,
        },
    }


def _in_shares(run: Run) -> bool:
    """Tell whether progress counts steps or shares of the work, which have no name for people."""
    spec = methods().get(run.method)
    shares = spec is not None and spec.kind in ("repair", "self-test")
    return shares or run.method.startswith("trigger-")
