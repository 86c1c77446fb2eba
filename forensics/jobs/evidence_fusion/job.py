"""The job behind ``scan evidence-fusion``: arrays of a scan, then what they say together."""

import time
from typing import Any, Final

from forensics.case import Case
from forensics.detectors.evidence_fusion import decide_fusion
from forensics.detectors.options.evidence_fusion import EvidenceFusionOptions
from forensics.jobs.attention.scan import plan_rows
from forensics.jobs.attention.source import scan_arrays
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
    source = scan_arrays(case, context, models, chosen, rows, NEEDED)
    context.progress(len(rows), len(rows), "deciding")
    decision = decide_fusion(fusion_input(case, source.arrays), chosen)
    if source.measured is not None:
        source.measured.save(context.folder, decision.flagged, chosen.max_maps)
    result = save_fusion(case, context.folder, source.rows, decision, chosen)
    seconds = time.monotonic() - started
    return {
        **result,
        "failures": source.failures[:100],
        "arrays_run": source.run,
        "measured": source.measured is not None,
        "seconds": round(seconds, 3),
        "samples_per_second": round(len(rows) / seconds, 2),
    }
