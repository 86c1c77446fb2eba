"""Which column of a table holds what: by its usual name, or as the user says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from forensics.data.records import shown
from forensics.errors import DataError

# In order of preference; compared without regard to case.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "image": (
        *("image", "images", "image_path", "img", "img_path", "image_file", "image_filename"),
        *("file_name", "filename", "file_path", "filepath", "path", "file"),
    ),
    "id": ("id", "sample_id", "uid", "uuid", "key"),
    "conversations": ("conversations", "messages", "conversation"),
    "question": ("question", "query", "prompt", "instruction"),
    "answer": ("answer", "caption", "response", "output", "text"),
    "label": ("label", "class", "class_name", "category", "labels"),
    "poisoned": ("poisoned", "is_poisoned"),
}
_SHOWN_COLUMNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """Name the columns of a table; a field left at ``None`` is found by its usual name.

    Attributes:
        image: Column with the image path, or with the image itself (Parquet, Arrow); a list where
            a row has several.
        id: Column with the row's own id.
        conversations: Column with turns, ``from``/``value`` or ``role``/``content``; stands in
            for question and answer where there is no column with a question.
        question: Column with what the model is asked.
        answer: Column with what the model is taught to say; captions count as answers.
        label: Column with the class label.
        poisoned: Column with the ground truth, true or false; only used for scoring.
    """

    image: str | None = None
    id: str | None = None
    conversations: str | None = None
    question: str | None = None
    answer: str | None = None
    label: str | None = None
    poisoned: str | None = None


def find_columns(columns: Sequence[str], wanted: FieldMap | None, source: str) -> dict[str, str]:
    """Return field -> column for every field that the table has.

    Args:
        columns: The column names of the table.
        wanted: Columns that the user named.
        source: File name for messages.

    Raises:
        DataError: A named column is missing, a column that is needed stands there twice, or there
            is no image column.
    """
    found: dict[str, str] = {}
    for field in fields(FieldMap):
        column = getattr(wanted, field.name) if wanted else None
        if column is None:
            column = _usual_column(field.name, columns)
        elif column not in columns:
            raise DataError(
                f"{source} has no column {shown(column)} for '{field.name}'.",
                remedy=_listing(columns),
            )
        if column is not None:
            found[field.name] = column
    given = wanted.conversations if wanted else None
    if given is None and "question" in found:
        found.pop("conversations", None)
    for column in found.values():
        if columns.count(column) > 1:
            raise DataError(
                f"{source} has the column {shown(column)} twice.", remedy="Rename one of them."
            )
    if "image" not in found:
        raise DataError(
            f"{source} has no image column.",
            remedy=f"Call it 'image' or name it in the field map. {_listing(columns)}",
        )
    return found


def _usual_column(field: str, columns: Sequence[str]) -> str | None:
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in USUAL_NAMES[field] if name in by_name), None)


def _listing(columns: Sequence[str]) -> str:
    names = ", ".join(shown(column) for column in columns[:_SHOWN_COLUMNS])
    return f"Its columns: {names}{', ...' if len(columns) > _SHOWN_COLUMNS else ''}."
