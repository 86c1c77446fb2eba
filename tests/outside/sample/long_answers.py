"""A method of another package: flag answers that are far longer than the usual one."""

import time
from dataclasses import dataclass, field
from typing import Any

from forensics.registry import MethodSpec

NAME = "long-answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAnswersOptions:
    """When an answer is long."""

    times: float = field(
        default=3.0, metadata={"help": "Times the median length.", "min": 1.0, "max": 100.0}
    )


SPEC = MethodSpec(
    name=NAME,
    alias="lang",
    kind="scan",
    title="Answers far longer than the usual one",
    needs="data with answers",
    gives="samples whose answer is long",
    acts_on="any",
    options="long_answers:LongAnswersOptions",
    job="long_answers:run",
)


def run(case: Any, context: Any, options: dict[str, Any], models: Any) -> dict[str, Any]:
    """Measure the length of every answer; no model is opened."""
    import numpy as np

    from forensics.detectors.verdict import Verdict
    from forensics.jobs.flag_files import FLAGGED_IDS, ModeFlags, write_flagged_ids, write_scores

    started = time.monotonic()
    lengths = np.array([len(answer or "") for answer in case.catalog.answers], dtype=np.float64)
    cut = options["times"] * float(np.median(lengths))
    flagged = lengths > cut
    rows, ids = np.arange(lengths.size), case.catalog.ids
    modes = {"length": ModeFlags(lengths, flagged.astype(np.float64), flagged)}
    reasons = [f"its answer has {length:.0f} letters" for length in lengths]
    write_scores(context.folder, rows, ids, modes, "length", {"reason": reasons})
    write_flagged_ids(context.folder, ids[flagged])
    context.progress(lengths.size, lengths.size)
    seconds = max(1e-3, time.monotonic() - started)
    verdict = Verdict(
        verdict="inconclusive",
        reason="long-answers" if flagged.any() else "usual-answers",
        sentence=f"{flagged.sum()} answers are longer than {cut:.0f} letters.",
        evidence={"cut": cut},
        not_covered=("answers of the usual length",),
    )
    return {
        **verdict.to_dict(),
        "mode": "length",
        "n": int(lengths.size),
        "failed": 0,
        "flagged": int(flagged.sum()),
        "flagged_ids_file": FLAGGED_IDS,
        "seconds": round(seconds, 3),
        "samples_per_second": round(lengths.size / seconds, 2),
    }
