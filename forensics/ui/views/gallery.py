"""Pages of samples: in the gallery, and in the preview of a case."""

from collections.abc import Sequence
from typing import Any

from forensics.data.sample import RowError, Sample

LONGEST = 200  # characters of a text that a tile may carry


def gallery_page(
    samples: Sequence[Sample], rows: Sequence[int], addresses: Sequence[str | None]
) -> list[dict[str, Any]]:
    """Return tiles in the order given.

    Args:
        samples: From the catalogue.
        rows: Their catalogue rows.
        addresses: Where their pictures are served; ``None`` for a sample without one.
    """
    return [
        {
            "row": row,
            "id": short(sample.id),
            "answer": short(sample.answer),
            "question": short(sample.question),
            "picture": address,
        }
        for sample, row, address in zip(samples, rows, addresses, strict=True)
    ]


def error_rows(errors: Sequence[RowError]) -> list[dict[str, Any]]:
    """Return rows that cannot be used, for a table."""
    return [
        {
            "source": error.source.rpartition("/")[2],
            "line": error.line,
            "id": short(error.id),
            "reason": error.reason,
            "remedy": error.remedy,
        }
        for error in errors
    ]


def short(text: str | None) -> str | None:
    """Return text cut to what a tile can show."""
    return text if text is None or len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
