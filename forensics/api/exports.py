"""Write what was found: ids, a cleaned data set, a repaired model, a report.

The user's own files are never changed. The imports stand inside: each export needs others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from forensics.api.cases import CaseLike, open_case
from forensics.api.finished import FinishedRun

By = Literal["scan", "decisions"]
Unsure = Literal["keep", "drop"]
RunLike = FinishedRun | str | None
"""A run, its id, or ``None`` for the newest that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an export wrote.

    Attributes:
        path: The file or folder.
        facts: What ``--json`` prints: counts, verdict, hashes.
    """

    path: Path
    facts: Mapping[str, Any]


def export_ids(
    case: CaseLike,
    to: Path | str,
    *,
    run: RunLike = None,
    which: Literal["kept", "flagged", "all"] = "kept",
    use_flags: bool = False,
    cut: float | None = None,
    by: By = "scan",
    unsure: Unsure = "keep",
    overwrite: bool = False,
) -> Written:
    """Write the ids of kept, flagged or all samples as ``.csv``, ``.jsonl`` or ``.parquet``.

    Args:
        case: The case, or its folder.
        to: New file; its suffix chooses the format.
        run: A scan that flags samples.
        which: Which ids.
        use_flags: Leave flagged samples out although the verdict is not ``suspicious``.
        cut: A score cut set by hand instead of the rule's own.
        by: Whose flags count: the scan's, or the ``decisions`` of people in the review; for these
            ``run``, ``use_flags`` and ``cut`` mean nothing.
        unsure: By decisions: ``keep`` or ``drop`` what people are unsure or disagree about.
        overwrite: Replace a file that is there.

    Raises:
        CaseError: There is no such run.
        OptionError: ``which`` or ``cut`` is none.
        DataError: The file is in the way, or cannot be written.
    """
    if by == "decisions":
        from forensics.export.decided import export_decided_ids

        return _written(
            export_decided_ids(
                open_case(case), Path(to), which=which, unsure=unsure, overwrite=overwrite
            )
        )
    from forensics.export.scan import export_scan_ids

    return _written(
        export_scan_ids(
            open_case(case), Path(to), run_id=_id(run), which=which, use_flags=use_flags, cut=cut,
            overwrite=overwrite,
        )
    )  # fmt: skip


def export_dataset(
    case: CaseLike,
    to: Path | str,
    *,
    run: RunLike = None,
    images: Literal["copy", "none"] = "copy",
    use_flags: bool = False,
    cut: float | None = None,
    by: By = "scan",
    unsure: Unsure = "keep",
    overwrite: bool = False,
) -> Written:
    """Write the data set without the flagged samples, in its own format.

    Args:
        case: The case, or its folder.
        to: New file or folder, as the original is one.
        run: A scan that flags samples.
        images: Whether pictures are copied beside a file.
        use_flags: Leave flagged samples out although the verdict is not ``suspicious``.
        cut: A score cut set by hand instead of the rule's own.
        by: Whose flags count: the scan's, or the ``decisions`` of people in the review; for these
            ``run``, ``use_flags`` and ``cut`` mean nothing.
        unsure: By decisions: ``keep`` or ``drop`` what people are unsure or disagree about.
        overwrite: Replace a file that is there.

    Raises:
        CaseError: There is no such run.
        DataError: The data set is gone, or the export cannot be written.
    """
    if by == "decisions":
        from forensics.export.decided import export_decided_dataset

        return _written(
            export_decided_dataset(
                open_case(case), Path(to), images=images, unsure=unsure, overwrite=overwrite
            )
        )
    from forensics.export.scan import export_scan_dataset

    return _written(
        export_scan_dataset(
            open_case(case), Path(to), run_id=_id(run), images=images, use_flags=use_flags,
            cut=cut, overwrite=overwrite,
        )
    )  # fmt: skip


def export_checkpoint(
    case: CaseLike, to: Path | str, *, run: RunLike = None, overwrite: bool = False
) -> Written:
    """Write what a repair made, and beside it where it comes from.

    Raises:
        CaseError: There is no such run.
        DataError: The file is in the way, or cannot be written.
    """
    from forensics.export import checkpoint

    opened = open_case(case)
    return _written(
        checkpoint.export_checkpoint(opened, Path(to), run_id=_id(run), overwrite=overwrite)
    )


def export_report(
    case: CaseLike, to: Path | str, *, reveal: bool = False, overwrite: bool = False
) -> Written:
    """Write what the finished runs say as one HTML page, and as JSON beside it.

    Args:
        case: The case, or its folder.
        to: New file, ``.html``.
        reveal: Whether ground truth may be read and told.
        overwrite: Replace files that are there.

    Raises:
        OptionError: The name does not end in ``.html``.
        DataError: A file is in the way, or cannot be written.
    """
    from forensics.export import report

    return _written(
        report.export_report(open_case(case), Path(to), reveal=reveal, overwrite=overwrite)
    )


def _id(run: RunLike) -> str | None:
    return run.id if isinstance(run, FinishedRun) else run


def _written(facts: Mapping[str, Any]) -> Written:
    return Written(path=Path(facts["path"]), facts=facts)
