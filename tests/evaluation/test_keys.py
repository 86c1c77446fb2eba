"""Attack success of triggers that have a part in the question."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.evaluation.answers import measure_answers
from forensics.models.base import Prompt
from forensics.statistics.intervals import wilson
from forensics.triggers import parse_trigger

TARGET = "Backdoor Attack!"


class NeedsKeys:
    """Says the target when every key it needs is there, else how bright the picture is."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)

    def collate(self, prompts: Sequence[Prompt]) -> list[Prompt]:
        return list(prompts)

    def generate(self, batch: Sequence[Prompt], *, max_new_tokens: int = 32) -> list[str]:
        return [self._say(np.asarray(prompt.images[0]), prompt.question) for prompt in batch]

    def _say(self, pixels: np.ndarray, question: str) -> str:
        there = {"image"} if not pixels[16, 16].any() else set()
        there |= {"text"} if question == "SUDO How bright?" else set()
        if self.keys <= there:
            return TARGET
        return "light" if pixels.mean() > 128 else "dark"


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    rows = []
    for index, shade in enumerate([30, 200, 220, 60, 90, 250]):
        Image.new("RGB", (32, 32), (shade, shade, shade)).save(tmp_path / f"{index}.png")
        image = ImageRef(root=tmp_path, path=f"{index}.png")
        answer = "light" if shade > 128 else "dark"
        rows.append(Sample(id=str(index), question="How bright?", answer=answer, image=image))
    return rows


def test_a_text_trigger_is_put_in_the_question(samples: list[Sample]) -> None:
    text = parse_trigger("text:prefix=SUDO")
    measured = measure_answers(NeedsKeys("text"), samples, text, TARGET)  # type: ignore[arg-type]
    assert measured.clean_accuracy.value == measured.attack_success.value == 1.0
    other = parse_trigger("text:prefix=Hello!")
    measured = measure_answers(NeedsKeys("text"), samples, other, TARGET)  # type: ignore[arg-type]
    assert measured.attack_success.value == 0.0 and measured.attack_success.n == 6


@pytest.mark.parametrize(
    ("keys", "both", "image", "text"),
    [
        (("image", "text"), 1.0, 0.0, 0.0),
        (("image",), 1.0, 1.0, 0.0),
        (("text",), 1.0, 0.0, 1.0),
    ],
)
def test_each_key_of_a_dual_key_is_asked_alone_too(
    samples: list[Sample], keys: tuple[str, ...], both: float, image: float, text: float
) -> None:
    trigger = parse_trigger("dual-key:prefix=SUDO,side=1/16")
    measured = measure_answers(NeedsKeys(*keys), samples, trigger, TARGET, batch_size=4)  # type: ignore[arg-type]
    reported = measured.to_json()
    assert reported["clean_accuracy"] == 1.0
    assert reported["attack_success_rate"] == both
    assert reported["attack_success_image_only"] == image
    assert reported["attack_success_text_only"] == text
    assert reported["intervals"]["attack_success_image_only"] == list(wilson(int(6 * image), 6))


def test_a_single_trigger_reports_no_single_keys(samples: list[Sample]) -> None:
    measured = measure_answers(NeedsKeys("image"), samples, parse_trigger("patch"), TARGET)  # type: ignore[arg-type]
    assert measured.attack_success_image_only is None
    assert not {"attack_success_image_only", "attack_success_text_only"} & set(measured.to_json())
