"""Split a row into turns: what each asks, what came before it, and how many images it has seen."""

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.data.cells import as_text, clean_text
from forensics.data.conversation import IMAGE_TAG, all_exchanges, first_exchange, read_turns
from forensics.data.records import BadRow, Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a row.

    Attributes:
        question: What is asked, image tags removed.
        answer: What is answered; ``None`` where the row has none.
        images: How many of the row's images, from the first on, have been shown by then.
        history: The turns before it, image tags removed.
    """

    question: str
    answer: str | None
    images: int
    history: tuple[tuple[str, str], ...] = ()


def split_turns(cells: Mapping[str, object], images: int, turns: Turns) -> tuple[list[Turn], int]:
    """Return the turns of a row that become samples, and how many more it has.

    A tag in the text stands for each image; a conversation about one image may leave it out, as
    LLaVA does. An image that a later turn brings belongs to that turn and those after it, though
    a model is shown all of them in the first turn.

    Args:
        cells: ``conversations``, or ``question`` and ``answer``.
        images: How many images the row has, at least 1.
        turns: Which turns to return.

    Raises:
        BadRow: A text cannot be used, or there are not as many tags as images.
    """
    if "conversations" not in cells:
        return [_plain(cells, images)], 0
    talk = read_turns(cells["conversations"])
    found, later = (all_exchanges(talk), []) if turns == "each" else first_exchange(talk)
    asked = [*(exchange.question for exchange in found), *later]
    shown = _shown([question.count(IMAGE_TAG) for question in asked], images)
    made: list[Turn] = []
    for exchange, seen in zip(found, shown, strict=False):  # later turns bring no sample
        history = [(turn.question, (turn.answer or "").replace(IMAGE_TAG, "")) for turn in made]
        question = _bare(clean_text(exchange.question, "question"))
        answer = clean_text(exchange.answer, "answer")
        made.append(Turn(question=question, answer=answer, images=seen, history=tuple(history)))
    return made, len(later)


def _plain(cells: Mapping[str, object], images: int) -> Turn:
    question = as_text(cells.get("question"), "question") or ""
    tags = question.count(IMAGE_TAG)
    if tags:  # a plain question seldom has them: the images are simply shown before it
        _shown([tags], images)
    return Turn(
        question=_bare(question), answer=as_text(cells.get("answer"), "answer"), images=images
    )


def _shown(tags: list[int], images: int) -> list[int]:
    """Return how many images have been shown by each turn."""
    if sum(tags) != images and not (images == 1 and not sum(tags)):
        raise BadRow(
            f"{images} images but {sum(tags)} {IMAGE_TAG} tags in the text",
            f"Write {IMAGE_TAG} once for each image.",
        )
    if not sum(tags):
        return [images] * len(tags)
    if not tags[0]:
        raise BadRow("the first turn shows no image", "Text-only turns cannot be scanned.")
    return [sum(tags[: number + 1]) for number in range(len(tags))]


def _bare(text: str) -> str:
    return text.replace(IMAGE_TAG, "").strip()
