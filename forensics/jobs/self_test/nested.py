"""A case inside the run: the planted copy is examined by the very jobs that examine a case."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from forensics.case import Case
from forensics.case.creation import Order, create_folder
from forensics.jobs.bar import Told
from forensics.options import build_options, options_to_dict
from forensics.registry import find_method, load_object
from forensics.runs import Run, RunContext, State
from forensics.runs.context import QuietContext
from forensics.runs.durable import read_json, write_json
from forensics.worker.models import ModelCache

INNER: Final = "case"
Result = dict[str, Any]


def inner_case(folder: Path, order: Callable[[Path], Order]) -> Case:
    """Open the case inside a run, or make it; half of one that a kill left is made anew.

    It is a case like any other, so that ``forensics app --case`` shows what a method saw.

    Args:
        folder: Of the run.
        order: Called with the folder of the inner case; says what it examines.
    """
    place = folder / INNER
    if not (place / "case.json").is_file() or (place / ".unfinished").exists():
        shutil.rmtree(place, ignore_errors=True)
        create_folder(place, order(place))
    return Case.open(place)


def take_over(source: Path, target: Path) -> None:
    """Bring a folder into the inner case without a second copy of its bytes, where links exist."""
    shutil.copytree(source, target, copy_function=_link)


def perform(
    case: Case, method: str, values: Mapping[str, Any], context: RunContext, told: Told,
    models: ModelCache,
) -> tuple[Run, Result]:  # fmt: skip
    """Run a method on the inner case, or return what it found in an earlier attempt.

    Args:
        case: The inner case.
        method: Registry name.
        values: Its options; the others are the defaults.
        context: Of the self-test: it is cancelled and watched, not the inner run.
        told: Gets the method's own progress.
        models: Where models come from.

    Raises:
        Cancelled: The user asked to stop; what the method had finished is kept.
    """
    spec = find_method(method)
    options = options_to_dict(build_options(load_object(spec.options), values))
    run = next((one for one in case.runs(method) if one.options == options), None)
    if run is None:
        run = case.new_run(method, options)
    if run.status().state is State.FINISHED:
        return run, run.result()
    with run.hold():
        inner = _Inner(run.folder, context, told)
        result: Result = load_object(spec.job)(case, inner, run.options, models)
        inner.save_result(result)
        status = run.status()
        if status.state is State.QUEUED:
            status = status.to(State.RUNNING)
        run.write_status(status.to(State.FINISHED))
    return run, run.result()


def same_options(case: Case, method: str, run: Run | None) -> dict[str, Any]:
    """Return how the case itself is examined: as by its latest scan, else as it suggests."""
    spec = find_method(method)
    return dict(run.options) if run else case.suggested(method, load_object(spec.options))


class _Inner(QuietContext):
    """The context of a method inside: files of its own, progress and cancelling of the outer."""

    def __init__(self, folder: Path, outer: RunContext, told: Told) -> None:
        super().__init__(folder)
        self._outer, self._told = outer, told

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report to the bar of the self-test, which is a yield point too."""
        self._told(done, total, message)

    def event(self, kind: str, **fields: Any) -> None:
        """Append to the events of the self-test."""
        self._outer.event(kind, inner=self.folder.name, **fields)

    def check_cancelled(self) -> None:
        """Stop the method when the self-test is stopped."""
        self._outer.check_cancelled()


def kept(folder: Path, name: str, make: Callable[[], Result]) -> Result:
    """Return what a part of the run left, or do it now and keep it.

    Args:
        folder: Of the run.
        name: File name.
        make: Does it.
    """
    path = folder / name
    if not path.is_file():
        write_json(path, make())
    return read_json(path)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
