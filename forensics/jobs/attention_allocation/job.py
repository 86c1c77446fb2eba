"""The job behind ``scan attention-allocation``: masses of a scan, then votes of heads."""

import time
from typing import Any, Final

from forensics.case import Case
from forensics.detectors.options.attention_allocation import AttentionAllocationOptions
from forensics.jobs.attention.scan import plan_rows
from forensics.jobs.attention.source import scan_arrays
from forensics.jobs.attention_allocation.result import decide_masses, save_allocation
from forensics.jobs.attention_allocation.tables import TABLES, allocation_arrays
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

NEEDED: Final = ("masses", "tokens")


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Decide from the latest finished attention scan, or scan first where there is none.

    No model is loaded where a scan is at hand that covers the samples asked for.

    Raises:
        JobFailed: No sample could be scanned.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen = build_options(AttentionAllocationOptions, options)
    started = time.monotonic()
    rows = plan_rows(len(case.catalog), chosen.max_samples, chosen.seed)
    source = scan_arrays(case, context, models, chosen, rows, NEEDED)
    context.progress(len(rows), len(rows), "deciding")
    decided = decide_masses(case, source, chosen)
    if source.measured is not None:
        source.measured.save(context.folder, decided.chosen.flagged, chosen.max_maps)
    context.save_arrays(TABLES, allocation_arrays(decided.chosen, source.arrays["masses"]))
    result = save_allocation(case, context.folder, source, decided)
    seconds = time.monotonic() - started
    return {
        **result,
        "measured": source.measured is not None,
        "seconds": round(seconds, 3),
        "samples_per_second": round(len(rows) / seconds, 2),
    }
