"""Turn a finished scan into ids or a cleaned data set.

What a scan flags is only removed where its verdict is "suspicious", or where the user says so:
two attention regimes may as well be two kinds of questions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.errors import OptionError
from forensics.export.dataset import export_dataset
from forensics.export.ids import IdRow, export_ids, merge_turns
from forensics.jobs.attention.arrays import load_arrays
from forensics.jobs.attention.layouts import load_layouts
from forensics.jobs.attention.result import ScanDecision, decide_case
from forensics.jobs.flag_files import SCORES
from forensics.options import build_options
from forensics.registry import find_method, load_object
from forensics.runs import Run

TURNS_NOTE = "Rows are whole conversations: one is left out when any of its turns is flagged."

Which = Literal["kept", "flagged", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a finished scan would remove.

    Attributes:
        run: The scan.
        verdict: Its verdict.
        rows: ``[n]`` catalogue rows scanned.
        scores: ``[n]`` score behind each decision.
        removed: ``[n]`` True = to be removed.
        cut: Score cut set by hand, or ``None`` for the rule's own flags.
        higher: Whether high scores are the suspicious ones.
    """

    run: Run
    verdict: str
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    removed: NDArray[np.bool_]
    cut: float | None
    higher: bool = False


def removes_flagged(verdict: str, *, by_hand: bool, use_flags: bool) -> bool:
    """Say whether an export leaves out what a scan flags; the app and the command line ask here.

    Args:
        verdict: Of the decision that flagged.
        by_hand: The user set the cut, which is a decision of the user's own.
        use_flags: The user asked for it, whatever the verdict.
    """
    return by_hand or use_flags or verdict == "suspicious"


def select(
    case: Case, *, run_id: str | None = None, use_flags: bool = False, cut: float | None = None
) -> Selection:
    """Say which samples of a scan are to be removed.

    Args:
        case: The case.
        run_id: The scan; the latest finished one by default.
        use_flags: Remove flagged samples whatever the verdict says.
        cut: Remove samples that score below it (above it, where high scores are suspicious)
            instead of those that the rule flags. Setting it by hand is a decision of the user's,
            so the verdict does not stop it.

    Raises:
        CaseError: There is no such run.
        OptionError: ``cut`` is not a finite number.
    """
    run = case.run(run_id, method="attention-entropy")
    result = run.result()
    table = pq.read_table(run.folder / SCORES)
    scores = table.column(f"score_{result['mode']}").to_numpy()
    flagged = table.column("flagged").to_numpy()
    higher = result.get("suspicious_side") == "high"
    if cut is not None:
        if not np.isfinite(cut):
            raise OptionError(f"The cut must be a finite number, not {cut!r}.")
        removed = scores > cut if higher else scores < cut
        if f"eligible_{result['mode']}" in table.column_names:
            removed &= table.column(f"eligible_{result['mode']}").to_numpy()
    elif removes_flagged(result["verdict"], by_hand=False, use_flags=use_flags):
        removed = flagged.astype(np.bool_)
    else:
        removed = np.zeros(len(flagged), dtype=np.bool_)
    rows = table.column("row").to_numpy()
    return Selection(
        run=run,
        verdict=result["verdict"],
        rows=rows,
        scores=scores,
        removed=removed,
        cut=cut,
        higher=higher,
    )


