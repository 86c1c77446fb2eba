"""The files of a trigger transplant: pairs, example pictures, and the content of result.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.detectors.transplant.arms import SUSPECTED
from forensics.jobs.clip_subjects import Classifier
from forensics.jobs.transplant.files import PAIRS
from forensics.jobs.transplant.result import EXAMPLES, PAIR_SCHEMA
from forensics.jobs.trigger_inversion.stored import StoredTrigger
from forensics.jobs.trigger_transplant.arms import Marks, Told
from forensics.jobs.trigger_transplant.setup import TriggerSetup
from forensics.jobs.trigger_transplant.viewer import fitted

_SIDE = 256


def save_pairs(
    folder: Path,
    setup: TriggerSetup,
    hosts: Sequence[Sample],
    marks: Mapping[str, Marks],
    told: Sequence[Told],
    classes: Sequence[str],
) -> None:
    """Write one line for every host, arm and model; the donor is the class of the trigger."""

    def name(index: int) -> str | None:
        return classes[index] if index >= 0 else None

    rows = [
        {
            "model": one.model,
            "arm": arm,
            "donor": name(int(mark.wanted[i])),
            "host": host.id,
            "wanted": name(int(mark.wanted[i])),
            "before": name(int(one.before.classes[i])),
            "after": name(int(one.after[arm].classes[i])),
            "probability": float(one.after[arm].probability[i]),
            "flipped": bool(one.arms[arm].flipped[i]),
            "contained": None,
            "problem": "" if one.before.read[i] else "unreadable",
        }
        for one in told
        for arm, mark in marks.items()
        for i, host in enumerate(hosts)
        if mark.triggers[i] is not None
    ]
    partial = folder / f".{PAIRS}.tmp"
    pq.write_table(pa.Table.from_pylist(rows, PAIR_SCHEMA), partial)
    partial.replace(folder / PAIRS)


def describe(
    setup: TriggerSetup, hosts: int, shown: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, Any]:
    """Return what was tested, on what, under the names that the other transplant uses."""
    line, inverted = setup.line, setup.inverted
    return {
        "scan": inverted.run.id,
        "reconstruction": True,
        "forced": int(setup.forced),
        "suspected_answer": setup.target,
        "index": setup.index,
        "seed_of_trigger": inverted.best_seed(line),
        "form": setup.trigger.form,
        "budget": inverted.options.budget if setup.trigger.form == "additive" else None,
        "donors": [setup.target],
        "hosts": hosts,
        "shown": [classes[int(k)] for k in shown],
        "pictures": setup.source,
        "candidates": len(setup.samples),
        "necessity": None,
    }


def make_examples(
    case: Case,
    setup: TriggerSetup,
    places: NDArray[np.int64],
    marks: Mapping[str, Marks],
    told: Told,
    classifier: Classifier,
) -> list[dict[str, Any]]:
    """Describe hosts, one for each class that the model sees; the first in file order, no winners.

    The pictures are as the model sees them, kept under the hash of their content, where the page
    finds them.
    """
    _, first = np.unique(told.before.classes, return_index=True)
    shown = []
    for i in np.sort(first)[:EXAMPLES]:
        host, trigger = setup.samples[int(places[i])], marks[SUSPECTED].triggers[i]
        _, bare = fitted(classifier, [host], [0], [None])
        _, pixels = fitted(classifier, [host], [0], [trigger])
        if bare is None or pixels is None:  # readable when it was asked about; changed since
            continue
        names = classifier.classes
        shown.append(
            {
                "host": host.id,
                "host_row": int(setup.rows[int(places[i])]),
                "donor": setup.target,
                "donor_row": -1,
                "untouched": case.pictures.keep(_picture(bare[0].cpu().numpy()), _SIDE),
                "picture": case.pictures.keep(_picture(pixels[0].cpu().numpy()), _SIDE),
                "patch": case.pictures.keep(amplified(setup.trigger), _SIDE),
                "before": names[int(told.before.classes[i])],
                "after": names[int(told.after[SUSPECTED].classes[i])],
                "flipped": bool(told.arms[SUSPECTED].flipped[i]),
                "controls": {
                    arm: names[int(seen.classes[i])]
                    for arm, seen in told.after.items()
                    if arm != SUSPECTED and marks[arm].triggers[i] is not None
                },
            }
        )
    return shown


def amplified(trigger: StoredTrigger) -> Image.Image:
    """Draw a trigger by itself: a delta around grey, stretched to the full range."""
    tensors = trigger.tensors
    if "delta" in tensors:
        largest = float(np.abs(tensors["delta"]).max()) or 1.0
        return _picture(0.5 + tensors["delta"] / (2 * largest))
    if "mask" in tensors:
        return _picture(tensors["mask"] * tensors["pattern"])
    return _picture(tensors["patch"])


def _picture(pixels: NDArray[Any]) -> Image.Image:
    whole = np.rint(np.clip(pixels, 0.0, 1.0) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(whole.transpose(1, 2, 0)))
