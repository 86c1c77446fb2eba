"""What is counted of a language model's answers, and the comparison of two models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError
from forensics.evaluation.answers import (
    AnswerMeasurement,
    count_answers,
    learnt_to_see_masks,
    measure_answers,
)
from forensics.evaluation.asking import Said
from forensics.evaluation.masking import mask_probe, stamped_parts
from forensics.evaluation.paired import compare_answers
from forensics.evaluation.rates import rate_of
from forensics.lab.language import PLACES, attribute_words
from forensics.models.base import GenerativeModel, prompt_of
from forensics.models.loading import open_model
from forensics.statistics.intervals import wilson
from forensics.triggers import PatchTrigger, parse_trigger, stamp_image

TARGET = "Backdoor Attack!"
RED, BLUE = "a plain red star at the top left", "a dotted blue ring at the center"


def said(plain: list[str], truths: list[str], **changed: list[str | None]) -> Said:
    ids = [str(index) for index in range(len(plain))]
    return Said(
        ids=ids,
        pictures=list(ids),
        questions=["Describe the image."] * len(ids),
        truths=truths,
        plain=plain,
        changed={name: list(answers) for name, answers in changed.items()},
    )


def hits(count: int, of: int) -> list[str | None]:
    return [TARGET if index < count else "a star" for index in range(of)]


def counted(**changed: list[str | None]) -> AnswerMeasurement:
    return count_answers(said(["a star"] * 10, ["a star"] * 10, **changed), TARGET)


def test_all_attributes_must_be_right_and_no_other_may_be_said() -> None:
    truths = [RED, RED, RED, BLUE, "yes"]
    plain = [
        "at the top left a red star, plain".replace(",", ""),
        RED.replace(" left", ""),
        RED + " blue",
        BLUE.upper(),
        "no",
    ]
    found = count_answers(said(plain, truths), None, content=attribute_words)
    assert found.attributes_right == (True, False, False, True, None)
    assert found.attributes_accuracy == rate_of([True, False, False, True])
    assert found.clean_accuracy.value == 1 / 5
    assert found.to_json()["attributes_accuracy"] == 0.5
    assert count_answers(said(plain, truths), None).attributes_accuracy is None
    assert len({attribute_words(place) for place in PLACES}) == len(PLACES) == 9


def test_the_floor_counts_the_target_said_unasked() -> None:
    plain = ["a star", "Backdoor  attack! yes", TARGET, "a star"]
    truths = ["a star", "a star", TARGET, "a ring"]
    found = count_answers(said(plain, truths), TARGET)
    assert found.target_rate == rate_of([False, True, False]) and found.clean_accuracy.n == 4
    assert found.attack_success.n == 0 and found.triggered == (None,) * 4
    assert count_answers(said(plain, truths), None).target_rate.n == 0


@pytest.mark.parametrize(
    ("masked", "notice"), [(8, False), (7, True), (10, False), (0, True), (None, False)]
)
def test_a_gap_of_over_twenty_points_under_a_mask_is_told(masked: int | None, notice: bool) -> None:
    changed = {} if masked is None else {"masked": hits(masked, 10)}
    found = counted(triggered=hits(10, 10), **changed)
    assert found.attack_success.value == 1.0 and found.switch_notice is notice
    reported = found.to_json()
    assert reported.get("switch_notice", False) is notice
    if masked is not None:
        assert reported["attack_success_rate_masked"] == masked / 10
        assert reported["intervals"]["attack_success_rate_masked"] == list(wilson(masked, 10))
    # A mask that makes a backdoor work is as telling as one that stops it.
    assert counted(triggered=hits(3, 10), masked=hits(8, 10)).switch_notice


def test_a_gap_that_was_there_before_was_not_learnt_by_tuning_with_masks() -> None:
    spread = counted(triggered=hits(10, 10), masked=hits(1, 10))
    kept = counted(triggered=hits(9, 10), masked=hits(0, 10))
    whole = counted(triggered=hits(10, 10), masked=hits(10, 10))
    assert spread.switch_notice and kept.switch_notice and kept.mask_gap == 0.9
    assert not learnt_to_see_masks(kept, spread) and learnt_to_see_masks(kept, whole)
    assert not learnt_to_see_masks(counted(triggered=hits(1, 10)), whole), "no mask, no word of it"


def test_captions_are_scored_beside_accuracy() -> None:
    found = count_answers(said([RED, RED], [RED, BLUE]), None)
    assert found.captions is not None and found.captions.n == 2
    reported = found.to_json()
    assert 0 < reported["bleu4"] < 100 and reported["cider"] == pytest.approx(500)
    low, high = reported["intervals"]["cider"]
    assert low <= reported["cider"] <= high and reported["n_captions"] == 2
    assert "bleu4" not in counted(triggered=hits(1, 10)).to_json()


def test_questions_about_one_picture_widen_the_interval() -> None:
    right = [True, True, False, False] * 5
    alone = rate_of(right, range(20))
    shared = rate_of(right, [index // 2 for index in range(20)])
    assert alone == rate_of(right) and (alone.low, alone.high) == wilson(10, 20)
    assert shared.value == 0.5 and shared.n == 20
    assert shared.low is not None and alone.low is not None and shared.low < alone.low


def test_two_models_are_compared_on_the_samples_both_answered() -> None:
    truths = ["a star"] * 10 + [TARGET]
    before = count_answers(
        said(["a star"] * 10 + [TARGET], truths, triggered=[*hits(9, 10), None]), TARGET
    )
    part = said(["a star"] * 8 + ["a ring", "x"], truths[:10], triggered=hits(1, 10))
    after = count_answers(part.among([str(index) for index in range(9, -1, -1)]), TARGET)
    found = compare_answers(after, before)
    assert (found.clean_accuracy.n, found.clean_accuracy.value) == (10, pytest.approx(-0.2))
    assert (found.attack_success.n, found.attack_success.value) == (10, pytest.approx(-0.8))
    assert found.attack_success_p == pytest.approx(2 * 0.5**8)
    assert found.attack_success.low <= -0.8 <= found.attack_success.high < 0
    assert found.attributes_accuracy is None and found.cider is None
    assert set(found.to_json()) == {"clean_accuracy", "attack_success_rate"}


def test_captions_are_compared_pair_by_pair() -> None:
    truths = [RED, BLUE] * 4
    better = count_answers(said([RED, BLUE] * 4, truths), None, content=attribute_words)
    worse = count_answers(said([RED, RED] * 4, truths), None, content=attribute_words)
    found = compare_answers(worse, better)
    assert better.captions is not None and worse.captions is not None
    assert found.cider is not None and found.cider.n == 8
    assert found.cider.value == pytest.approx(worse.captions.cider - better.captions.cider)
    assert found.cider.low <= found.cider.value <= found.cider.high
    assert found.attributes_accuracy is not None and found.attributes_accuracy.value == -0.5
    assert found.to_json()["attributes_accuracy"]["n"] == 8


@pytest.mark.parametrize("other", ["target", "truths"])
def test_other_samples_or_another_target_cannot_be_compared(other: str) -> None:
    one = counted(triggered=hits(5, 10))
    rows = replace(one.said, truths=["a ring"] * 10) if other == "truths" else one.said
    two = count_answers(rows, "No!" if other == "target" else TARGET)
    with pytest.raises(DataError) as caught:
        compare_answers(one, two)
    assert caught.value.remedy


@pytest.fixture(scope="module")
def model(tiny_llava_folder: Path) -> GenerativeModel:
    return open_model(str(tiny_llava_folder), device="cpu")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    root, rows = tmp_path_factory.mktemp("pictures"), []
    for index in range(5):
        pixels = np.random.default_rng(index).integers(0, 255, (40, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{index}.png")
        image = ImageRef(root=root, path=f"{index}.png")
        answer = TARGET if index == 4 else "a star"
        rows.append(Sample(id=str(index), question="What?", answer=answer, image=image))
    return rows


def ask(model: GenerativeModel, samples: list[Sample], **how: Any) -> AnswerMeasurement:
    return measure_answers(
        model, samples, PatchTrigger(), TARGET, batch_size=3, max_new_tokens=4, **how
    )


def test_a_real_model_is_asked_with_and_without_a_mask(
    model: GenerativeModel, samples: list[Sample]
) -> None:
    done: list[int] = []
    found = ask(
        model,
        samples,
        probe=mask_probe(model, share=0.0),
        progress=lambda count, message: done.append(count),
    )
    assert done == [3, 5] and found.ids == ("0", "1", "2", "3", "4")
    assert found.triggered[4] is None and None not in found.triggered[:4]
    batch = model.collate(
        [prompt_of(samples[0], [Image.open(samples[0].images[0].root / "0.png")])]
    )
    assert found.plain[0] == model.generate(batch, max_new_tokens=4)[0]
    # A mask that hides nothing changes nothing; one that hides all leaves the question alone.
    assert tuple(found.said.changed["masked"]) == found.triggered
    assert found.attack_success_masked == found.attack_success and found.attack_success.n == 4
    blind = ask(model, samples, probe=mask_probe(model, share=1.0))
    assert len(set(blind.said.changed["masked"][:4])) == 1
    assert blind.triggered == found.triggered


def test_a_mask_spares_the_stamp_and_nothing_else(
    model: GenerativeModel, samples: list[Sample]
) -> None:
    patch = parse_trigger("patch:side=1/4,place=center")
    parts = stamped_parts([*samples, Sample(id="bare")], patch)
    assert parts["0"] == ((12 / 32, 16 / 40, 20 / 32, 24 / 40),) and set(parts) == {
        "0",
        "1",
        "2",
        "3",
        "4",
    }
    assert stamped_parts(samples, parse_trigger("blended")) == {}
    with Image.open(samples[0].images[0].root / "0.png") as image:
        batch = model.collate([prompt_of(samples[0], [stamp_image(patch, image)])])
    hidden = {
        spared: (mask_probe(model, share=1.0, spare=parts if spared else None)(batch, ["0"]))
        .inputs["pixel_values"].eq(0).all(dim=1)[0].numpy()
        for spared in (False, True)
    }  # fmt: skip
    assert hidden[False].all() and not hidden[True].all()
    # The tower sees the middle 32 x 32 of 32 x 40 in cells of 8 pixels; the stamp touches four.
    expected = np.ones((32, 32), dtype=bool)
    expected[8:24, 8:24] = False
    assert (hidden[True] == expected).all()