def export_scan_ids(
    case: Case,
    to: Path,
    *,
    run_id: str | None = None,
    which: str = "kept",
    use_flags: bool = False,
    cut: float | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the ids of kept, flagged or all rows of a scan; see :func:`select`.

    Where each turn of a conversation is a sample, the ids are those of the rows.

    Returns:
        ``run``, ``path``, ``which``, ``written``, ``kept``, ``flagged``, ``verdict``, and ``note``
        where a row has several turns; ``kept`` and ``flagged`` count samples.
    """
    if which not in ("kept", "flagged", "all"):
        raise OptionError(f"Which ids: kept, flagged or all, not {which!r}.")
    chosen = select(case, run_id=run_id, use_flags=use_flags, cut=cut)
    rows = (
        row
        for row in merge_turns(_id_rows(case, chosen), higher=chosen.higher)
        if which == "all" or (row.decision == "flag") == (which == "flagged")
    )
    written = export_ids(rows, to, overwrite=overwrite)
    flagged = int(chosen.removed.sum())
    outcome: dict[str, Any] = {
        "run": chosen.run.id,
        "path": str(to),
        "which": which,
        "written": written,
        "kept": len(chosen.rows) - flagged,
        "flagged": flagged,
        "verdict": chosen.verdict,
        **turns_note(case),
    }
    case.journal.record("export ids", **outcome, cut=cut)
    return outcome


def export_scan_dataset(
    case: Case,
    to: Path,
    *,
    run_id: str | None = None,
    images: str = "copy",
    use_flags: bool = False,
    cut: float | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the data set without the samples of :func:`select`, in its own format.

    Samples that the scan did not look at (a subsample was scanned, an image was unreadable) stay.

    Returns:
        ``run``, ``path``, ``kept``, ``removed``, ``unreadable``, ``verdict``, and ``note`` where a
        row has several turns.
    """
    if images not in ("copy", "none"):
        raise OptionError(f"Images: copy or none, not {images!r}.")
    chosen = select(case, run_id=run_id, use_flags=use_flags, cut=cut)
    ids = case.catalog.ids
    keep = set(ids) - set(ids[chosen.rows[chosen.removed]])
    done = export_dataset(
        case.dataset(),
        keep,
        to,
        images="copy" if images == "copy" else "none",
        overwrite=overwrite,
    )
    outcome: dict[str, Any] = {
        "run": chosen.run.id,
        "path": str(done.path),
        "kept": done.kept,
        "removed": done.removed,
        "unreadable": done.unreadable,
        "verdict": chosen.verdict,
        **turns_note(case),
    }
    case.journal.record("export dataset", **outcome, cut=cut)
    return outcome


def explain(case: Case, run: Run) -> tuple[ScanDecision, Any]:
    """Decide a finished scan again and prepare the reasons of its samples."""
    from forensics.detectors.attention_entropy import explain_samples

    arrays = load_arrays(run.folder)
    options = build_options(load_object(find_method(run.method).options), run.options)
    decided = decide_case(case, arrays, options)
    reasons = explain_samples(
        decided.chosen,
        decided.shown_fits,
        tokens=arrays.tokens,
        peak_token=arrays.peak_token,
        top2_mass=arrays.top2_mass,
        questions=list(case.catalog.questions[arrays.rows]),
        where=load_layouts(run.folder, arrays.layout).where,
    )
    return decided, reasons


def turns_note(case: Case) -> dict[str, str]:
    """Return what an export says of conversations that were read turn by turn; else nothing."""
    return {"note": TURNS_NOTE} if case.manifest.turns == "each" else {}


def reasons_of(case: Case, run: Run) -> Callable[[int], str]:
    """Return what tells why a sample is suspected, by its place in the table of scores.

    A method may have written it down already.
    """
    table = pq.read_table(run.folder / SCORES)
    if "reason" in table.column_names:
        written = table.column("reason")
        return lambda index: str(written[index].as_py())
    reasons = explain(case, run)[1]
    return lambda index: str(reasons.reason(index))


def _id_rows(case: Case, chosen: Selection) -> Iterator[IdRow]:
    reason = reasons_of(case, chosen.run)
    samples = case.catalog.select(chosen.rows)
    for index, sample in enumerate(samples):
        removed = bool(chosen.removed[index])
        yield IdRow(
            id=sample.row_id,
            decision="flag" if removed else "keep",
            score=float(chosen.scores[index]),
            source=sample.source,
            line=sample.line,
            reason=reason(index) if removed else "",
        )
