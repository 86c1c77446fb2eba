"""Check single cells of a row: text, ids, and what else a file may hold in their place."""

from forensics.data.records import BadRow, is_empty, shown

MAX_ID_CHARACTERS = 1024
MAX_TEXT_CHARACTERS = 1_000_000
_KINDS = {dict: "an object", list: "a list", bytes: "bytes", bool: "true or false"}


def as_text(value: object, name: str) -> str | None:
    """Return a cell as text; ``None`` for null and NaN, numbers written out.

    Raises:
        BadRow: The cell is a list, an object or bytes, too long, or not valid Unicode text.
    """
    if isinstance(value, str):
        return clean_text(value, name)
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise BadRow(f"the {name} is {kind_of(value)}, not text")


def own_id(value: object) -> str | None:
    """Return the id that a row gives itself; ``None`` where the cell is empty.

    Raises:
        BadRow: It is neither text nor a whole number, too long, or holds control characters.
    """
    if is_empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a whole-number column with gaps arrives as floats
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRow(f"the id is {kind_of(value)}, not text or a whole number")
    text = clean_text(str(value), "id")
    if len(text) > MAX_ID_CHARACTERS:
        raise BadRow(f"the id {shown(text)} is longer than {MAX_ID_CHARACTERS} characters")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise BadRow(f"the id {shown(text)} holds control characters")
    return text


def clean_text(text: str, name: str) -> str:
    """Return text that can be stored and written anywhere.

    Raises:
        BadRow: It is too long, holds a NUL, or is not valid Unicode.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise BadRow(f"the {name} is longer than {MAX_TEXT_CHARACTERS:,} characters")
    if "\0" in text:
        raise BadRow(f"the {name} holds a NUL character: {shown(text)}", "Remove it.")
    # Bytes that are not UTF-8, and halves of surrogate pairs, cannot be written anywhere else.
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRow(f"the {name} is not valid UTF-8: {shown(text)}", "Save the file as UTF-8.")
    return text


def kind_of(value: object) -> str:
    """Return what a value is, in words."""
    return _KINDS.get(type(value), f"a {type(value).__name__}")
