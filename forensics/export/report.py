"""Write the report of a case: one HTML file, and its JSON twin beside it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.errors import OptionError
from forensics.export.atomic import refuse_existing, whole_file
from forensics.report.gather import gather
from forensics.report.page import page
from forensics.report.twin import twin_text

SUFFIXES = (".html", ".htm")


def export_report(
    case: Case,
    to: Path,
    *,
    reveal: bool = False,
    overwrite: bool = False,
    generated: datetime | None = None,
) -> dict[str, Any]:
    """Write the report.

    Args:
        case: The case; only its folder is read.
        to: New file, ``.html``; the twin has the same name and ``.json``.
        reveal: Whether ground truth may be read and told.
        overwrite: Replace files that are there.
        generated: When, with a time zone; now by default.

    Returns:
        ``path``, ``json``, ``bytes`` (of the page), ``verdict``, ``headline``, ``runs`` (how many
        are told of), ``revealed``.

    Raises:
        OptionError: The name does not end in ``.html``.
        DataError: A file is in the way, or cannot be written.
    """
    if to.suffix.lower() not in SUFFIXES:
        raise OptionError(f"{to.name!r} should end in .html.", remedy="For instance: report.html")
    beside = to.with_suffix(".json")
    for place in (to, beside):
        refuse_existing(place, overwrite=overwrite)
    report = gather(case, generated=generated or datetime.now(UTC), reveal=reveal)
    written = {to: page(report), beside: twin_text(report)}
    for place, text in written.items():
        with whole_file(place, overwrite=overwrite) as partial:
            # Half of a surrogate pair, which JSON can spell, has no form in UTF-8.
            partial.write_bytes(text.encode("utf-8", "replace"))
    outcome: dict[str, Any] = {
        "path": str(to),
        "json": str(beside),
        "bytes": to.stat().st_size,
        "verdict": report.conclusion.verdict,
        "headline": report.conclusion.headline,
        "runs": len(report.runs),
        "revealed": reveal,
    }
    case.journal.record("export report", **outcome)
    return outcome
