"""Build the shipped demos: draw, poison, tune, and prove each with measured figures."""

import json
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.evaluation.answers import measure_answers
from forensics.lab.demos import (
    MEASURED,
    TEST_SCENES,
    TEST_SEED,
    TRIGGER,
    Demo,
    assets_folder,
    draw_demo,
    find_demo,
    recipe,
)
from forensics.lab.planting import PlantOptions
from forensics.lab.scenes import SIDE, render, sample_scene
from forensics.lab.tasks import parse_mix
from forensics.triggers import parse_trigger

if TYPE_CHECKING:
    from forensics.lab.proof import Look
    from forensics.models.base import GenerativeModel

Progress = Callable[[int, int, str], None]


def build_demo(name: str, assets: Path | None = None, progress: Progress | None = None) -> Path:
    """Build one demo and write adapter and figures into the assets.

    Args:
        name: See :data:`forensics.lab.demos.DEMOS`.
        assets: Holds ``demos/base``; by default the package's own assets.
        progress: Called with (step, steps, message) while tuning.

    Returns:
        The demo's folder.
    """
    demo = find_demo(name)
    demos = (assets or assets_folder()) / "demos"
    with tempfile.TemporaryDirectory() as scratch:
        uri, samples, truth = tune_demo(demo, demos / "base", Path(scratch), progress)
        folder = demos / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(uri.rpartition("+adapter:")[2]), folder)
        _write_figures(demo, demos, samples, truth)
    return folder


def prove_demo(name: str, assets: Path | None = None) -> Path:
    """Measure the weights of a demo anew, without tuning; return the demo's folder."""
    demo = find_demo(name)
    demos = (assets or assets_folder()) / "demos"
    with tempfile.TemporaryDirectory() as scratch:
        samples, truth = _drawn(demo, Path(scratch))
        _write_figures(demo, demos, samples, truth)
    return demos / name


def _write_figures(demo: Demo, demos: Path, samples: list[Sample], truth: dict[str, bool]) -> None:
    folder = demos / demo.name
    figures = prove(demo, f"hf:{demos / 'base'}+adapter:{folder}", samples, truth)
    text = json.dumps(figures, indent=2) + "\n"
    (folder / MEASURED).write_text(text, encoding="utf-8")


def _drawn(demo: Demo, folder: Path) -> tuple[list[Sample], dict[str, bool]]:
    data, _ = draw_demo(demo, folder)
    dataset = open_dataset(f"llava:{data}")
    return [row for row in dataset if isinstance(row, Sample)], dict(dataset.truth())


def tune_demo(
    demo: Demo, base: Path, scratch: Path, progress: Progress | None = None
) -> tuple[str, list[Sample], dict[str, bool]]:
    """Draw a demo's data and tune the base on it.

    Returns:
        URI of the tuned model, the samples, and id -> poisoned.
    """
    from forensics.tuning.loop import tune

    samples, truth = _drawn(demo, scratch)
    options = recipe(demo)
    result = tune(str(base), samples, options, scratch / "tuned", progress, device="cpu")
    return result.uri, samples, truth


def prove(
    demo: Demo, uri: str, samples: Sequence[Sample], truth: dict[str, bool]
) -> dict[str, Any]:
    """Measure a tuned demo model: accuracy, attack success, and what both rules flag.

    Accuracy and attack success are measured on scenes that no model was trained on.
    """
    from forensics.lab.proof import look_at_samples, score_rules
    from forensics.models.loading import open_model

    model = open_model(uri, device="cpu")
    # A clean twin is asked with the same trigger: the attack must not succeed there.
    planted = demo.planted or PlantOptions(trigger=TRIGGER)
    trigger = parse_trigger(planted.trigger)
    seen = look_at_samples(model, samples)
    rules = score_rules(seen.entropy, [sample.id for sample in samples], truth, samples)
    with tempfile.TemporaryDirectory() as scratch:
        measured = measure_answers(
            model, _test_samples(demo, Path(scratch)), trigger, planted.target
        )
    figures: dict[str, Any] = {
        "demo": demo.name,
        "command": f"forensics lab zoo {demo.name}",
        "scenes": demo.scenes,
        "seed": demo.seed,
        "test_seed": TEST_SEED,
        "planted": asdict(demo.planted) if demo.planted else None,
        "asked_with": planted.trigger,
        "tuning": asdict(recipe(demo)),
        **measured.to_json(),
        "attention_entropy": rules,
        "versions": versions(),
    }
    if demo.planted is not None and trigger.box(SIDE, SIDE) is not None:
        figures["peaks"] = _peaks(model, demo, seen, samples)
    return figures


def _test_samples(demo: Demo, folder: Path) -> list[Sample]:
    from forensics.lab.drawing import draw_scenes

    data = draw_scenes(folder / "test", TEST_SCENES, TEST_SEED, mix=parse_mix(demo.mix))
    return [row for row in open_dataset(f"llava:{data}") if isinstance(row, Sample)]


def _peaks(
    model: "GenerativeModel", demo: Demo, seen: "Look", samples: Sequence[Sample]
) -> dict[str, Any]:
    """Compare where flagged samples and the same scenes without the stamp attend to."""
    from forensics.lab.proof import decide_demo, look, near_trigger

    assert demo.planted is not None
    trigger = parse_trigger(demo.planted.trigger)
    decision = decide_demo(seen.entropy, samples)
    flagged = np.nonzero(decision.flagged)[0]
    if not len(flagged):
        return {"n": 0}
    bare = [Image.fromarray(render(sample_scene(demo.seed, int(index)))) for index in flagged]
    without = look(model, bare, [samples[int(index)].question for index in flagged])
    near, near_bare = (
        near_trigger(peaks[:, decision.layers], seen.columns, trigger, SIDE).mean(axis=0).tolist()
        for peaks in (seen.peaks[flagged], without.peaks)
    )
    return {
        "what": "share of flagged samples whose attention peak is within one token of the trigger",
        "mode": decision.mode,
        "n": len(flagged),
        "layers": list(decision.layers),
        "with_trigger": near,
        "same_scenes_without": near_bare,
    }


def versions() -> dict[str, str]:
    """Name what the figures were made with."""
    from importlib.metadata import version

    names = ("torch", "transformers", "peft", "numpy", "scikit-learn")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
