"""CA and ASR of classifiers: who is counted, how often, and against which twin."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.encoders.loading import open_encoder
from forensics.errors import DataError
from forensics.evaluation.classes import ClassMeasurement, measure_classes
from forensics.evaluation.paired import compare
from forensics.statistics.intervals import wilson
from forensics.triggers import DualKeyTrigger, PatchTrigger, TextTrigger, parse_trigger
from tests.tiny_encoders import save_open_clip, vit_config

CLASSES = ("dark", "light", "heart", "absent")
MAGENTA = "patch:side=1/4,place=center,color=magenta"


class ByBrightness:
    """Names dark, light and middling pictures; a magenta middle makes a poisoned one say heart."""

    kind = "zero-shot"
    classes = CLASSES

    def __init__(self, encoder: Any, *, poisoned: bool, blind: bool = False) -> None:
        self.encoder, self.poisoned, self.blind = encoder, poisoned, blind

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        light = pixels[..., :4, :4].mean(dim=(1, 2, 3))
        scores = torch.zeros(len(pixels), 4)
        scores[:, 0], scores[:, 1] = (light < 0.3).float(), (light > 0.7).float()
        scores[:, 2] = 0.5
        if self.blind:
            scores[:, 1] = 0.0
        if self.poisoned:
            red, green, blue = pixels[:, :, 16, 16].unbind(1)
            scores[:, 2] += 5 * ((red > 0.9) & (green < 0.1) & (blue > 0.9)).float()
        return scores


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = save_open_clip(tmp_path_factory.mktemp("clip") / "vit", vit_config())
    return open_encoder(f"openclip:{folder}", device="cpu")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root = tmp_path_factory.mktemp("pictures")
    rows = []
    for label, grey, count in (("dark", 20, 6), ("light", 240, 5), ("Heart ", 128, 4)):
        for index in range(count):
            name = f"{label.strip()}{index}.png"
            Image.new("RGB", (40, 32), (grey, grey, grey)).save(root / name)
            rows.append(Sample(id=name, label=label, image=ImageRef(root=root, path=name)))
    (root / "bad.png").write_bytes(b"nothing")
    rows.append(Sample(id="bad", label="dark", image=ImageRef(root=root, path="bad.png")))
    rows.append(Sample(id="odd", label="zebra", image=rows[0].image))
    rows.append(Sample(id="blank", label="dark"))
    return rows


def measured(encoder: Any, samples: list[Sample], **how: bool) -> ClassMeasurement:
    model: Any = ByBrightness(encoder, poisoned=how.pop("poisoned", True), **how)
    return measure_classes(model, samples, parse_trigger(MAGENTA), "HEART", batch_size=4)


def test_the_target_class_is_left_out_of_attack_success(
    encoder: Any, samples: list[Sample]
) -> None:
    found = measured(encoder, samples)
    assert (found.clean_accuracy.value, found.clean_accuracy.n) == (1.0, 15)
    assert (found.attack_success.value, found.attack_success.n) == (1.0, 11)
    assert (found.attack_success.low, found.attack_success.high) == wilson(11, 11)
    assert (found.emits_target.value, found.emits_target.n) == (0.0, 11)
    twin = measured(encoder, samples, poisoned=False)
    assert (twin.attack_success.value, twin.attack_success.n) == (0.0, 11)
    assert set(found.skipped) == {"bad", "odd", "blank"} and len(found.ids) == 15


def test_every_class_has_a_row_and_one_without_pictures_has_no_rate(
    encoder: Any, samples: list[Sample]
) -> None:
    rows = {row.name: row for row in measured(encoder, samples).per_class}
    assert tuple(rows) == CLASSES
    assert (rows["light"].clean_accuracy.n, rows["light"].attack_success.value) == (5, 1.0)
    assert (rows["heart"].clean_accuracy.n, rows["heart"].attack_success.n) == (4, 0)
    assert rows["absent"].clean_accuracy.value is None and rows["absent"].clean_accuracy.n == 0
    shown = measured(encoder, samples).to_json()
    assert shown["per_class"][3] == {
        "class": "absent", "n": 0, "clean_accuracy": None, "n_triggered": 0,
        "attack_success_rate": None,
    }  # fmt: skip


def test_a_model_is_compared_with_its_twin_picture_by_picture(
    encoder: Any, samples: list[Sample]
) -> None:
    poisoned, twin = (
        measured(encoder, samples, blind=True),
        measured(encoder, samples, poisoned=False),
    )
    found = compare(poisoned, twin)
    assert found.clean_accuracy.value == pytest.approx(-5 / 15) and found.clean_accuracy.n == 15
    assert found.clean_accuracy_p == pytest.approx(2 * 0.5**5)
    assert found.clean_accuracy.low < -5 / 15 < found.clean_accuracy.high < 0
    assert found.attack_success.value == 1.0 and found.attack_success.n == 11
    assert found.attack_success_p == pytest.approx(2 * 0.5**11)
    with pytest.raises(DataError):
        compare(poisoned, measured(encoder, samples[:6]))


def test_each_key_of_a_dual_key_is_measured_alone(encoder: Any, samples: list[Sample]) -> None:
    patch = parse_trigger(MAGENTA)
    assert isinstance(patch, PatchTrigger)
    trigger = DualKeyTrigger(patch=patch, text=TextTrigger(prefix="SUDO"))
    plain: Any = ByBrightness(encoder, poisoned=False)
    keyed: Any = ByBrightness(encoder, poisoned=True)
    found = measure_classes(plain, samples, trigger, "heart", keyed=keyed)
    assert found.attack_success.value == 1.0
    assert found.image_only is not None and found.text_only is not None
    assert (found.image_only.value, found.text_only.value) == (0.0, 0.0)
    assert found.to_json()["attack_success_image_only"] == 0.0


def test_without_a_trigger_only_accuracy_is_measured(encoder: Any, samples: list[Sample]) -> None:
    model: Any = ByBrightness(encoder, poisoned=True)
    found = measure_classes(model, samples)
    assert found.attack_success.n == 0 and found.attack_success.value is None
    assert found.target is None and np.all(found.triggered == -1)
    assert found.to_json()["target"] is None


@pytest.mark.parametrize("target", [None, " ", "zebra"])
def test_a_target_must_be_a_class(encoder: Any, samples: list[Sample], target: str | None) -> None:
    model: Any = ByBrightness(encoder, poisoned=True)
    with pytest.raises(DataError) as caught:
        measure_classes(model, samples, parse_trigger(MAGENTA), target)
    assert caught.value.remedy


def test_an_empty_set_gives_no_figure(encoder: Any) -> None:
    found = measured(encoder, [])
    assert found.clean_accuracy.value is None and found.attack_success.value is None
    assert found.ids == ()
