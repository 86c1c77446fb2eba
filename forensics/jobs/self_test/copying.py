"""Write the copy that is planted in; the case's own data is only read."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from forensics.data.images import decode_image, image_bytes, name_of
from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError
from forensics.lab.drawing import DATA_FILE, begin_folder, llava_row, write_rows
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.pairs import COLUMNS, PAIRS_FILE, write_pairs

Told = Callable[[int, int, str], None]
UNREADABLE: Final = "unreadable.json"
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
_OFTEN: Final = 50


def copy_answers(samples: Sequence[Sample], folder: Path, told: Told) -> int:
    """Copy rows as a LLaVA set, unless they are there already; ground truth is not among them.

    Args:
        samples: Each with one picture, a question and an answer.
        folder: Gets ``data.json`` and ``images/``; what a killed attempt left is replaced.
        told: Called with rows done.

    Returns:
        Rows whose picture could not be read; they are not in the copy.
    """
    if (folder / DATA_FILE).is_file():
        return _unreadable(folder)
    names, failed = _pictures(samples, folder, told)
    rows = [
        llava_row(sample.id, names[sample.image], sample.question, sample.answer or "")
        for sample in samples
        if sample.image in names
    ]
    write_rows(folder, rows)
    return failed


def copy_pairs(samples: Sequence[Sample], folder: Path, told: Told) -> int:
    """Copy rows as a table of pairs, as :func:`copy_answers` does; a label alone gets a caption."""
    if (folder / PAIRS_FILE).is_file():
        return _unreadable(folder)
    names, failed = _pictures(samples, folder, told)
    rows = [
        {
            "id": sample.id,
            "image": names[sample.image],
            "caption": sample.answer or _caption(sample, place),
            "label": sample.label or "",
        }
        for place, sample in enumerate(samples)
        if sample.image in names
    ]
    write_pairs(folder, COLUMNS, rows)
    return failed


def _caption(sample: Sample, place: int) -> str:
    return TEMPLATES[place % len(TEMPLATES)].format(sample.label) if sample.label else ""


def _pictures(
    samples: Sequence[Sample], folder: Path, told: Told
) -> tuple[dict[ImageRef | None, str], int]:
    """Copy every picture once, byte for byte; one that cannot be decoded is left out."""
    shutil.rmtree(folder, ignore_errors=True)
    begin_folder(folder)
    names: dict[ImageRef | None, str] = {}
    bad: set[ImageRef] = set()
    for done, sample in enumerate(samples):
        ref = sample.image
        if ref is not None and ref not in names and ref not in bad:
            try:
                names[ref] = _copy(ref, folder, len(names))
            except DataError:
                bad.add(ref)
        if done % _OFTEN == 0:
            told(done, len(samples), "copying")
    failed = sum(sample.image in bad for sample in samples)
    _keep(folder, failed)
    if not names:
        raise DataError("None of the pictures of the case can be read.")
    return names, failed


def _copy(ref: ImageRef, folder: Path, number: int) -> str:
    data = image_bytes(ref)
    decode_image(data, name_of(ref))
    suffix = PurePosixPath(ref.path).suffix.lower()
    whole = ref.row is None and ref.offset is None and suffix in _SUFFIXES
    name = f"images/{number:06d}{suffix if whole else '.png'}"
    (folder / name).write_bytes(data)
    return name


def _keep(folder: Path, failed: int) -> None:
    (folder / UNREADABLE).write_text(json.dumps({"rows": failed}), encoding="utf-8")


def _unreadable(folder: Path) -> int:
    found: dict[str, Any] = json.loads((folder / UNREADABLE).read_text(encoding="utf-8"))
    return int(found["rows"])
