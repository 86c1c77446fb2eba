"""A worksheet about one case: a page to print, with or without the answers; nothing is fetched."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.pictures import encode_picture
from forensics.data.sample import Sample
from forensics.errors import CaseError, DataError, InputError
from forensics.report import words
from forensics.runs import State
from forensics.runs.durable import write_bytes
from forensics.teaching.evidence import Bars, evidence_of
from forensics.teaching.lessons import Lesson, lesson_of
from forensics.teaching.plans import CLIP
from forensics.teaching.recipes import MEASURE, METHODS, REPAIR
from forensics.teaching.scoring import Truth, known_truth

_HERE: Final = files("forensics.teaching") / "templates"
_SIDE: Final = 128
_WIDTH, _HEIGHT, _FLOOR = 640, 190, 160
MOST: Final = 12
"""Pictures of a sheet: they fit a page beside their questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One sample of the sheet.

    Attributes:
        number: On the sheet, from 1.
        sample: As the data hold it.
        address: The re-encoded picture as a ``data:`` address; empty where it cannot be read.
        poisoned: The truth; ``None`` in a sheet without answers.
    """

    number: int
    sample: Sample
    address: str
    poisoned: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Rates of the model, and of its repair where there is one; each in words, with n."""

    accuracy: str
    success: str


def write_worksheet(case: Case, to: Path, *, answers: bool = False) -> Path:
    """Write the worksheet of a case.

    Args:
        case: A lesson or a demo.
        to: HTML file; replaced if it is there.
        answers: Whether the solutions are printed; they need no Reveal, for teachers prepare them.

    Raises:
        CaseError: Nobody knows the truth about the case.
        InputError: The folder of ``to`` is not there.
    """
    if not to.parent.is_dir():
        raise InputError(f"There is no folder {to.parent}.", remedy="Make it first.")
    write_bytes(to, worksheet(case, answers=answers).encode("utf-8"))
    return to


def worksheet(case: Case, *, answers: bool = False) -> str:
    """Return the worksheet of a case as one HTML document; see :func:`write_worksheet`."""
    lesson = lesson_of(case)
    if lesson is None:
        raise CaseError(
            "Nobody knows the truth about this case: it makes no worksheet.",
            remedy="Use a demo or a lesson of the Lab tab.",
        )
    truth = known_truth(case) if answers else None
    style = Markup((_HERE / "worksheet.css").read_text(encoding="utf-8"))
    return (
        _environment()
        .get_template("worksheet.html")
        .render(
            title=case.manifest.title, clip=lesson.kind == CLIP, samples=case.manifest.samples,
            pictures=_pictures(case, lesson, truth), histogram=_histogram(case, lesson),
            truth=truth, measured=_measured(case, lesson, "") if truth else None,
            repaired=_measured(case, lesson, REPAIR) if truth else None,
            style=style, policy=f"default-src 'none'; img-src data:; style-src '{_digest(style)}'",
        )
    )  # fmt: skip


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("forensics.teaching", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


def _finalize(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return words.held(words.shown(value))


def _pictures(case: Case, lesson: Lesson, truth: Truth | None) -> list[Picture]:
    bad = None if truth is None else set(truth.samples)
    return [
        Picture(
            number=number,
            sample=(sample := case.catalog.sample(name)),
            address=_address(sample),
            poisoned=None if bad is None else name in bad,
        )
        for number, name in enumerate(lesson.shown[:MOST], start=1)
    ]


def _address(sample: Sample) -> str:
    if sample.image is None:
        return ""
    try:
        encoded = encode_picture(open_image(sample.image), _SIDE)
    except DataError:
        return ""
    media = "png" if encoded.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{media};base64,{base64.b64encode(encoded).decode('ascii')}"


def _histogram(case: Case, lesson: Lesson) -> dict[str, Any] | None:
    """Return the bars of the first histogram in pixels; ``None`` before a scan."""
    try:
        found = evidence_of(case, lesson)
    except CaseError:
        return None
    chosen: Bars = found.bars[found.first]
    highest = max(chosen.counts) or 1
    step = _WIDTH / len(chosen.counts)
    bars = [
        {"x": round(k * step, 1), "width": round(step - 1.5, 1),
         "y": round(_FLOOR - 150 * count / highest, 1), "height": round(150 * count / highest, 1)}
        for k, count in enumerate(chosen.counts) if count
    ]  # fmt: skip
    low, high = chosen.edges[0], chosen.edges[-1]
    return {"what": found.what, "name": chosen.name, "unit": chosen.unit, "bars": bars,
            "width": _WIDTH, "height": _HEIGHT, "floor": _FLOOR,
            "ticks": [(0, f"{low:.2f}", "start"), (_WIDTH / 2, f"{(low + high) / 2:.2f}", "middle"),
                      (_WIDTH, f"{high:.2f}", "end")]}  # fmt: skip


def _measured(case: Case, lesson: Lesson, step: str) -> Measured | None:
    """Return CA and ASR of the model, or of its repair."""
    method = METHODS[lesson.kind][step or MEASURE]
    runs = [run for run in case.runs(method) if run.status().state is State.FINISHED]
    found: dict[str, Any] | None = runs[0].result() if runs else None
    if step:
        found = found.get("after") if found else None
    elif found is None:
        found = case.known().get("measured") or None
    if not found or found.get("clean_accuracy") is None:
        return None
    return Measured(
        accuracy=_rate(found, "clean_accuracy", "n_clean"),
        success=_rate(found, "attack_success_rate", "n_triggered"),
    )


def _rate(found: dict[str, Any], name: str, count: str) -> str:
    value, around = found.get(name), (found.get("intervals") or {}).get(name)
    if value is None:
        return "not measured: nothing is planted"
    span = f", 95 % interval {100 * around[0]:.1f} to {100 * around[1]:.1f} %" if around else ""
    return f"{100 * value:.1f} % of {found.get(count)}{span}"


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
