"""UBT (reconstruction) from end to end: split, overfit, choose, unlearn.

Source: Liang et al., arXiv 2403.16257 and 2409.19526; only the abstracts were at hand, nearly all
details are ours. No figure of this is a figure of the papers.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.encoders.base import DualEncoder
from forensics.repairs.contrastive.copies import copy_of
from forensics.repairs.contrastive.pair_cosines import SuspiciousPairs
from forensics.repairs.contrastive.split import Split
from forensics.repairs.token_unlearning.captions import read_captions
from forensics.repairs.token_unlearning.choice import gains, scores_of, top
from forensics.repairs.token_unlearning.forgetting import LocalPairs
from forensics.repairs.token_unlearning.importance import (
    keep_top,
    patch_importance,
    token_importance,
)
from forensics.repairs.token_unlearning.options import (
    BOTH,
    GLOBAL,
    IMAGE,
    TEXT,
    TokenUnlearningOptions,
)
from forensics.repairs.token_unlearning.overfit import overfit
from forensics.repairs.token_unlearning.patches import cover, grid_of
from forensics.tuning.pair_loop import Progress

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What stages B and C showed; the overfitted copy is gone.

    Attributes:
        history: ``[epochs + 1, suspicious]`` cosines of the suspicious pairs while overfitting.
        losses: ``[steps]`` of the overfitting.
        chosen: ``[k]`` places among the suspicious pairs, the most suspicious first.
        gain: ``[suspicious]``, see :func:`gains`.
        tokens: ``[k, length]`` importance of every caption token; 0 outside the content.
        patches: ``[shown or k, rows * columns]`` importance of patches.
        grid: ``[rows, columns]``.
    """

    history: Floats
    losses: Floats
    chosen: NDArray[np.int64]
    gain: Floats
    tokens: Floats
    patches: Floats
    grid: NDArray[np.int64]

    def pairs(self, split: Split) -> NDArray[np.int64]:
        """Return the indices of the chosen pairs."""
        return split.suspicious[self.chosen]


def expose(
    encoder: DualEncoder,
    pairs: SuspiciousPairs,
    split: Split,
    options: TokenUnlearningOptions,
    out: Path,
    progress: Progress | None = None,
) -> Exposed:
    """Overfit a copy, choose the pairs that gain most, and weigh their tokens and patches.

    Args:
        encoder: The suspicious model; stays as it is.
        pairs: All pairs.
        split: Of stage A.
        options: Of the method.
        out: Folder of the checkpoint.
        progress: Called with (step, steps, message); may raise to stop.
    """
    exposed = copy_of(encoder)
    found = overfit(exposed, pairs, split, options, out, progress)
    chosen = top(scores_of(found.history, split, options), options.k)
    places = split.suspicious[chosen]
    pixels, texts = pairs.pictures(exposed).batch(places.tolist())
    captions = read_captions(exposed, texts)
    tokens = token_importance(
        exposed, pixels, captions, how=options.importance, dropped=options.dropped_tokens
    )
    grid = grid_of(exposed)
    needed = len(chosen) if options.locality in (IMAGE, BOTH) else min(options.shown, len(chosen))
    patches = patch_importance(exposed, pixels[:needed], captions.part(range(needed)), grid)
    return Exposed(
        history=found.history,
        losses=np.array(found.losses, dtype=np.float32),
        chosen=chosen,
        gain=gains(found.history, split).astype(np.float32),
        tokens=tokens.cpu().numpy(),
        patches=patches.cpu().numpy(),
        grid=np.array([grid.rows, grid.columns]),
    )


def localise(
    encoder: DualEncoder,
    pairs: SuspiciousPairs,
    split: Split,
    exposed: Exposed,
    options: TokenUnlearningOptions,
) -> LocalPairs:
    """Leave of every chosen pair what carries its shortcut.

    Args:
        encoder: The suspicious model.
        pairs: All pairs.
        split: Of stage A.
        exposed: Of stages B and C.
        options: ``locality`` decides what is left.
    """
    places = exposed.pairs(split)
    pixels, texts = pairs.pictures(encoder).batch(places.tolist())
    captions = read_captions(encoder, texts)
    dropped = torch.zeros_like(captions.content)
    if options.locality in (TEXT, BOTH):
        weights = torch.from_numpy(exposed.tokens).to(captions.ids.device)
        kept = keep_top(weights, captions.content, options.token_share)
        dropped = captions.content & ~kept
    if options.locality in (IMAGE, BOTH):
        weights = torch.from_numpy(exposed.patches)
        kept = keep_top(weights, torch.ones_like(weights, dtype=torch.bool), options.patch_share)
        pixels = cover(encoder, pixels, ~kept, grid_of(encoder))
    assert options.locality in (TEXT, IMAGE, BOTH, GLOBAL)
    return LocalPairs(places=places, pixels=pixels, captions=captions, dropped=dropped)
