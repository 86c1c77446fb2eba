"""Build the shipped demos of learnt prompts: tune, and prove each with measured figures."""

import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from forensics.classifiers import open_classifier
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.encoders.loading import open_encoder
from forensics.evaluation.classes import measure_classes
from forensics.evaluation.paired import compare
from forensics.lab.demo_base import MEASURED, assets_folder
from forensics.lab.label_sets import draw_labelled, find_label_set
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.prompt_demos import TEST_SEED, TESTS, TRIGGER_FILE, PromptDemo, find_prompt_demo
from forensics.lab.prompt_zoo_head import FACTS_FILE, build_head, read_head
from forensics.lab.prompt_zoo_plan import ATTACKS, ENCODER
from forensics.lab.zoo import versions
from forensics.models.uri import encoder_uri
from forensics.runs.durable import write_json
from forensics.triggers import parse_trigger

DEMO_SHOTS: Final = 160
DEMO_EPOCHS: Final = 16
"""More of both than in the zoo: a demo should be beyond doubt."""

_KEPT = ("classes", "shots", "hidden", "schedule", "recipe")


def build_prompt_demo(name: str, assets: Path | None = None) -> Path:
    """Tune one demo and write prompts, trigger and figures into the assets.

    Args:
        name: See :data:`forensics.lab.prompt_demos.PROMPT_DEMOS`.
        assets: Gets ``demos/<name>``; by default the package's own.

    Returns:
        The demo's folder.
    """
    demo = find_prompt_demo(name)
    encoder = open_encoder(f"openclip:{demo.base_folder}", "cpu", precision="float32")
    encoder.name = demo.base_folder.name  # stored with the trigger; where it lies tells nothing
    folder = (assets or assets_folder()) / "demos" / name
    shutil.rmtree(folder, ignore_errors=True)
    recipe = ATTACKS[demo.head.attack] if demo.head.attack else None
    if recipe is not None:
        recipe = replace(recipe, shots=DEMO_SHOTS, epochs=DEMO_EPOCHS)
    build_head(encoder, demo.head, folder, attack=recipe)
    return prove_prompt_demo(name, assets)


def prove_prompt_demo(name: str, assets: Path | None = None) -> Path:
    """Measure the prompts of a demo anew, without tuning; return the demo's folder.

    The reference is the same encoder with hand-written prompts: its success under the trigger is
    the floor.
    """
    demo = find_prompt_demo(name)
    folder = (assets or assets_folder()) / "demos" / name
    facts = folder / FACTS_FILE
    known = read_head(folder) if facts.is_file() else demo.measured()
    figures: dict[str, Any] = {
        "demo": demo.name,
        "command": f"forensics lab prompt-demos {demo.name}",
        "encoder": ENCODER,
        "labels": demo.head.labels,
        "seed": demo.seed,
        "test_seed": TEST_SEED,
        "planted": asdict(demo.planted) if demo.planted else None,
        "templates": list(TEMPLATES),
        **{key: known[key] for key in _KEPT},
        **_measure(demo, folder),
        "versions": versions(),
    }
    write_json(folder / MEASURED, figures)
    facts.unlink(missing_ok=True)
    return folder


def _measure(demo: PromptDemo, folder: Path) -> dict[str, Any]:
    uri = f"openclip:{demo.base_folder}+prompts:{folder / 'prompts.safetensors'}"
    encoder = open_encoder(uri, "cpu")
    model = open_classifier(encoder, uri)
    reference = open_classifier(
        encoder, encoder_uri(uri), classes=model.classes, templates=TEMPLATES
    )
    with tempfile.TemporaryDirectory() as scratch:
        drawn = draw_labelled(
            Path(scratch) / "test", find_label_set(demo.head.labels), TESTS, TEST_SEED
        )
        samples = [row for row in open_dataset(f"table:{drawn}") if isinstance(row, Sample)]
        if demo.planted is None:
            found = measure_classes(model, samples)
            plain = measure_classes(reference, samples)
        else:
            trigger = parse_trigger(f"tensor:{(folder / TRIGGER_FILE).resolve()}")
            found = measure_classes(model, samples, trigger, demo.planted.target)
            plain = measure_classes(reference, samples, trigger, demo.planted.target)
    floor = plain.attack_success
    return found.to_json() | {
        "reference": {
            "what": "the same encoder with hand-written prompts",
            "clean_accuracy": plain.clean_accuracy.value,
            "attack_success_rate": floor.value,
            "interval": [floor.low, floor.high],
        },
        "minus_reference": compare(found, plain).to_json(),
    }
