"""A few pictures before and after a repair: answers, attention, resistivity, a plane of vectors."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.errors import CaseError
from forensics.runs import Run
from forensics.runs.plain import plain
from forensics.ui.views.gallery import short

STATES = ("before", "after")
HOWS = ("plain", "triggered")
CHANGES = {
    "noise": "faint noise", "blur": "blur", "colour": "other light and colours",
    "mirror": "mirrored", "trigger": "the trigger",
}  # fmt: skip
BAND = (25, 75)
ANSWERS = "answers"
WHOLE = [0.0, 0.0, 1.0, 1.0]


def comparison_view(told: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what the result says of the comparison; arrays are asked for by themselves.

    Returns:
        ``kind`` (``answers`` of language models, ``classes`` else), ``examples`` (``id``,
        ``label``, ``states``; of language models also ``question`` and ``box``, where the picture
        lies in its square), ``attention`` (facts), ``resistivity`` and ``plane`` (facts),
        ``triggered`` (whether there is a trigger), ``word_trigger``, ``views`` (whether two views
        were compared) and ``fill`` (what stood in hidden cells).
    """
    if not told:
        return None
    plane = told.get("plane") or {}
    answers = told.get("kind") == ANSWERS
    examples = [_answered(one) if answers else _classified(one)
                for one in told.get("examples") or ()]  # fmt: skip
    return {
        "kind": ANSWERS if answers else "classes",
        "examples": examples,
        "triggered": any("triggered" in one["states"]["before"] for one in examples),
        "attention": told.get("attention"),
        "resistivity": told.get("resistivity"),
        "plane": {**plane, "classes": [short(str(name)) for name in plane.get("classes", ())]},
        "word_trigger": bool(told.get("word_trigger")),
        "views": bool((told.get("views") or {}).get("ids")),
        "fill": (told.get("views") or {}).get("fill"),
    }


def _classified(one: dict[str, Any]) -> dict[str, Any]:
    return {"id": short(str(one["id"])), "label": short(one.get("label")), "states": one["states"]}


def _answered(one: dict[str, Any]) -> dict[str, Any]:
    """Return an example of a language model; its true answer stands where a class's name does."""
    return {
        "id": short(str(one["id"])),
        "label": short(one.get("truth")),
        "question": short(one.get("question")),
        "box": one.get("box") or WHOLE,
        "states": one["states"],
    }


def resistivity_view(run: Run) -> dict[str, Any]:
    """Return the perturbation resistivity of every layer.

    Returns:
        ``layers`` and ``changes``: for each change ``name``, ``label`` and, before and after,
        ``mean``, ``low`` and ``high`` (quartiles over the pictures) by layer.
    """
    arrays = arrays_of(run)
    changes: list[dict[str, Any]] = []
    for name, label in CHANGES.items():
        found = {state: arrays.get(f"resistivity.{state}.{name}") for state in STATES}
        if any(v is None or v.ndim != 2 or not v.size for v in found.values()):
            continue
        changes.append({"name": name, "label": label} | {
            state: _band(values) for state, values in found.items() if values is not None
        })  # fmt: skip
    layers = len(changes[0]["before"]["mean"]) if changes else 0
    view: dict[str, Any] = plain({"layers": layers, "changes": changes})
    return view


def plane_view(run: Run) -> dict[str, Any]:
    """Return the places of pictures before and after: ``{state: {plain, triggered}}``, pairs."""
    arrays = arrays_of(run)
    found: dict[str, Any] = {}
    for state in STATES:
        places = arrays.get(f"plane.{state}")
        if places is None or places.ndim != 3 or places.shape[2] != 2:
            return {}
        found[state] = dict(zip(HOWS, np.round(places.astype(float), 4), strict=False))
    view: dict[str, Any] = plain(found)
    return view


def attention_view(run: Run, place: int) -> dict[str, Any]:
    """Return where the tower looks at one example.

    Returns:
        ``{state: {how: maps}}``: base64 of float16 ``[layer, patch]``.

    Raises:
        CaseError: There is no such example.
    """
    arrays = arrays_of(run)
    _example(arrays, place)
    return {
        state: {
            how: base64.b64encode(
                np.ascontiguousarray(arrays[f"attention.{state}.{how}"][place], "<f2").tobytes()
            ).decode("ascii")
            for how in HOWS
            if place < len(arrays.get(f"attention.{state}.{how}", ()))
        }
        for state in STATES
    }


def example_picture(run: Run, place: int, how: str) -> bytes:
    """Return an example as PNG, as the model sees it.

    Raises:
        CaseError: There is no such example, or no trigger was put on it.
    """
    arrays = arrays_of(run)
    pixels = _example(arrays, place, "triggered" if how == "triggered" else "pictures")
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(stream, "PNG")
    return stream.getvalue()


def _example(
    arrays: dict[str, NDArray[Any]], place: int, name: str = "pictures"
) -> NDArray[np.uint8]:
    kept = arrays.get(name)
    if kept is None or kept.ndim != 4 or kept.shape[1] != 3 or not 0 <= place < len(kept):
        raise CaseError(f"This repair kept no picture {place} of the kind.")
    return np.asarray(kept[place], np.uint8)


def arrays_of(run: Run) -> dict[str, NDArray[Any]]:
    """Return what a repair kept for the page, by name.

    Raises:
        CaseError: It kept nothing.
    """
    name = str((run.result().get("comparison") or {}).get("file") or "")
    if not name or not run.path(name).is_file():
        raise CaseError(
            f"{run.id} kept no pictures to compare.",
            remedy="It was made by an earlier version; repair again.",
        )
    return run.arrays(name)


def _band(values: NDArray[Any]) -> dict[str, Any]:
    low, high = np.percentile(values, BAND, axis=1)
    return {"mean": values.mean(axis=1), "low": low, "high": high}
