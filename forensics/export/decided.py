"""Export by what people decided in the review: kept is whatever they did not flag."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from forensics.case import Case
from forensics.case.standing import DISAGREEMENT, FLAG, UNDECIDED, UNSURE, Standing, standing
from forensics.errors import OptionError
from forensics.export.dataset import export_dataset
from forensics.export.ids import IdRow, export_ids, merge_turns
from forensics.export.scan import turns_note

KEEP_UNSURE, DROP_UNSURE = "keep", "drop"
NOTHING: Final = "Nobody has decided about a sample yet, so nothing is left out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What people would remove.

    Attributes:
        held: What people say.
        removed: Ids to be removed.
        flagged: Samples that everybody who judged flags.
        unsure: Samples on which people are unsure or disagree.
        dropped: Whether these are removed, too.
        samples: Samples of the case.
    """

    held: Standing
    removed: frozenset[str]
    flagged: int
    unsure: int
    dropped: bool
    samples: int

    def told(self) -> dict[str, Any]:
        """Return the counts, and in words what became of the unsure."""
        fate = "removed as well" if self.dropped else "kept"
        words = [f"{self.unsure:,} on which people are unsure or disagree are {fate}."]
        if not self.held.people():
            words = [NOTHING]
        return {
            "by": "decisions", "people": self.held.people(), "flagged": self.flagged,
            "unsure": self.unsure, "unsure_removed": self.dropped, "decided_note": words[0],
        }  # fmt: skip


def choose(case: Case, *, unsure: str = KEEP_UNSURE) -> Chosen:
    """Say which samples people would remove; samples that nobody judged are kept.

    Args:
        case: The case.
        unsure: ``keep`` or ``drop`` samples on which people are unsure or disagree.

    Raises:
        OptionError: ``unsure`` is neither.
    """
    if unsure not in (KEEP_UNSURE, DROP_UNSURE):
        raise OptionError(f"Unsure samples: keep or drop, not {unsure[:40]!r}.")
    held, known = standing(case.journal.decisions_after(0)), set(case.catalog.ids)
    said = {name: verdict for name, verdict in held.verdicts().items() if name in known}
    flagged = {name for name, verdict in said.items() if verdict == FLAG}
    open_ones = {name for name, verdict in said.items() if verdict in (UNSURE, DISAGREEMENT)}
    dropped = unsure == DROP_UNSURE
    return Chosen(
        held=held,
        removed=frozenset(flagged | open_ones if dropped else flagged),
        flagged=len(flagged),
        unsure=len(open_ones),
        dropped=dropped,
        samples=len(case.catalog),
    )


def export_decided_ids(
    case: Case, to: Path, *, which: str = "kept", unsure: str = KEEP_UNSURE, overwrite: bool = False
) -> dict[str, Any]:
    """Write the ids of samples that people keep or remove; see :func:`choose`.

    The column ``reason`` holds what people said of a sample, with their notes; there is no score.

    Returns:
        ``path``, ``which``, ``written``, ``kept``, and what :meth:`Chosen.told` says.

    Raises:
        OptionError: ``which`` or ``unsure`` is none.
        DataError: The file is in the way, or cannot be written.
    """
    if which not in ("kept", "flagged", "all"):
        raise OptionError(f"Which ids: kept, flagged or all, not {which!r}.")
    chosen = choose(case, unsure=unsure)
    rows = (
        row
        for row in merge_turns(_rows(case, chosen))
        if which == "all" or (row.decision == "flag") == (which == "flagged")
    )
    written = export_ids(rows, to, overwrite=overwrite)
    outcome = {
        "path": str(to), "which": which, "written": written,
        "kept": chosen.samples - len(chosen.removed), **chosen.told(), **turns_note(case),
    }  # fmt: skip
    case.journal.record("export ids", **outcome)
    return outcome


def export_decided_dataset(
    case: Case,
    to: Path,
    *,
    images: Literal["copy", "none"] = "copy",
    unsure: str = KEEP_UNSURE,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the data set without the samples that people remove, in its own format.

    Returns:
        ``path``, ``kept``, ``removed``, ``unreadable``, and what :meth:`Chosen.told` says.

    Raises:
        OptionError: ``unsure`` is none.
        DataError: The data set is gone, or the export cannot be written.
    """
    chosen = choose(case, unsure=unsure)
    keep = set(case.catalog.ids) - chosen.removed
    done = export_dataset(case.dataset(), keep, to, images=images, overwrite=overwrite)
    outcome = {
        "path": str(done.path), "kept": done.kept, "removed": done.removed,
        "unreadable": done.unreadable, **chosen.told(), **turns_note(case),
    }  # fmt: skip
    case.journal.record("export dataset", **outcome)
    return outcome


def _rows(case: Case, chosen: Chosen) -> Iterator[IdRow]:
    for sample in case.catalog:
        removed = sample.id in chosen.removed
        yield IdRow(
            id=sample.row_id, decision="flag" if removed else "keep", source=sample.source,
            line=sample.line, reason=_said(chosen.held, sample.id),
        )  # fmt: skip


def _said(held: Standing, sample: str) -> str:
    people = sorted(held.opinions.get(sample, {}).items())
    told = [f"{by}: {one.verdict or 'note'}{f' ({one.note})' if one.note else ''}"
            for by, one in people]  # fmt: skip
    verdict = held.effective(sample)
    return "; ".join(told if verdict == UNDECIDED else [verdict, *told])
