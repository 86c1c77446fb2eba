"""What the forms do: open or make a case, start a scan. Each returns a message for the page."""

import itertools
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.data.records import Turns
from forensics.errors import CaseError, ForensicsError, InputError
from forensics.options import OptionField, describe_options
from forensics.registry import find_method, load_object
from forensics.settings import check_place
from forensics.ui.context import Context
from forensics.ui.starting import start_method
from forensics.ui.views.methods import BASE

_versions = itertools.count(1)

Message = dict[str, Any]


def open_folder(context: Context, folder: str) -> Message:
    """Open an existing case folder."""
    try:
        place = Path(_given(folder, "the case folder")).expanduser()
        check_place(place, "The case")
        return _opened(context, place)
    except ForensicsError as error:
        return failure(error)


def create_case(
    context: Context,
    title: str,
    model: str,
    data: str,
    base: str,
    report: Any = None,
    turns: Turns = "first",
) -> Message:
    """Make a case of the user's own model and data, and open it."""
    try:
        name = title.strip() or Path(_given(data, "the data")).stem
        folder = context.workspace.new_folder(name)
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        case = Case.create(
            folder, model=_given(model, "the model"), data=_given(data, "the data"),
            base=base.strip() or None, title=name, turns=turns,
            report=report,
        )  # fmt: skip
        return _opened(context, case.folder)
    except ForensicsError as error:
        return failure(error)


def start_from_form(context: Context, name: str, method: str, values: dict[str, Any]) -> Message:
    """Put a run of a method on the open case into the worker's queue."""
    try:
        if not name:
            raise CaseError("No case is open.", remedy="Open a demo or your own case first.")
        # A field left as it was is no wish: what the case suggests goes before the default.
        left = {field.name: field.default for field in _fields(method)}
        wishes = {key: value for key, value in values.items() if value != left.get(key)}
        run = start_method(context.case(name), method, wishes)
        return _message(case=name, started=run.id, method=method)
    except ForensicsError as error:
        return failure(error)


def _fields(method: str) -> tuple[OptionField, ...]:
    return describe_options(load_object(find_method(method).options))


def failure(error: ForensicsError) -> Message:
    """Return an error as the page shows it."""
    return _message(error=error.message, remedy=error.remedy)


def _opened(context: Context, folder: Path) -> Message:
    name = context.workspace.enter(folder)
    runs = context.case(name).runs(BASE)
    return _message(case=name, run=runs[0].id if runs else None, tab="case")


def _given(text: str, what: str) -> str:
    if not text.strip():
        raise InputError(f"Please say where {what} is.")
    return text.strip()


def _message(**fields: Any) -> Message:
    # The number makes two equal messages in a row two events for the page.
    return {"version": next(_versions), **fields}
