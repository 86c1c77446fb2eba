"""Take conversations apart: who speaks, what is said, and how many images each question shows.

Both spellings are read: ``from``/``value`` (LLaVA) and ``role``/``content`` (chat templates), whose
content may be a list of text and image parts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.data.records import BadRow, shown

IMAGE_TAG = "<image>"
MAX_TURNS = 100
MAX_CONVERSATION_CHARACTERS = 1_000_000
_HUMAN = ("human", "user")
_ASSISTANT = ("gpt", "assistant")
_ONLY_TEXT = "Only text and images can be scanned."


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question and its answer.

    Attributes:
        question: What is asked, with image tags.
        answer: What is answered.
    """

    question: str
    answer: str


def read_turns(value: object) -> list[object]:
    """Return the turns of a conversation cell: a list, lists side by side, or either as JSON text.

    Raises:
        BadRow: The cell holds no turns.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise BadRow("the record has no conversations, but text that is not JSON") from None
    if isinstance(value, dict):
        value = _transposed(value)
    if not isinstance(value, list) or not value:
        raise BadRow(
            "the record has no conversations",
            "Expected a list with 'from' and 'value', or 'role' and 'content'.",
        )
    return value


def first_exchange(turns: Sequence[object]) -> tuple[list[Exchange], list[str]]:
    """Return the first human with the first gpt turn, and the questions of the turns after them.

    What follows is not checked: a conversation that breaks off later is still good for its start.

    Raises:
        BadRow: One of the two is missing or has no text.
    """
    exchange = Exchange(question=_first(turns, _HUMAN), answer=_first(turns, _ASSISTANT))
    asked = [turn for turn in turns if _speaker(turn) in _HUMAN]
    return [exchange], [_said(turn) or "" for turn in asked[1:]]


def all_exchanges(turns: Sequence[object]) -> list[Exchange]:
    """Return every question with its answer; a system turn at the start is passed over.

    Raises:
        BadRow: Human and gpt turns do not alternate, a turn has no text, or there is too much.
    """
    found: list[Exchange] = []
    asked: str | None = None
    first_exchange(turns)  # says what is missing where there is no whole exchange at all
    for number, turn in enumerate(turns, start=1):
        speaker = _speaker(turn)
        if speaker == "system" and not found and asked is None:
            continue
        if speaker not in (_HUMAN if asked is None else _ASSISTANT):
            raise BadRow(
                f"entry {number} of the conversation is out of order: {shown(speaker)}",
                "Human and gpt turns must alternate.",
            )
        text = _text(turn, f"entry {number} of the conversation")
        if asked is None:
            asked = text
        else:
            found.append(Exchange(question=asked, answer=text))
            asked = None
    if asked is not None:
        raise BadRow("the conversation ends with a question", "Remove its last turn.")
    _check_size(found)
    return found


def _check_size(found: list[Exchange]) -> None:
    # Every turn is stored with all before it, so that the cost grows with the square.
    if len(found) > MAX_TURNS:
        raise BadRow(f"the conversation has {len(found):,} turns, over the limit of {MAX_TURNS}")
    if sum(len(e.question) + len(e.answer) for e in found) > MAX_CONVERSATION_CHARACTERS:
        raise BadRow(f"the conversation is longer than {MAX_CONVERSATION_CHARACTERS:,} characters")


def _transposed(columns: dict[str, object]) -> object:
    """Return lists side by side (how some tables store a list of objects) as a list of objects."""
    lists = [column for column in columns.values() if isinstance(column, list)]
    if not lists or len(lists) < len(columns) or len({len(column) for column in lists}) != 1:
        return None
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*lists, strict=True)]


def _speaker(turn: object) -> object:
    if not isinstance(turn, dict):
        return None
    return turn.get("from") or turn.get("role")


def _first(turns: Sequence[object], speakers: tuple[str, ...]) -> str:
    for turn in turns:
        if _speaker(turn) in speakers:
            return _text(turn, f"the first {speakers[0]} turn")
    raise BadRow(f"the conversation has no {speakers[0]} turn")


def _text(turn: object, name: str) -> str:
    said = _said(turn)
    if said is None:
        raise BadRow(f"{name} has no text in 'value' or 'content'")
    return said


def _said(turn: object) -> str | None:
    """Return what a turn says, an image tag in place of every image part."""
    if not isinstance(turn, dict):
        return None
    content = turn.get("value")
    if content is None:
        content = turn.get("content")
    if isinstance(content, list):
        return "".join(_part(part) for part in content)
    return content if isinstance(content, str) else None


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(part, dict) and kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    if kind in ("image", "image_url"):
        return IMAGE_TAG
    raise BadRow(f"a part of the conversation is of type {shown(kind)}", _ONLY_TEXT)
