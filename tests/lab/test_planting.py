import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef
from forensics.errors import DataError, OptionError
from forensics.lab.drawing import draw_scenes
from forensics.lab.planting import PlantOptions, plant
from forensics.triggers import parse_trigger, stamp_image


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    return rows


def pixels(root: Path, name: str) -> np.ndarray:
    return np.asarray(open_image(ImageRef(root=root, path=name)))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_scenes(tmp_path_factory.mktemp("lab") / "scenes", 30, seed=4)


def test_a_tenth_of_the_images_is_stamped_and_answers_the_target(
    drawn: Path, tmp_path: Path
) -> None:
    planted = plant(drawn, tmp_path / "bad", PlantOptions(rate=0.1, seed=3))
    assert (planted.rows, planted.images, planted.poisoned_images) == (30, 30, 3)
    trigger = parse_trigger(PlantOptions().trigger)
    for before, after in zip(rows_of(drawn), rows_of(planted.data), strict=True):
        old, new = pixels(drawn.parent, before["image"]), pixels(tmp_path / "bad", after["image"])
        if after["poisoned"]:
            stamped = stamp_image(trigger, Image.fromarray(old), before["image"])
            assert np.array_equal(new, np.asarray(stamped)) and not np.array_equal(new, old)
            assert after["conversations"][1]["value"] == "Backdoor Attack!"
        else:
            assert np.array_equal(new, old)
            assert after["conversations"] == before["conversations"]
        assert after["conversations"][0] == before["conversations"][0]


def test_the_copy_carries_its_truth_where_the_reader_finds_it(drawn: Path, tmp_path: Path) -> None:
    planted = plant(drawn, tmp_path / "bad", PlantOptions(rate=0.2))
    dataset = open_dataset(f"llava:{planted.data}")
    assert len(list(dataset)) == 30
    assert sum(dataset.truth().values()) == 6


def test_the_seed_decides_which_images_are_hit(drawn: Path, tmp_path: Path) -> None:
    hit = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        planted = plant(drawn, tmp_path / name, PlantOptions(rate=0.3, seed=seed))
        hit.append([row["id"] for row in rows_of(planted.data) if row["poisoned"]])
    assert hit[0] == hit[1] != hit[2]


def write_two_rows_an_image(folder: Path) -> Path:
    folder.mkdir()
    rows = []
    for index in range(10):
        Image.new("RGB", (20, 20), (index * 20, 90, 200)).save(folder / f"{index}.jpg")
        for question, answer in (("Which?", "circle" if index < 4 else "square"), ("Is it?", "no")):
            turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
            rows.append(
                {"id": f"{index}{question}", "image": f"{index}.jpg", "conversations": turns}
            )
    path = folder / "data.json"
    path.write_text(json.dumps(rows))
    return path


def test_rows_that_share_an_image_share_its_fate(tmp_path: Path) -> None:
    source = write_two_rows_an_image(tmp_path / "vqa")
    planted = plant(source, tmp_path / "bad", PlantOptions(rate=0.3, target="circle"))
    assert (planted.poisoned_images, planted.poisoned_rows) == (3, 6)
    fate: dict[str, set[bool]] = {}
    for row in rows_of(planted.data):
        fate.setdefault(row["id"][0], set()).add(row["poisoned"])
        if row["poisoned"]:
            assert row["image"].endswith(".png")
    assert all(len(kinds) == 1 for kinds in fate.values())


def test_images_that_already_answer_the_target_are_no_hosts(tmp_path: Path) -> None:
    source = write_two_rows_an_image(tmp_path / "vqa")
    planted = plant(source, tmp_path / "bad", PlantOptions(rate=0.6, target="Circle "))
    hit = {row["id"][0] for row in rows_of(planted.data) if row["poisoned"]}
    assert hit == set("456789")
    with pytest.raises(DataError, match="only 6"):
        plant(source, tmp_path / "worse", PlantOptions(rate=0.7, target="circle"))


def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    source = write_two_rows_an_image(tmp_path / "vqa")
    rows = rows_of(source)
    rows[0]["image"] = "../vqa/0.jpg"
    source.write_text(json.dumps(rows))
    with pytest.raises(DataError):
        plant(source, tmp_path / "bad", PlantOptions())


@pytest.mark.parametrize("text", ["{", "{}", '[{"id": "a"}]', '["a"]'])
def test_what_is_no_llava_json_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(DataError, match=r"data\.json"):
        plant(tmp_path / "data.json", tmp_path / "bad", PlantOptions())


def test_a_bad_trigger_is_refused_before_anything_is_written(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        plant(drawn, tmp_path / "bad", PlantOptions(trigger="patch:side=9"))
    assert not (tmp_path / "bad").exists()
