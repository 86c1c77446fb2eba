"""The Review tab: the evidence in one queue, one sample with its reasons, and what people said."""

import struct
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case.standing import EFFECTIVE, UNDECIDED
from forensics.runs.plain import plain
from forensics.triage.channels import Channel
from forensics.triage.desk import SHOWN, Desk, View
from forensics.triage.reasons import channel_reason, reason_sentence
from forensics.triage.summary import Summary, summarise
from forensics.ui.views.addresses import address
from forensics.ui.views.gallery import short
from forensics.ui.views.map_colours import NOTHING

BINS: Final = 32
MAP_WORDS: Final = {"keep": "kept", "flag": "flagged", "unsure": "unsure",
                    "disagreement": "reviewers disagree", "undecided": "undecided"}  # fmt: skip
MOST_DISAGREEMENTS: Final = 500


def review_view(desk: Desk, view: View) -> dict[str, Any]:
    """Return what the tab starts from: channels, counts, and what could not be read."""
    found = desk.findings
    told = {
        "n": found.count,
        "channels": [channel_line(channel) for channel in found.channels],
        "problems": list(found.problems),
        "shown": list(SHOWN),
        "verdicts": list(EFFECTIVE),
        "counts": desk.counts(view),
        "by": view.by,
        "blind": view.blind,
    }
    plain_view: dict[str, Any] = plain(told)
    return plain_view


def channel_line(channel: Channel) -> dict[str, Any]:
    """Return a channel with the scale of its bars and a histogram behind them."""
    low, high = scale_of(channel)
    known = channel.value[np.isfinite(channel.value)]
    counts, _ = np.histogram(known.clip(low, high), BINS, (low, high)) if known.size else ((), ())
    return {
        "key": channel.key, "title": channel.title, "run": channel.run, "verdict": channel.verdict,
        "ranks_only": channel.ranks_only, "cut": channel.cut, "higher": channel.higher,
        "unit": channel.unit, "meaning": channel.meaning, "low": low, "high": high,
        "n": int(channel.rows.size), "flagged": int(channel.flagged.sum()),
        "histogram": [int(count) for count in counts],
    }  # fmt: skip


def scale_of(channel: Channel) -> tuple[float, float]:
    """Return the ends of a channel's bar: nearly all values, and the cut."""
    known = channel.value[np.isfinite(channel.value)]
    if not known.size:
        return 0.0, 1.0
    ends = np.quantile(known, (0.002, 0.998)).tolist()
    ends += [] if channel.cut is None else [channel.cut]
    low, high = float(min(ends)), float(max(ends))
    pad = 0.04 * (high - low) or 0.5
    return low - pad, high + pad


def queue_bytes(desk: Desk, view: View, rows: NDArray[np.int64]) -> bytes:
    """Pack ``n uint32 | row int32 | verdict uint8 | flags uint8``, each part with n values."""
    flags = np.minimum(desk.findings.flags[rows], 255)
    parts = (rows.astype("<i4"), desk.codes(view)[rows].astype("u1"), flags.astype("u1"))
    return struct.pack("<I", len(rows)) + b"".join(part.tobytes() for part in parts)


def map_view(desk: Desk, rows: NDArray[np.int64], view: View) -> dict[str, Any]:
    """Return what holds of each point of a map, ``codes`` and their ``legend``.

    Codes are places in ``EFFECTIVE``; 255 = undecided, drawn as nothing known.
    """
    codes = desk.codes(view)[rows].astype(np.int64)
    legend: list[dict[str, Any]] = [
        {"code": code, "label": MAP_WORDS[name], "count": int((codes == code).sum())}
        for code, name in enumerate(EFFECTIVE)
    ]
    undecided = EFFECTIVE.index(UNDECIDED)
    codes[codes == undecided] = NOTHING
    legend[undecided]["code"] = NOTHING
    return {"codes": codes.tolist(), "legend": legend}


def items_view(desk: Desk, name: str, rows: list[int]) -> list[dict[str, Any]]:
    """Return short lines for the list, in the order given."""
    samples, found = desk.case.catalog.select(rows), desk.findings
    return [
        {
            "row": row, "id": short(sample.id), "answer": short(sample.answer),
            "picture": address(name, row, sample.image is not None),
            "by": [c.key for i, c in enumerate(found.channels) if found.flagged[i, row]],
        }
        for row, sample in zip(rows, samples, strict=True)
    ]  # fmt: skip


def sample_card(desk: Desk, name: str, row: int, view: View) -> dict[str, Any]:
    """Return one sample in full: texts, reason, scores, neighbours, what people said."""
    found, sample = desk.findings, desk.case.catalog.select([row])[0]
    near, note = desk.neighbours(row)
    people = view.opinions(desk.held.opinions.get(sample.id, {}))
    told = {
        "row": row, "id": sample.id, "question": sample.question, "answer": sample.answer,
        "label": sample.label, "source": sample.source.rpartition("/")[2], "line": sample.line,
        "pictures": len(sample.images),
        "picture": address(name, row, sample.image is not None, "view"),
        "reason": reason_sentence(found, row),
        "scores": [_score(desk, i, row) for i in range(len(found.channels))],
        "heat": desk.heat(row),
        "neighbours": [_neighbour(desk, name, other, like) for other, like in near],
        "neighbours_note": note,
        "compared_by": None if desk.features is None else desk.features.title,
        "opinions": [{"by": by, **asdict(one)} for by, one in people.items()],
        "mine": asdict(people[view.by]) if view.by in people else None,
    }  # fmt: skip
    plain_card: dict[str, Any] = plain(told)
    return plain_card


def _score(desk: Desk, index: int, row: int) -> dict[str, Any]:
    found, channel = desk.findings, desk.findings.channels[index]
    place = int(found.place[index, row])
    if place < 0:
        return {"key": channel.key, "seen": False}
    value, share = float(channel.value[place]), float(channel.share[place])
    margin = None
    if channel.cut is not None and np.isfinite(value):
        margin = (value - channel.cut) * (1 if channel.higher else -1)
    return {
        "key": channel.key, "seen": True, "value": value if np.isfinite(value) else None,
        "margin": margin, "share": share if np.isfinite(share) else None,
        "flagged": bool(channel.flagged[place]), "reason": channel_reason(channel, place),
    }  # fmt: skip


def _neighbour(desk: Desk, name: str, row: int, likeness: float) -> dict[str, Any]:
    sample = desk.case.catalog.select([row])[0]
    return {
        "row": row, "id": short(sample.id), "question": short(sample.question),
        "answer": short(sample.answer), "likeness": likeness,
        "picture": address(name, row, sample.image is not None),
    }  # fmt: skip


def agreement_view(desk: Desk) -> dict[str, Any]:
    """Return who decided what, how far every two people agree, and where they do not."""
    told: Summary = summarise(desk.held, desk.findings.count)
    row_of = desk.findings.row_of
    apart = [
        {"row": row_of[name], "id": name, "said": said}
        for name, said in told.disagreements if name in row_of
    ]  # fmt: skip
    view = {
        "sentence": told.sentence, "reading": told.reading, "counts": told.counts,
        "reviewers": [asdict(one) for one in told.reviewers],
        "pairs": [
            {"first": pair.first, "second": pair.second, "sentence": pair.sentence,
             "table": pair.table, **asdict(pair.agreement)}
            for pair in told.pairs
        ],
        "disagreements": apart[:MOST_DISAGREEMENTS],
        "more": max(0, len(apart) - MOST_DISAGREEMENTS),
    }  # fmt: skip
    plain_view: dict[str, Any] = plain(view)
    return plain_view
