"""Downloads of what a decision keeps or flags."""

import tempfile
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np
from fastapi import APIRouter
from fastapi.responses import FileResponse
from numpy.typing import NDArray
from starlette.background import BackgroundTask

from forensics.detectors.attention_entropy import Decision, recut
from forensics.errors import OptionError
from forensics.export.ids import IdRow, export_ids, merge_turns
from forensics.export.scan import removes_flagged
from forensics.ui.context import Context, check_decision
from forensics.ui.evidence import Evidence

TYPES = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
PARTS: dict[str, Literal["keep", "flag"]] = {"kept": "keep", "flagged": "flag"}


def download_routes(context: Context) -> APIRouter:
    """Return the route of exports."""
    routes = APIRouter(prefix="/api/cases/{name}/runs/{run}/export")

    @routes.get("/{part}.{suffix}")
    def export(
        name: str, run: str, part: str, suffix: str,
        rule: str | None = None, tau: float | None = None, cut: float | None = None,
        use_flags: bool = False,
    ) -> FileResponse:  # fmt: skip
        check_decision(rule, tau)
        if part not in PARTS or suffix not in TYPES:
            raise OptionError("Exports are kept or flagged, as csv, jsonl or parquet.")
        found = context.evidence(name, run)
        decision = _decision(found, rule, tau, cut)
        verdict = found.verdict(decision.mode, decision.tau).verdict
        # As the command line: flags that may be innocent are left out only if somebody says so.
        whole = part == "kept" and not removes_flagged(
            verdict, by_hand=decision.manual, use_flags=use_flags
        )
        with tempfile.NamedTemporaryFile(suffix=f".{suffix}", delete=False) as file:
            path = Path(file.name)
        count = export_ids(_rows(found, decision, part, whole=whole), path, overwrite=True)
        found.case.journal.record(
            "export", run=run, part=part, format=suffix, rows=count, rule=decision.mode,
            tau=decision.tau, cut=decision.cut, manual=decision.manual, verdict=verdict,
            nothing_removed=whole,
        )  # fmt: skip
        stem = _stem(run, "all-kept" if whole else part, decision)
        return FileResponse(
            path, media_type=TYPES[suffix], filename=f"{stem}.{suffix}",
            background=BackgroundTask(path.unlink, missing_ok=True),
        )  # fmt: skip

    return routes


def _decision(found: Evidence, rule: str | None, tau: float | None, cut: float | None) -> Decision:
    decision = found.decision(rule, tau)
    if cut is None:
        return decision
    if not isfinite(cut):
        raise OptionError("The cut must be a finite number.")
    return recut(decision, cut)


def _rows(found: Evidence, decision: Decision, part: str, *, whole: bool) -> Iterator[IdRow]:
    """Yield the rows of one part in catalogue order; samples that could not be read are kept.

    With ``whole`` every sample is kept, the flagged ones too. A conversation is one row.
    """
    merged = merge_turns(_decided(found, decision, whole=whole))
    return (row for row in merged if row.decision == PARTS[part])


def _decided(found: Evidence, decision: Decision, *, whole: bool) -> Iterator[IdRow]:
    reasons = found.reasons(decision.mode, decision.tau)
    flagged: NDArray[np.bool_] = decision.flagged & (not whole)
    step = 1024
    for start in range(0, flagged.size, step):
        samples = found.case.catalog.select(found.arrays.rows[start : start + step])
        for place, sample in enumerate(samples, start=start):
            yield IdRow(
                id=sample.row_id, decision="flag" if flagged[place] else "keep",
                score=float(decision.score[place]), source=sample.source, line=sample.line,
                reason=reasons.reason(place) if flagged[place] else "",
            )  # fmt: skip


def _stem(run: str, part: str, decision: Decision) -> str:
    cut = "no-cut" if decision.cut is None else f"cut-{decision.cut:.4g}"
    by_hand = "-by-hand" if decision.manual else ""
    return f"{run}-{decision.mode}-{cut}{by_hand}-{part}"
