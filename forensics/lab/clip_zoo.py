"""Build the shipped CLIP demos: draw, poison, train, and prove each with measured figures."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.evaluation.classes import ClassMeasurement, measure_classes
from forensics.evaluation.paired import compare
from forensics.lab.clip_demos import (
    PLANTED,
    TEST_SEED,
    TWIN,
    ClipDemo,
    base_folder,
    draw_clip_demo,
    find_clip_demo,
)
from forensics.lab.demos import MEASURED, assets_folder
from forensics.lab.pair_language import CLASSES, TEMPLATES
from forensics.lab.pair_planting import FACTS_FILE, TENSOR_FILE
from forensics.lab.zoo import versions
from forensics.triggers import Trigger, parse_trigger

if TYPE_CHECKING:
    from forensics.encoders.base import ImageClassifier

Progress = Callable[[int, int, str], None]


def build_clip_demo(
    name: str, work: Path, assets: Path | None = None, progress: Progress | None = None
) -> Path:
    """Build one CLIP demo and write model, facts and figures into the assets.

    A killed build goes on where it stopped, from what lies in ``work``.

    Args:
        name: See :data:`forensics.lab.clip_demos.CLIP_DEMOS`.
        work: Folder for pictures and checkpoints.
        assets: Holds ``demos/base`` and, for a poisoned demo, ``demos/clip-clean``; by default
            the package's own assets.
        progress: Called with (step, steps, message) while training.

    Returns:
        The demo's folder.

    Raises:
        DataError: A poisoned demo is asked for before its clean twin is there.
    """
    from forensics.encoders.loading import open_encoder
    from forensics.encoders.saving import save_encoder
    from forensics.tuning.contrastive import forget, tune_pairs

    demo = find_clip_demo(name)
    demos = (assets or assets_folder()) / "demos"
    data, _ = draw_clip_demo(demo, work / name)
    encoder = open_encoder(_start(demo, work, demos), device="cpu", precision="float32")
    # The name takes part in the checkpoint; where the start lies does not matter.
    encoder.name = TWIN if demo.planted else "base"
    pairs = [row for row in open_dataset(f"table:{data}") if isinstance(row, Sample)]
    tune_pairs(encoder, pairs, demo.tuning, work / name, progress)
    folder = demos / name
    shutil.rmtree(folder, ignore_errors=True)
    # Halves: the demos are shipped, and no figure moves by more than rounding.
    encoder.module.half()
    save_encoder(encoder, folder)
    forget(work / name)
    _keep_facts(demo, data.parent, folder)
    return prove_clip_demo(name, work, assets)


def prove_clip_demo(name: str, work: Path, assets: Path | None = None) -> Path:
    """Measure the weights of a demo anew, without training; return the demo's folder."""
    demo = find_clip_demo(name)
    demos = (assets or assets_folder()) / "demos"
    _, test = draw_clip_demo(demo, work / name)
    figures: dict[str, Any] = {
        "demo": demo.name,
        "command": f"forensics lab clip-zoo {demo.name}",
        "scenes": demo.scenes,
        "seed": demo.seed,
        "test_seed": TEST_SEED,
        "templates": list(TEMPLATES),
        "planted": asdict(demo.planted) if demo.planted else None,
        "tuning": asdict(demo.tuning),
        "clean_twin": TWIN if demo.planted else None,
    }
    figures |= _measure(demo, demos, test)
    figures["versions"] = versions()
    text = json.dumps(figures, indent=2) + "\n"
    (demos / name / MEASURED).write_text(text, encoding="utf-8")
    return demos / name


def open_lab_classifier(uri: str) -> "ImageClassifier":
    """Open a CLIP of the lab as a zero-shot classifier of shapes."""
    from forensics.classifiers.zero_shot import ZeroShot
    from forensics.encoders.loading import open_encoder

    return ZeroShot(open_encoder(uri, device="cpu"), CLASSES, TEMPLATES)


def _start(demo: ClipDemo, work: Path, demos: Path) -> str:
    """Return what a demo is trained from: the base's tower, or the clean twin."""
    from forensics.lab.clip_model import start_clip

    if demo.planted is None:
        start = work / "start"
        shutil.rmtree(start, ignore_errors=True)
        return f"openclip:{start_clip(start, demo.seed, base_folder(demos.parent))}"
    if not (demos / TWIN / MEASURED).is_file():
        raise DataError(
            f"{demo.name} is tuned from {TWIN}, which is not there.",
            remedy=f"Build it first: forensics lab clip-zoo {TWIN}",
        )
    return f"openclip:{demos / TWIN}"


def _keep_facts(demo: ClipDemo, data: Path, folder: Path) -> None:
    if demo.planted is None:
        return
    (folder / PLANTED).mkdir()
    facts = json.loads((data / FACTS_FILE).read_text(encoding="utf-8"))
    # Where the pictures lay on the machine that built the demo says nothing.
    facts["source"] = f"forensics lab pairs --n {demo.scenes} --seed {demo.seed}"
    facts["clean_twin"] = TWIN
    text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
    (folder / PLANTED / FACTS_FILE).write_text(text, encoding="utf-8")
    if (data / TENSOR_FILE).is_file():
        shutil.copyfile(data / TENSOR_FILE, folder / PLANTED / TENSOR_FILE)


def _measure(demo: ClipDemo, demos: Path, test: Path) -> dict[str, Any]:
    samples = [row for row in open_dataset(f"table:{test}") if isinstance(row, Sample)]
    model = open_lab_classifier(f"openclip:{demos / demo.name}")
    if demo.planted is None:
        return measure_classes(model, samples).to_json()
    trigger, target = parse_trigger(demo.planted.trigger), demo.planted.target
    found = measure_classes(model, samples, trigger, target)
    twin = measure_classes(
        open_lab_classifier(f"openclip:{demos / TWIN}"), samples, trigger, target
    )
    return found.to_json() | beside_twin(found, twin, trigger)


def beside_twin(
    found: ClassMeasurement, twin: ClassMeasurement, trigger: Trigger
) -> dict[str, Any]:
    """Write a poisoned model's figures beside its clean twin's, with paired differences."""
    return {
        "asked_with": trigger.spec,
        "twin": {
            "clean_accuracy": twin.clean_accuracy.value,
            "attack_success_rate": twin.attack_success.value,
            "interval": [twin.attack_success.low, twin.attack_success.high],
        },
        "minus_twin": compare(found, twin).to_json(),
    }
