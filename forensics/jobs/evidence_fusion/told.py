"""What a panel shows of one finished evidence-fusion run: pure functions of its ``result.json``.

Nothing is decided here. Channels come in the order in which the verdict lists them. Answers are
text of the data set, cut to a length.
"""

from typing import Any, Final

from forensics.runs.plain import plain

CHANNEL_TITLES: Final = {
    "entropy": "Entropy of attention",
    "allocation": "Split of attention",
    "state": "Embedding before the answer",
    "picture": "Embedding of the picture",
    "occlusion": "Masked views",
    "variety": "Variety of the pictures",
}
STATES: Final = {
    "spoke": "stands apart",
    "silent": "does not stand apart",
    "off": "switched off",
    "absent": "not measured",
}
OUTCOMES: Final = {
    "accepted": "flagged",
    "one-kind-of-picture": "stands apart, but one kind of picture may be the cause",
    "variety-unknown": "stands apart, but what its pictures show is unknown",
    "rejected": "not flagged",
}
LONGEST: Final = 120  # characters of an answer


def fusion_view(result: dict[str, Any]) -> dict[str, Any]:
    """Return the summary that the panel starts from.

    Args:
        result: ``result.json`` of the run.

    Returns:
        ``verdict``, ``reason``, ``sentence``, ``not_covered``; ``n``, ``flagged``, ``arrays_run``;
        ``accepted_answer`` (``None`` if no group is accepted); ``leading_answer`` (whose group the
        channels are about; ``None`` if no answer is out of place); ``channels``
        (:func:`channel_rows`); ``candidates`` (:func:`candidate_rows`); ``drop_one``
        (:func:`drop_one_rows`); ``variety`` (:func:`variety_rows`); ``histogram`` (``edges``,
        ``flagged``, ``kept``; ``None`` without an accepted group).
    """
    names = ("verdict", "reason", "sentence", "not_covered", "n", "flagged", "arrays_run",
             "histogram")  # fmt: skip
    found: dict[str, Any] = plain(
        {name: result.get(name) for name in names}
        | {
            "accepted_answer": _cut(result["accepted_answer"]),
            "leading_answer": _cut(result["evidence"]["leading_answer"]),
            "channels": channel_rows(result),
            "candidates": candidate_rows(result),
            "drop_one": drop_one_rows(result),
            "variety": variety_rows(result),
        }
    )
    return found


def channel_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per channel; none for the answer's concentration, which is no evidence.

    Returns:
        ``channel``, ``title``, ``state``, ``says`` (the state in words), and where measured
        ``separation`` (deviations), ``natural_median``, ``natural_highest`` (of natural groups of
        this set), ``rank`` (0..1 among natural groups of clean sets), ``bar`` (separation over the
        larger of it and the natural highest, 0..1, to draw) and ``mark`` (the natural highest on
        the same scale).
    """
    rows = result["evidence"]["channels"]
    return [_channel(row) for row in rows if row["channel"] in CHANNEL_TITLES]


def _channel(row: dict[str, Any]) -> dict[str, Any]:
    own, natural = row.get("separation"), row.get("natural_highest")
    bar = mark = None
    if own is not None and natural is not None and max(own, natural) > 0:
        bar, mark = own / max(own, natural), natural / max(own, natural)
    return {
        **row,
        "title": CHANNEL_TITLES[row["channel"]],
        "says": row.get("why") or STATES[row["state"]],
        "bar": bar,
        "mark": mark,
    }


def candidate_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per answer out of place, the oddest first.

    Returns:
        ``answer``, ``count``, ``out_of_place``, ``kinds_of_question``, ``share`` and
        ``ordinary_share``, ``p_natural``, ``p_permutation``, ``varied`` (``None`` if unknown),
        ``accepted``, ``outcome`` (in words).
    """
    names = ("count", "out_of_place", "kinds_of_question", "share", "ordinary_share",
             "p_natural", "p_permutation", "accepted")  # fmt: skip
    return [
        {name: row[name] for name in names}
        | {
            "answer": _cut(row["answer"]),
            "varied": _varied(row["variety"]),
            "outcome": OUTCOMES[row["outcome"]],
        }
        for row in result["evidence"]["candidates"]
    ]


def _varied(variety: dict[str, Any] | None) -> bool | None:
    return not variety["missing"] if variety is not None and variety["known"] else None


def drop_one_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what would be flagged without each channel.

    Returns:
        ``without``, ``title``, ``flagged``, ``answer``, ``changes`` (whether that differs from the
        decision).
    """
    decided = (result["flagged"], result["accepted_answer"])
    return [
        {
            **row,
            "answer": _cut(row["answer"]),
            "title": CHANNEL_TITLES[row["without"]],
            "changes": (row["flagged"], row["answer"]) != decided,
        }
        for row in result["drop_one"]
    ]


def variety_rows(result: dict[str, Any], shown: int = 6) -> list[dict[str, Any]]:
    """Return the words in which the pictures of the leading answer vary least.

    Returns:
        ``word`` and ``ratio`` (variance among its pictures over that among others; 1 = as varied),
        at most ``shown``; empty where nothing is known.
    """
    leading = result["evidence"]["leading_answer"]
    for row in result["evidence"]["candidates"]:
        if row["answer"] == leading and row["variety"] is not None:
            words: list[dict[str, Any]] = row["variety"]["words"]
            return [{**one, "word": _cut(one["word"])} for one in words[:shown]]
    return []


def _cut(answer: str | None) -> str | None:
    if answer is None or len(answer) <= LONGEST:
        return answer
    return answer[: LONGEST - 1].rstrip() + "…"
