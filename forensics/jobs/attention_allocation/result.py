"""From masses to the files of an attention-allocation run; no model, no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.attention_allocation import (
    Allocation,
    AttentionAllocationOptions,
    decide_modes,
    explain_votes,
    judge_allocation,
)
from forensics.detectors.verdict import Verdict
from forensics.jobs.attention.source import ScanSource
from forensics.jobs.attention_allocation.tables import head_table
from forensics.jobs.flag_files import FLAGGED_IDS, ModeFlags, write_flagged_ids, write_scores
from forensics.jobs.truth_scores import score_modes

LISTED_HEADS: Final = 64  # of the heads table in result.json; all are in the arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationDecision:
    """What every mode says about a scan.

    Attributes:
        modes: Decisions by mode.
        mode: The chosen one.
        verdicts: Their conclusions.
    """

    modes: dict[str, Allocation]
    mode: str
    verdicts: dict[str, Verdict]

    @property
    def chosen(self) -> Allocation:
        """The decision of the chosen mode."""
        return self.modes[self.mode]


def decide_masses(
    case: Case, source: ScanSource, options: AttentionAllocationOptions
) -> AllocationDecision:
    """Decide and judge by every mode."""
    answers = list(case.catalog.answers[source.rows])
    questions = list(case.catalog.questions[source.rows])
    masses, tokens = source.arrays["masses"], source.arrays["tokens"]
    modes = decide_modes(masses, options, answers=answers, questions=questions, tokens=tokens)
    verdicts = {
        mode: judge_allocation(found, masses, answers=answers, questions=questions)
        for mode, found in modes.items()
    }
    return AllocationDecision(modes=modes, mode=options.mode, verdicts=verdicts)


def save_allocation(
    case: Case, folder: Path, source: ScanSource, decided: AllocationDecision
) -> dict[str, Any]:
    """Write scores and flagged ids; return the content of ``result.json``."""
    ids = case.catalog.ids[source.rows]
    chosen = decided.chosen
    _save_scores(folder, ids, source, decided)
    write_flagged_ids(folder, ids[chosen.flagged])
    scanned = np.isfinite(chosen.posterior)
    flags = {mode: found.flagged for mode, found in decided.modes.items()}
    return {
        "method": "attention-allocation",
        **decided.verdicts[decided.mode].to_dict(),
        "mode": decided.mode,
        "score": "probability of being poisoned, 0..1; higher = more suspicious",
        "suspicious_side": "high",
        "n": len(source.rows),
        "failed": chosen.unread,
        "failures": source.failures[:100],
        "flagged": chosen.count,
        "flagged_ids_file": FLAGGED_IDS,
        "arrays_run": source.run,
        "modes": {mode: _summary(decided, mode) for mode in decided.modes},
        "heads": head_table(chosen)[:LISTED_HEADS],
        **score_modes(case, source.rows, scanned, flags, decided.mode),
    }


def _summary(decided: AllocationDecision, mode: str) -> dict[str, Any]:
    verdict = decided.verdicts[mode]
    said = {name: getattr(verdict, name) for name in ("verdict", "reason", "sentence")}
    return decided.modes[mode].summary() | said


def _save_scores(
    folder: Path, ids: NDArray[np.object_], source: ScanSource, decided: AllocationDecision
) -> None:
    modes = {
        mode: ModeFlags(found.posterior, found.posterior, found.flagged)
        for mode, found in decided.modes.items()
    }
    reasons = pa.array(explain_votes(decided.chosen, source.arrays["masses"]), pa.string())
    write_scores(folder, source.rows, ids, modes, decided.mode, {"reason": reasons})
