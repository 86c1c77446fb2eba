"""Turn the unchecked cells of a row into a sample, or into the reason why not."""

from pathlib import Path

from forensics.data.locate import ImageLocator
from forensics.data.records import BadRow, Draft, Record, is_empty, shown
from forensics.data.sample import ImageRef, RowError, Sample

IMAGE_TAG = "<image>"
MAX_ID_CHARACTERS = 1024
MAX_TEXT_CHARACTERS = 1_000_000
_KINDS = {dict: "an object", list: "a list", bytes: "bytes", bool: "true or false"}


class Assembler:
    """Check the rows of one file one after the other; remembers the ids it has seen.

    Args:
        source: File name that samples and errors carry.
        stem: Start of the ids of rows that have none of their own.
        root: Folder that every image stays under.
    """

    def __init__(self, source: str, stem: str, root: Path) -> None:
        self._source = source
        self._stem = stem
        self._locator = ImageLocator(root)
        self._first_lines: dict[str, int] = {}

    def record(self, draft: Draft) -> Record:
        """Return the checked row; whatever is wrong with it becomes a row error."""
        poisoned = draft.cells.get("poisoned")
        return Record(item=self._item(draft), raw=draft.raw, poisoned=poisoned)

    def _item(self, draft: Draft) -> Sample | RowError:
        own_id: str | None = None
        try:
            own_id = _own_id(draft.cells.get("id"))
            sample_id = self._claim(own_id or f"{self._stem}-{draft.row}", draft.line)
            if draft.problem is not None:
                raise draft.problem
            return self._sample(draft, sample_id)
        except BadRow as bad:
            return RowError(
                source=self._source,
                line=draft.line,
                reason=bad.reason,
                remedy=bad.remedy,
                id=own_id,
            )

    def _claim(self, sample_id: str, line: int) -> str:
        if sample_id in self._first_lines:
            first = self._first_lines[sample_id]
            raise BadRow(
                f"duplicate id {shown(sample_id)}, first on line {first}", "Give each row its own."
            )
        self._first_lines[sample_id] = line
        return sample_id

    def _sample(self, draft: Draft, sample_id: str) -> Sample:
        cells = draft.cells
        question = as_text(cells.get("question"), "question") or ""
        return Sample(
            id=sample_id,
            question=question.replace(IMAGE_TAG, "").strip(),
            answer=as_text(cells.get("answer"), "answer"),
            image=self._image(cells.get("image")),
            label=as_text(cells.get("label"), "label"),
            source=self._source,
            line=draft.line,
        )

    def _image(self, value: object) -> ImageRef:
        if isinstance(value, BadRow):
            raise value
        if isinstance(value, ImageRef):
            return value
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list) and value:
            raise BadRow(f"{len(value)} images in one row", "Only one image a row can be scanned.")
        if is_empty(value) or value == []:
            raise BadRow("the row has no image", "Text-only rows cannot be scanned.")
        if not isinstance(value, str):
            raise BadRow(f"the image path is {_kind(value)}, not text")
        return self._locator.locate(_clean(value, "image path"))


def as_text(value: object, name: str) -> str | None:
    """Return a cell as text; ``None`` for null and NaN, numbers written out.

    Raises:
        BadRow: The cell is a list, an object or bytes, too long, or not valid Unicode text.
    """
    if isinstance(value, str):
        return _clean(value, name)
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise BadRow(f"the {name} is {_kind(value)}, not text")


def _own_id(value: object) -> str | None:
    if is_empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a whole-number column with gaps arrives as floats
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRow(f"the id is {_kind(value)}, not text or a whole number")
    text = _clean(str(value), "id")
    if len(text) > MAX_ID_CHARACTERS:
        raise BadRow(f"the id {shown(text)} is longer than {MAX_ID_CHARACTERS} characters")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise BadRow(f"the id {shown(text)} holds control characters")
    return text


def _clean(text: str, name: str) -> str:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise BadRow(f"the {name} is longer than {MAX_TEXT_CHARACTERS:,} characters")
    if "\0" in text:
        raise BadRow(f"the {name} holds a NUL character: {shown(text)}", "Remove it.")
    # Bytes that are not UTF-8, and halves of surrogate pairs, cannot be written anywhere else.
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRow(f"the {name} is not valid UTF-8: {shown(text)}", "Save the file as UTF-8.")
    return text


def _kind(value: object) -> str:
    return _KINDS.get(type(value), f"a {type(value).__name__}")
