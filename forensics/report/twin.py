"""The JSON twin: the same facts for machines."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

from forensics.report.blocks import Picture
from forensics.report.facts import Report
from forensics.runs.plain import plain


def twin(report: Report) -> dict[str, Any]:
    """Return the facts as plain values; a picture becomes its hash, media type and size.

    Args:
        report: The facts.

    Returns:
        See ``docs/report.md``; ``schema`` names the format.
    """
    found: dict[str, Any] = _plain(report)
    return found


def twin_text(report: Report) -> str:
    """Write the twin as JSON text."""
    return json.dumps(twin(report), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Picture):
        return {"sha256": value.sha256, "media": value.media, "width": value.width,
                "height": value.height}  # fmt: skip
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return plain(value)
