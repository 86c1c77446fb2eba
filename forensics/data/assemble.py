"""Turn the unchecked cells of a row into a sample, or into the reason why not."""

from pathlib import Path

from forensics.data.cells import as_text, clean_text, kind_of, own_id
from forensics.data.locate import ImageLocator
from forensics.data.records import BadRow, Draft, Record, Turns, is_empty, shown
from forensics.data.sample import ImageRef, RowError, Sample, turn_suffix
from forensics.data.turns import Turn, split_turns

MAX_IMAGES = 64


class Assembler:
    """Check the rows of one file one after the other; remembers the ids it has seen.

    Args:
        source: File name that samples and errors carry.
        stem: Start of the ids of rows that have none of their own.
        root: Folder that every image stays under.
        turns: Which turns of a conversation become samples.
    """

    def __init__(self, source: str, stem: str, root: Path, turns: Turns = "first") -> None:
        self._source = source
        self._stem = stem
        self._turns = turns
        self._locator = ImageLocator(root)
        self._first_lines: dict[str, int] = {}

    def records(self, draft: Draft) -> list[Record]:
        """Return the checked row, turn by turn; whatever is wrong with it becomes a row error."""
        own: str | None = None
        try:
            own = own_id(draft.cells.get("id"))
            row_id = self._claim(own or f"{self._stem}-{draft.row}", draft.line)
            if draft.problem is not None:
                raise draft.problem
            return self._samples(draft, row_id)
        except BadRow as bad:
            error = RowError(
                source=draft.source or self._source,
                line=draft.line,
                reason=bad.reason,
                remedy=bad.remedy,
                id=own,
            )
            return [Record(item=error, raw=draft.raw, row=draft.row)]

    def _claim(self, sample_id: str, line: int) -> str:
        if sample_id in self._first_lines:
            first = self._first_lines[sample_id]
            raise BadRow(
                f"duplicate id {shown(sample_id)}, first on line {first}", "Give each row its own."
            )
        self._first_lines[sample_id] = line
        return sample_id

    def _samples(self, draft: Draft, row_id: str) -> list[Record]:
        cells = draft.cells
        images = self._images(cells.get("image"))
        label = as_text(cells.get("label"), "label")
        turns, unread = split_turns(cells, len(images), self._turns)
        # Before a sample is made: half a conversation would be worse than none.
        ids = [row_id] + [
            self._claim(row_id + turn_suffix(number), draft.line)
            for number in range(2, len(turns) + 1)
        ]
        return [
            Record(
                item=self._sample(draft, turn_id, turn, images, label),
                raw=draft.raw,
                row=draft.row,
                poisoned=cells.get("poisoned"),
                unread_turns=unread,
                images=tuple(images),
            )
            for turn_id, turn in zip(ids, turns, strict=True)
        ]

    def _sample(
        self, draft: Draft, turn_id: str, turn: Turn, images: list[ImageRef], label: str | None
    ) -> Sample:
        return Sample(
            id=turn_id,
            question=turn.question,
            answer=turn.answer,
            image=images[0],
            more_images=tuple(images[1 : turn.images]),
            history=turn.history,
            label=label,
            source=draft.source or self._source,
            line=draft.line,
        )

    def _images(self, value: object) -> list[ImageRef]:
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_IMAGES:
            raise BadRow(f"{len(values):,} images in one row, over the limit of {MAX_IMAGES}")
        if not values or all(is_empty(part) for part in values):
            raise BadRow("the row has no image", "Text-only rows cannot be scanned.")
        return [self._image(part) for part in values]

    def _image(self, value: object) -> ImageRef:
        if isinstance(value, BadRow):
            raise value
        if isinstance(value, ImageRef):
            return value
        if not isinstance(value, str):
            raise BadRow(f"the image path is {kind_of(value)}, not text")
        return self._locator.locate(clean_text(value, "image path"))
