"""From the masses of all heads to flagged samples: heads, votes, consensus."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.attention_allocation.floor import Floor, calibrate
from forensics.detectors.attention_allocation.heads import (
    HeadColumns,
    HeadFits,
    Splits,
    fewest_share,
    fit_heads,
    minority_posterior,
    split_heads,
)
from forensics.detectors.attention_allocation.strata import within_strata
from forensics.detectors.options.attention_allocation import MODES, AttentionAllocationOptions
from forensics.errors import OptionError
from forensics.statistics.dawid_skene import Consensus, agree

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Heads whose floor is drawn: that many times the number that may vote, best separated first.
_TESTED: Final = 2
# Heads whose votes are put to a test of their own instead, best separated first.
_ASKED: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadVote:
    """One head that votes.

    Attributes:
        layer: Counted from 0.
        head: Counted from 0.
        place: Its place among the candidate heads.
        flags: ``[samples]`` its own votes.
    """

    layer: int
    head: int
    place: int
    flags: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Which samples one mode flags, and on what grounds.

    Attributes:
        mode: ``calibrated``, ``exact`` or ``guarded``.
        columns: What it was decided from (in mode ``guarded`` the residuals).
        fits: Mixtures of all candidate heads (in mode ``guarded`` those of the residuals).
        splits: Where each parts the samples.
        floor: What chance does; ``None`` where it was not asked (modes ``exact``, ``guarded``).
        ranked: Places of the heads with a split, highest separation score first.
        voters: Those that vote, in that order.
        posterior: ``[samples]`` probability of being poisoned after Dawid and Skene, higher = more
            suspicious; 0 where no head votes, NaN for unread samples. It is the score.
        flagged: ``[samples]`` posterior above one half.
        consensus: How good each voting head is; ``None`` where none votes.
        unread: Samples without masses.
        rejected: Heads with a split that may not vote, because their votes do not go together with
            an answer (mode ``guarded``).
    """

    mode: str
    columns: HeadColumns
    fits: HeadFits
    splits: Splits
    floor: Floor | None
    ranked: NDArray[np.int64]
    voters: tuple[HeadVote, ...]
    posterior: Array
    flagged: Mask
    consensus: Consensus | None
    unread: int
    rejected: int = 0

    @property
    def count(self) -> int:
        """Number of flagged samples."""
        return int(np.count_nonzero(self.flagged))

    @property
    def scanned(self) -> int:
        """Number of samples with masses."""
        return self.flagged.size - self.unread

    @property
    def share(self) -> float:
        """Flagged share of the scanned samples; 0 where none was scanned."""
        return self.count / self.scanned if self.scanned else 0.0

    def summary(self) -> dict[str, Any]:
        """Return the numbers, without the arrays, for JSON."""
        consensus = self.consensus
        return {
            "mode": self.mode,
            "count": self.count,
            "scanned": self.scanned,
            "unread": self.unread,
            "share": self.share,
            "rejected_heads": self.rejected,
            "voting_heads": [[vote.layer, vote.head] for vote in self.voters],
            "with_split": int(self.ranked.size),
            "candidates": int(self.fits.span.size),
            "prior": consensus.prior if consensus else None,
            "converged": consensus.converged if consensus else None,
            "level": self.floor.level if self.floor else None,
        }


def allocate(
    columns: HeadColumns,
    options: AttentionAllocationOptions,
    *,
    mode: str | None = None,
    strata: NDArray[np.int64] | None = None,
    fits: HeadFits | None = None,
    accept: Callable[[Mask], Mask] | None = None,
) -> Allocation:
    """Flag samples whose attention a few late heads allot in another way.

    Args:
        columns: System masses of the heads that may vote.
        options: See the class.
        mode: Instead of that of the options.
        strata: ``[samples]`` kinds of questions, for mode ``guarded``; one kind if ``None``.
        fits: Of these columns, to reuse them; not used in mode ``guarded``.
        accept: Told the votes ``[samples, heads]`` of the best heads, says which may vote; stands
            in for the floor.

    Raises:
        OptionError: Unknown mode.

    Source: 2601.21692: mixtures per head, separation score, votes, Dawid and Skene, p > 0.5. Mode
    ``exact`` is that. The floor of ``calibrated`` and the residuals of ``guarded`` are ours.
    """
    mode = options.mode if mode is None else mode
    if mode not in MODES:
        raise OptionError(f"The mode must be one of {', '.join(MODES)}, not {mode!r}.")
    if mode == "guarded":
        kinds = np.zeros(columns.scanned.size, dtype=np.int64) if strata is None else strata
        columns, fits = within_strata(columns, kinds), None
    fits = fit_heads(columns, options.max_components) if fits is None else fits
    samples = int(columns.scanned.sum())
    smallest = 0.0 if mode == "exact" else fewest_share(options.smallest_share, samples)
    splits = split_heads(fits.mixtures, fits.below, fits.shared, smallest)
    ranked = _rank(splits)
    limit = voting_limit(columns, options)
    floor = None
    chosen = ranked
    if accept is not None:
        chosen = ranked[: max(_ASKED, limit)]
    elif mode != "exact":
        chosen = ranked[: _TESTED * limit]
        floor = calibrate(
            fits,
            chosen,
            samples=samples,
            smallest=smallest,
            level=options.level,
            most=options.max_components,
        )
        chosen = chosen[splits.clarity[chosen] > floor.clarity[chosen]]
    votes = minority_posterior(columns, fits, splits, chosen) > options.vote_above
    kept = np.arange(chosen.size) if accept is None else np.flatnonzero(accept(votes))
    voters = tuple(
        HeadVote(
            layer=int(columns.layer[chosen[i]]),
            head=int(columns.head[chosen[i]]),
            place=int(chosen[i]),
            flags=votes[:, i],
        )
        for i in kept[:limit]
    )
    posterior, consensus = count_votes(voters, columns.scanned)
    return Allocation(
        mode=mode,
        columns=columns,
        fits=fits,
        splits=splits,
        floor=floor,
        ranked=ranked,
        voters=voters,
        posterior=posterior,
        flagged=posterior > 0.5,
        consensus=consensus,
        unread=int(np.count_nonzero(~columns.scanned)),
        rejected=chosen.size - kept.size,
    )


def voting_limit(columns: HeadColumns, options: AttentionAllocationOptions) -> int:
    """Return how many heads may vote: as told, or 10 or 1 % of all heads (ours)."""
    if options.sensitive_heads is not None:
        return options.sensitive_heads
    return max(10, round(columns.all_heads / 100))


def _rank(splits: Splits) -> NDArray[np.int64]:
    """Order the heads with a split by separation score, the highest first."""
    found = np.flatnonzero(splits.gap > 0)
    return np.asarray(found[np.argsort(-splits.score[found], kind="stable")], dtype=np.int64)


def count_votes(voters: tuple[HeadVote, ...], scanned: Mask) -> tuple[Array, Consensus | None]:
    """Return the probability of being poisoned ``[samples]``, and how good each voter is."""
    posterior = np.where(scanned, 0.0, np.nan)
    if not voters or not scanned.any():
        return posterior, None
    consensus = agree(np.stack([vote.flags[scanned] for vote in voters], axis=1))
    posterior[scanned] = consensus.posterior
    return posterior, consensus
