"""Attention allocation (TCAP): samples to which a few late heads allot attention differently.

Three steps from the masses ``[samples, layer, head, 3]`` of an attention scan to a verdict::

    columns = system_columns(masses)
    found = allocate(columns, AttentionAllocationOptions())
    verdict = judge_allocation(found, masses, answers=answers, questions=questions)

:func:`decide_modes` does this for all modes at once. Nothing here reads a model, an image or a
ground truth.

What is as published: masses by function, one Gaussian mixture (K = 1..5, AIC) per head on the
scaled system mass, a separation score from the overlap of a minority and a majority, the best
heads of late layers, votes, Dawid and Skene's EM, a flag above one half. Mode ``exact`` stops
there. What is ours: the constants that the paper's readers leave open (all are options), and the
default mode ``calibrated``, in which a head votes only if it parts the samples more clearly than
one-humped columns do by chance. The published rule always splits something; without that floor a
set in which nothing is planted would be flagged, too. The floor costs sight of weak shifts, which
only many heads together show; mode ``guarded`` does without it: it works on residuals within kinds
of questions, and heads vote whose votes go together with one answer.

Source: "TCAP: Tri-Component Attention Profiling for Unsupervised Backdoor Detection in MLLM
Fine-Tuning", arXiv 2601.21692.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_allocation.decision import Allocation, HeadVote, allocate
from forensics.detectors.attention_allocation.floor import Floor, calibrate
from forensics.detectors.attention_allocation.guarded import associated_votes
from forensics.detectors.attention_allocation.heads import (
    HeadColumns,
    HeadFits,
    Splits,
    fit_heads,
    split_heads,
    system_columns,
)
from forensics.detectors.attention_allocation.reasons import explain_votes
from forensics.detectors.attention_allocation.strata import within_strata
from forensics.detectors.attention_allocation.verdict import judge_allocation
from forensics.detectors.options.attention_allocation import MODES, AttentionAllocationOptions
from forensics.detectors.strata import stratify

__all__ = [
    "MODES",
    "Allocation",
    "AttentionAllocationOptions",
    "Floor",
    "HeadColumns",
    "HeadFits",
    "HeadVote",
    "Splits",
    "allocate",
    "associated_votes",
    "calibrate",
    "decide_modes",
    "explain_votes",
    "fit_heads",
    "judge_allocation",
    "split_heads",
    "system_columns",
    "within_strata",
]


def decide_modes(
    masses: NDArray[Any],
    options: AttentionAllocationOptions,
    *,
    answers: Sequence[str | None],
    questions: Sequence[str] | None = None,
    tokens: NDArray[Any] | None = None,
) -> dict[str, Allocation]:
    """Decide by every mode.

    Args:
        masses: ``[samples, layer, head, 3]``; NaN = unread.
        options: See the class; its ``mode`` does not matter here.
        answers: ``[samples]``, used by mode ``guarded`` alone.
        questions: ``[samples]``; their templates make the strata of mode ``guarded`` ...
        tokens: ``[samples]`` ... together with the number of image tokens, where it is known.
    """
    columns = system_columns(masses, options.sensitive_layers)
    counts = np.zeros(len(masses), dtype=np.int64) if tokens is None else tokens
    kinds = stratify(questions, counts)
    fits = fit_heads(columns, options.max_components)
    accept = associated_votes(answers, kinds, columns.scanned)
    return {
        mode: allocate(
            columns,
            options,
            mode=mode,
            strata=kinds,
            fits=fits,
            accept=accept if mode == "guarded" else None,
        )
        for mode in MODES
    }
