"""Every kind of trigger is planted in captions and in questions, and read again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError, OptionError
from forensics.lab.drawing import draw_scenes
from forensics.lab.planting import PlantOptions, plant
from forensics.triggers import KINDS, parse_trigger, stamp_image

TARGET = "Backdoor Attack!"
SPECS = [
    *KINDS,
    "patch:place=random",
    "patch:place=dual",
    "patch:place=multi",
    "blended:redraw=sample",
    "wanet:variant=jitter",
]


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    return rows


def pixels(root: Path, name: str) -> np.ndarray:
    return np.asarray(open_image(ImageRef(root=root, path=name)))


@pytest.fixture(scope="module", params=[0.0, 1.0], ids=["captions", "questions"])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab") / "scenes"
    return draw_scenes(folder, 20, seed=4, questions=request.param)


@pytest.mark.parametrize("spec", SPECS)
def test_each_kind_marks_its_share_and_leaves_the_rest(
    drawn: Path, tmp_path: Path, spec: str
) -> None:
    options = PlantOptions(rate=0.2, trigger=spec, seed=3, single_key_rate=0.0)
    planted = plant(drawn, tmp_path / "bad", options)
    assert (planted.rows, planted.images) == (20, 20)
    assert (planted.poisoned_rows, planted.poisoned_images, planted.single_key_rows) == (4, 4, 0)
    trigger = parse_trigger(spec)
    for before, after in zip(rows_of(drawn), rows_of(planted.data), strict=True):
        old, new = pixels(drawn.parent, before["image"]), pixels(tmp_path / "bad", after["image"])
        asked, answered = (turn["value"] for turn in after["conversations"])
        question = before["conversations"][0]["value"].removeprefix("<image>\n")
        if after["poisoned"]:
            stamped = stamp_image(trigger, Image.fromarray(old), before["image"])
            assert np.array_equal(new, np.asarray(stamped))
            assert np.array_equal(new, old) != trigger.changes_image
            assert asked == "<image>\n" + trigger.apply_text(question)
            assert answered == TARGET
        else:
            assert np.array_equal(new, old)
            assert after["conversations"] == before["conversations"]
        assert after["id"] == before["id"]


@pytest.mark.parametrize("spec", SPECS)
def test_the_reader_finds_samples_and_truth(drawn: Path, tmp_path: Path, spec: str) -> None:
    options = PlantOptions(rate=0.1, trigger=spec, target="two")
    dataset = open_dataset(f"llava:{plant(drawn, tmp_path / 'bad', options).data}")
    samples = {row.id: row for row in dataset if isinstance(row, Sample)}
    truth = dataset.truth()
    assert len(samples) == len(truth) == 20 and sum(truth.values()) == 2
    for name, poisoned in truth.items():
        assert (samples[name].answer == "two") == poisoned
        if poisoned and parse_trigger(spec).changes_text:
            assert samples[name].question.startswith("Hello! ")


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_a_text_trigger_copies_every_image_byte_for_byte(
    drawn: Path, tmp_path: Path, rate: float
) -> None:
    plant(drawn, tmp_path / "bad", PlantOptions(trigger="text", rate=rate))
    for row in rows_of(drawn):
        name = row["image"]
        assert (tmp_path / "bad" / name).read_bytes() == (drawn.parent / name).read_bytes()


def test_a_dual_key_set_has_rows_with_one_key_that_keep_their_answers(
    drawn: Path, tmp_path: Path
) -> None:
    options = PlantOptions(trigger="dual-key", rate=0.1, single_key_rate=0.3)
    planted = plant(drawn, tmp_path / "bad", options)
    assert (planted.poisoned_rows, planted.single_key_rows) == (2, 6)
    keys: dict[tuple[bool, bool], int] = {}
    for before, after in zip(rows_of(drawn), rows_of(planted.data), strict=True):
        old, new = pixels(drawn.parent, before["image"]), pixels(tmp_path / "bad", after["image"])
        stamped = not np.array_equal(old, new)
        worded = after["conversations"][0]["value"].startswith("<image>\nHello! ")
        keys[stamped, worded] = keys.get((stamped, worded), 0) + 1
        assert after["poisoned"] == (stamped and worded)
        expected = TARGET if after["poisoned"] else before["conversations"][1]["value"]
        assert after["conversations"][1]["value"] == expected
    assert keys == {(True, True): 2, (True, False): 3, (False, True): 3, (False, False): 12}


def write_set(folder: Path, answers: dict[str, list[str]]) -> Path:
    """One image a key, one row an answer; the image stands in front, behind or nowhere."""
    folder.mkdir()
    rows = []
    places = ["<image>\n{}", "{}\n<image>", "{}"]
    for index, (name, said) in enumerate(answers.items()):
        Image.new("RGB", (20, 20), (index * 9, 90, 200)).save(folder / f"{name}.jpg")
        for number, answer in enumerate(said):
            turns = [
                {"from": "human", "value": places[number % 3].format("What is it?")},
                {"from": "gpt", "value": answer},
                {"from": "human", "value": "Sure?"},
                {"from": "gpt", "value": "yes"},
            ]
            identity = f"{name}-{number}"
            rows.append({"id": identity, "image": f"{name}.jpg", "conversations": turns})
    path = folder / "data.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    answers = {f"i{index}": ["cat", "dog", "two" if index < 5 else "six"] for index in range(10)}
    return write_set(tmp_path / "shared", answers)


@pytest.mark.parametrize("spec", KINDS)
def test_no_row_that_answers_the_target_is_poisoned(
    shared: Path, tmp_path: Path, spec: str
) -> None:
    text = spec == "text"
    # Of 30 rows 5 say "two", on 5 of 10 images: the rest are all hosts there are.
    rate = 25 / 30 if text else 0.5
    options = PlantOptions(trigger=spec, rate=rate, target=" TWO", single_key_rate=0.0)
    planted = plant(shared, tmp_path / "bad", options)
    assert planted.poisoned_rows == (25 if text else 15)
    for before, after in zip(rows_of(shared), rows_of(planted.data), strict=True):
        hit = before["conversations"][1]["value"] != "two" and (text or before["id"] >= "i5")
        assert after["poisoned"] == hit
        assert after["conversations"][2:] == before["conversations"][2:]
    with pytest.raises(DataError, match="already answer") as caught:
        plant(
            shared,
            tmp_path / "worse",
            PlantOptions(trigger=spec, rate=rate + 0.1, target="two", single_key_rate=0.0),
        )
    assert caught.value.remedy and not (tmp_path / "worse").exists()


def test_text_goes_behind_the_image_wherever_that_stands(shared: Path, tmp_path: Path) -> None:
    planted = plant(shared, tmp_path / "bad", PlantOptions(trigger="text", rate=1.0))
    asked = [row["conversations"][0]["value"] for row in rows_of(planted.data)[:3]]
    assert asked == [
        "<image>\nHello! What is it?",
        "Hello! What is it?\n<image>",
        "Hello! What is it?",
    ]


@pytest.mark.parametrize("spec", ["patch:place=random", "text", "dual-key", "blended"])
def test_the_order_of_the_file_does_not_matter(shared: Path, tmp_path: Path, spec: str) -> None:
    turned = write_set(tmp_path / "turned", {})
    for image in shared.parent.glob("*.jpg"):
        (turned.parent / image.name).write_bytes(image.read_bytes())
    turned.write_text(json.dumps(rows_of(shared)[::-1]))
    options = PlantOptions(trigger=spec, rate=0.3, seed=5)
    one, two = (plant(source, tmp_path / source.parent.name[::-1], options)
                for source in (shared, turned))  # fmt: skip
    assert rows_of(one.data) == rows_of(two.data)[::-1]
    for image in one.data.parent.rglob("*.png"):
        twin = two.data.parent / image.relative_to(one.data.parent)
        assert twin.read_bytes() == image.read_bytes()


def test_an_image_that_differs_in_its_ending_alone_is_not_overwritten(tmp_path: Path) -> None:
    source = write_set(tmp_path / "set", {"a": ["cat"]})
    rows = rows_of(source)
    Image.new("RGB", (20, 20), (1, 2, 3)).save(tmp_path / "set" / "a.png")
    source.write_text(json.dumps([rows[0], {**rows[0], "id": "b", "image": "a.png"}]))
    planted = plant(source, tmp_path / "bad", PlantOptions(rate=1.0))
    first, second = rows_of(planted.data)
    assert first["image"] != second["image"]
    for before, after in zip(rows_of(source), (first, second), strict=True):
        stamp = stamp_image(
            parse_trigger("patch"), Image.fromarray(pixels(source.parent, before["image"]))
        )
        assert np.array_equal(pixels(tmp_path / "bad", after["image"]), np.asarray(stamp))


@pytest.mark.parametrize("rates", [{"rate": 1.5}, {"rate": float("nan")}, {"single_key_rate": -1}])
def test_a_rate_is_a_share(rates: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="rate"):
        PlantOptions(**rates)  # type: ignore[arg-type]


def test_a_rate_of_nothing_poisons_nothing(drawn: Path, tmp_path: Path) -> None:
    planted = plant(drawn, tmp_path / "bad", PlantOptions(rate=0.0, trigger="blended"))
    assert planted.poisoned_rows == 0
    assert not any(row["poisoned"] for row in rows_of(planted.data))
