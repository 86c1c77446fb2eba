"""From the arrays of a scan to its decision, tables and result.json; no model, no torch.

The web app refits a moved tau from the same pieces of :mod:`forensics.detectors`, one decision at a
time and kept in memory (``forensics.ui.evidence``): same functions, same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.attention_entropy import (
    AttentionEntropyOptions,
    Decision,
    GuardedDecision,
    GuardedEntropy,
    LayerFits,
    Verdict,
    comparable_entropy,
    decide,
    decide_guarded,
    examine_guarded,
    fit_layers,
    judge,
    judge_guarded,
    shown_fits,
)
from forensics.jobs.attention.arrays import AttentionArrays
from forensics.jobs.flag_files import FLAGGED_IDS, ModeFlags, write_flagged_ids, write_scores
from forensics.jobs.truth_scores import score_modes

OTHER = {"root": "code", "code": "root"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanDecision:
    """What both rules, and the guarded mode, say about a scan.

    Attributes:
        entropy: ``[n, layer]`` float64, as compared between samples.
        fits: Mixture of each layer.
        guarded: What mode ``guarded`` measured within strata.
        decisions: ``root``, ``code`` and ``guarded``.
        verdict: The conclusion of the chosen mode.
        mode: The chosen mode.
    """

    entropy: NDArray[np.float64]
    fits: LayerFits
    guarded: GuardedEntropy
    decisions: dict[str, Decision]
    verdict: Verdict
    mode: str

    @property
    def chosen(self) -> Decision:
        """The decision of the chosen mode."""
        return self.decisions[self.mode]

    @property
    def shown_fits(self) -> LayerFits:
        """Fits that belong to the decision of the chosen mode, for reasons and figures."""
        chosen = self.chosen
        if isinstance(chosen, GuardedDecision):
            return shown_fits(self.guarded, chosen)
        return self.fits


def decide_scan(
    arrays: AttentionArrays,
    options: AttentionEntropyOptions,
    *,
    answers: Sequence[str | None],
    questions: Sequence[str],
    metadata: Mapping[str, Sequence[object]] | None = None,
    fits: LayerFits | None = None,
) -> ScanDecision:
    """Fit the layers, decide by both rules and within strata, and judge.

    Args:
        arrays: Of the scan.
        options: Mode, tau and starts.
        answers: ``[n]`` what the data teaches, for the guards.
        questions: ``[n]``, for the guards.
        metadata: Columns that may explain flags of mode ``guarded``: name -> ``[n]``.
        fits: Fits to reuse when only tau or the mode moved.
    """
    entropy, unit = comparable_entropy(arrays.entropy, arrays.tokens, options.scale)
    fits = fit_layers(entropy, init=options.init, unit=unit) if fits is None else fits
    decisions: dict[str, Decision] = {
        mode: decide(
            entropy,
            mode=mode,
            tau=options.tau,
            fits=fits,
            init=options.init,
            high_side_guard=options.high_side_guard,
        )
        for mode in OTHER
    }
    within = examine_guarded(
        entropy, arrays.tokens, answers=answers, questions=questions, unit=unit
    )
    guarded = decide_guarded(within, options.tau)
    if options.mode == "guarded":
        verdict = judge_guarded(guarded, decisions["root"], within, metadata=metadata)
    else:
        verdict = judge(
            decisions[options.mode],
            decisions[OTHER[options.mode]],
            entropy=entropy,
            fits=fits,
            answers=answers,
            questions=questions,
        )
    return ScanDecision(
        entropy=entropy,
        fits=fits,
        guarded=within,
        decisions=decisions | {"guarded": guarded},
        verdict=verdict,
        mode=options.mode,
    )


def decide_case(
    case: Case,
    arrays: AttentionArrays,
    options: AttentionEntropyOptions,
    fits: LayerFits | None = None,
) -> ScanDecision:
    """Decide a scan of a case; see :func:`decide_scan`."""
    return decide_scan(
        arrays,
        options,
        answers=list(case.catalog.answers[arrays.rows]),
        questions=list(case.catalog.questions[arrays.rows]),
        metadata=explaining_columns(case, arrays),
        fits=fits,
    )


def explaining_columns(case: Case, arrays: AttentionArrays) -> dict[str, list[object]]:
    """Return what may explain flags without a backdoor: source and layout of a picture."""
    return {
        "source": list(case.catalog.column("source")[arrays.rows]),
        "picture layout": arrays.layout.tolist(),
    }


def save_decision(
    case: Case,
    folder: Path,
    arrays: AttentionArrays,
    decided: ScanDecision,
    *,
    failed: Sequence[tuple[int, str]],
) -> dict[str, Any]:
    """Write the tables of a decided scan; return the content of ``result.json``."""
    ids = case.catalog.ids[arrays.rows]
    _save_scores(folder, ids, arrays, decided)
    write_flagged_ids(folder, ids[decided.chosen.flagged])
    scanned = np.asarray(np.isfinite(decided.entropy).any(axis=1))
    flags = {mode: decision.flagged for mode, decision in decided.decisions.items()}
    return {
        "method": "attention-entropy",
        **decided.verdict.to_dict(),
        "mode": decided.mode,
        "tau": decided.chosen.tau,
        "n": len(arrays.rows),
        "failed": len(failed),
        "failures": [{"row": row, "reason": reason} for row, reason in failed[:100]],
        "flagged": int(decided.chosen.flagged.sum()),
        "flagged_ids_file": FLAGGED_IDS,
        "modes": {name: decision.summary() for name, decision in decided.decisions.items()},
        "layers": layer_table(decided.fits, decided.guarded.fits),
        **score_modes(case, arrays.rows, scanned, flags, decided.mode),
    }


def layer_table(fits: LayerFits, within: LayerFits) -> list[dict[str, Any]]:
    """Describe every layer's fit with plain values; what is undefined is ``None``.

    Args:
        fits: Of the entropies.
        within: Of the residuals within strata.
    """

    def plain(value: float) -> float | None:
        return round(float(value), 6) if np.isfinite(value) else None

    return [
        {
            "layer": layer,
            "state": fits.state[layer],
            "separation_root": plain(fits.separation_root[layer]),
            "separation_code": plain(fits.separation_code[layer]),
            "separation_within": plain(within.separation_root[layer]),
            "divergence": plain(fits.divergence[layer]),
            "means": [plain(value) for value in fits.means[layer]],
            "sigmas": [plain(value) for value in fits.sigmas[layer]],
            "weights": [plain(value) for value in fits.weights[layer]],
        }
        for layer in range(fits.layers)
    ]


def _save_scores(
    folder: Path, ids: NDArray[np.object_], arrays: AttentionArrays, decided: ScanDecision
) -> None:
    modes, more = {}, {}
    for mode, decision in decided.decisions.items():
        modes[mode] = ModeFlags(decision.score, decision.posterior, decision.flagged)
        if isinstance(decision, GuardedDecision):
            more = {"eligible_guarded": decision.eligible, "for_review": decision.review}
    write_scores(folder, arrays.rows, ids, modes, decided.mode, more)
