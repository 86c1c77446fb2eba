"""The job behind ``scan evidence-fusion``: arrays of a scan, then what they say together."""

import time
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.evidence_fusion import decide_fusion
from forensics.detectors.options.evidence_fusion import EvidenceFusionOptions
from forensics.jobs.attention.arrays import arrays_to_dict
from forensics.jobs.attention.scan import MeasuredCase, measure_case, plan_rows
from forensics.jobs.attention.source import earlier_arrays
from forensics.jobs.evidence_fusion.result import save_fusion
from forensics.jobs.evidence_fusion.source import fusion_input
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

NEEDED: Final = ("entropy", "masses", "state", "picture", "tokens")


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Decide from the latest finished attention scan, or scan first where there is none.

    No model is loaded where a scan is at hand that covers the samples asked for.

    Raises:
        JobFailed: No sample could be scanned.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen = build_options(EvidenceFusionOptions, options)
    started = time.monotonic()
    rows = plan_rows(len(case.catalog), chosen.max_samples, chosen.seed)
    begun = bool(context.finished_shards())  # a stopped scan of our own goes on
    earlier = None if chosen.rescan or begun else earlier_arrays(case, rows, NEEDED)
    measured: MeasuredCase | None = None
    arrays: Mapping[str, NDArray[Any]]
    if earlier is None:
        measured = measure_case(case, context, models, chosen)
        source, arrays = context.folder.name, arrays_to_dict(measured.arrays)
        failures = [{"row": row, "reason": reason} for row, reason in measured.failed[:100]]
    else:
        source, arrays = earlier[0].id, earlier[1]
        wanted = set(rows.tolist())
        failures = [f for f in earlier[0].result().get("failures", []) if f["row"] in wanted]
    context.progress(len(rows), len(rows), "deciding")
    decision = decide_fusion(fusion_input(case, arrays), chosen)
    if measured is not None:
        measured.save(context.folder, decision.flagged, chosen.max_maps)
    scanned = np.asarray(arrays["rows"], dtype=np.int64)
    result = save_fusion(case, context.folder, scanned, decision, chosen)
    seconds = time.monotonic() - started
    return {
        **result,
        "failures": failures,
        "arrays_run": source,
        "measured": measured is not None,
        "seconds": round(seconds, 3),
        "samples_per_second": round(len(rows) / seconds, 2),
    }
