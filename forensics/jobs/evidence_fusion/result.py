"""From a fusion decision to the files of a run; no model, no torch."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.evidence_fusion import (
    EvidenceFusionOptions,
    FusionDecision,
    explain_flags,
    judge_fusion,
)
from forensics.jobs.flag_files import FLAGGED_IDS, ModeFlags, write_flagged_ids, write_scores
from forensics.jobs.truth_scores import score_modes
from forensics.runs.plain import plain

MODE: Final = "fusion"
_BINS: Final = 60


def save_fusion(
    case: Case,
    folder: Path,
    rows: NDArray[np.int64],
    decision: FusionDecision,
    options: EvidenceFusionOptions,
) -> dict[str, Any]:
    """Write scores and flagged ids; return the content of ``result.json``."""
    ids = case.catalog.ids[rows]
    verdict = judge_fusion(decision, options)
    _save_scores(folder, ids, rows, decision)
    write_flagged_ids(folder, ids[decision.flagged])
    flagged = int(decision.flagged.sum())
    accepted = None if decision.accepted is None else decision.weighed[decision.accepted]
    summary = {"count": flagged, "verdict": verdict.verdict, "reason": verdict.reason}
    result: dict[str, Any] = plain(
        {
            "method": "evidence-fusion",
            **verdict.to_dict(),
            "mode": MODE,
            "score": "place between other samples (0) and the accepted group (1); higher = more "
            "suspicious",
            "suspicious_side": "high",
            "n": len(rows),
            "failed": int((~decision.scanned).sum()),
            "flagged": flagged,
            "flagged_ids_file": FLAGGED_IDS,
            "accepted_answer": accepted.candidate.answer if accepted else None,
            "modes": {MODE: summary},
            "drop_one": list(decision.drop_one),
            "histogram": _histogram(decision),
            **score_modes(case, rows, decision.scanned, {MODE: decision.flagged}, MODE),
        }
    )
    return result


def _histogram(decision: FusionDecision) -> dict[str, Any] | None:
    """Count the scores of flagged and kept samples; ``None`` without an accepted group."""
    known = np.isfinite(decision.score)
    if not known.any():
        return None
    score = np.clip(decision.score, -1.0, 2.0)
    edges = np.linspace(-1.0, 2.0, _BINS + 1)
    return {
        "edges": edges.tolist(),
        "flagged": np.histogram(score[known & decision.flagged], edges)[0].tolist(),
        "kept": np.histogram(score[known & ~decision.flagged], edges)[0].tolist(),
    }


def _save_scores(
    folder: Path, ids: NDArray[np.object_], rows: NDArray[np.int64], decision: FusionDecision
) -> None:
    modes = {MODE: ModeFlags(decision.score, decision.posterior, decision.flagged)}
    reasons = pa.array(explain_flags(decision), pa.string())
    write_scores(folder, rows, ids, modes, MODE, {"reason": reasons})
