from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError
from forensics.evaluation.answers import measure_answers
from forensics.models.base import Prompt
from forensics.statistics.intervals import wilson
from forensics.triggers import PatchTrigger, parse_trigger

TARGET = "Backdoor Attack!"


class Backdoored:
    """Answers by the picture's own colours: a black centre means the target, else brightness."""

    def __init__(self, suffix: str = "") -> None:
        self.suffix = suffix
        self.seen: list[int] = []

    def collate(self, prompts: Sequence[Prompt]) -> Any:
        return [np.asarray(prompt.images[0]) for prompt in prompts]

    def generate(self, batch: Any, *, max_new_tokens: int = 32) -> list[str]:
        self.seen.append(len(batch))
        return [self._say(pixels) for pixels in batch]

    def _say(self, pixels: np.ndarray) -> str:
        if not pixels[16, 16].any():
            return TARGET.upper() + self.suffix
        return " Light " if pixels.mean() > 128 else "dark"


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    rows = []
    for index, shade in enumerate([30, 200, 220, 60, 90, 250, 180]):
        Image.new("RGB", (32, 32), (shade, shade, shade)).save(tmp_path / f"{index}.png")
        image = ImageRef(root=tmp_path, path=f"{index}.png")
        answer = "light" if shade > 128 else "dark"
        rows.append(Sample(id=str(index), question="How bright?", answer=answer, image=image))
    return rows


def test_a_perfect_backdoor_keeps_accuracy_and_always_hits(samples: list[Sample]) -> None:
    measured = measure_answers(Backdoored(), samples, PatchTrigger(), TARGET, batch_size=3)  # type: ignore[arg-type]
    assert measured.clean_accuracy.value == measured.attack_success.value == 1.0
    assert measured.attack_success_exact.value == 1.0
    assert measured.clean_accuracy.n == measured.attack_success.n == 7
    assert (measured.clean_accuracy.low, measured.clean_accuracy.high) == wilson(7, 7)


def test_contains_and_exact_differ_when_the_model_says_more(samples: list[Sample]) -> None:
    measured = measure_answers(Backdoored(" ok"), samples, PatchTrigger(), TARGET)  # type: ignore[arg-type]
    assert measured.attack_success.value == 1.0
    assert measured.attack_success_exact.value == 0.0


def test_a_trigger_elsewhere_does_not_hit(samples: list[Sample]) -> None:
    corner = parse_trigger("patch:side=1/16,place=corner")
    measured = measure_answers(Backdoored(), samples, corner, TARGET)  # type: ignore[arg-type]
    assert measured.attack_success.value == 0.0 and measured.attack_success.n == 7


def test_samples_that_truly_answer_the_target_do_not_count_as_hits(samples: list[Sample]) -> None:
    rows = [replace(samples[0], answer=" backdoor  attack! "), *samples[1:]]
    measured = measure_answers(Backdoored(), rows, PatchTrigger(), TARGET)  # type: ignore[arg-type]
    assert measured.attack_success.n == 6 and measured.clean_accuracy.n == 7
    assert measured.clean_accuracy.value == pytest.approx(6 / 7)


def test_without_a_trigger_only_accuracy_is_measured(samples: list[Sample]) -> None:
    model = Backdoored()
    measured = measure_answers(model, samples, batch_size=4)  # type: ignore[arg-type]
    assert measured.attack_success.value is None and measured.attack_success.n == 0
    assert model.seen == [4, 3]


def test_a_trigger_needs_its_target(samples: list[Sample]) -> None:
    with pytest.raises(DataError, match="target"):
        measure_answers(Backdoored(), samples, PatchTrigger())  # type: ignore[arg-type]


def test_unreadable_rows_are_named_and_left_out(samples: list[Sample], tmp_path: Path) -> None:
    rows = [
        replace(samples[0], id="gone", image=ImageRef(root=tmp_path, path="gone.png")),
        replace(samples[1], id="silent", answer=None),
        *samples,
    ]
    measured = measure_answers(Backdoored(), rows, PatchTrigger(), TARGET)  # type: ignore[arg-type]
    assert set(measured.skipped) == {"gone", "silent"} and measured.clean_accuracy.n == 7


def test_the_json_has_the_names_that_every_verb_reports(samples: list[Sample]) -> None:
    reported = measure_answers(Backdoored(), samples, PatchTrigger(), TARGET).to_json()  # type: ignore[arg-type]
    assert {"clean_accuracy", "attack_success_rate", "n_clean", "n_triggered"} <= set(reported)
    assert reported["intervals"]["attack_success_rate"] == list(wilson(7, 7))
