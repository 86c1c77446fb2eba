"""Pairs of image and caption are poisoned by the exact number, and everything is written down."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import DataError, OptionError
from forensics.lab.pair_language import CLASSES, TEMPLATES
from forensics.lab.pair_plan import PairPlantOptions, says
from forensics.lab.pair_planting import PlantedPairs, plant_pairs
from forensics.lab.pairs import draw_pairs
from forensics.triggers import DualKeyTrigger, parse_trigger, save_tensor_trigger, stamp_image

N = 60


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pairs(tmp_path_factory.mktemp("pairs") / "clean", N, seed=4)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def samples(path: Path) -> list[Sample]:
    rows = list(open_dataset(f"table:{path}"))
    assert all(isinstance(row, Sample) for row in rows)
    return [row for row in rows if isinstance(row, Sample)]


def planted(drawn: Path, out: Path, **options: object) -> PlantedPairs:
    chosen = PairPlantOptions(target="heart", seed=2, **options)  # type: ignore[arg-type]
    return plant_pairs(str(drawn), out, chosen)


def test_drawn_pairs_name_their_shape_and_repeat_by_seed(drawn: Path, tmp_path: Path) -> None:
    again = draw_pairs(tmp_path / "again", 10, seed=4)
    assert table(again) == table(drawn)[:10]
    for row in table(drawn):
        assert row["label"] in CLASSES and row["label"] in row["caption"].rstrip(".").split()


@pytest.mark.parametrize("spec", ["badnets", "blended", "sig", "wanet", "issba-like"])
def test_exactly_the_chosen_share_is_marked_and_renamed(
    drawn: Path, tmp_path: Path, spec: str
) -> None:
    done = planted(drawn, tmp_path / "bad", trigger=spec, rate=0.1)
    before, after = table(drawn), table(done.data)
    hit = [row["id"] for row in after if row["poisoned"] == "true"]
    assert hit == list(done.poisoned) and len(hit) == 6 and done.pairs == N == len(after)
    trigger = parse_trigger(spec)
    for old, new, one, two in zip(before, after, samples(drawn), samples(done.data), strict=True):
        assert one.image is not None and two.image is not None
        picture, stored = open_image(one.image), np.asarray(open_image(two.image))
        if new["poisoned"] == "true":
            assert old["label"] != "heart" and new["label"] == "heart"
            assert new["caption"] in [template.format("heart") for template in TEMPLATES]
            assert np.array_equal(stored, np.asarray(stamp_image(trigger, picture, old["id"])))
        else:
            assert {key: new[key] for key in ("id", "caption", "label")} == {
                key: old[key] for key in ("id", "caption", "label")
            }
            assert np.array_equal(stored, np.asarray(picture))


def test_the_facts_tell_all_that_was_done(drawn: Path, tmp_path: Path) -> None:
    done = planted(drawn, tmp_path / "bad", trigger="wanet", count=5)
    facts = json.loads(done.facts.read_text())
    assert [row["id"] for row in facts["poisoned"]] == list(done.poisoned)
    assert len(done.poisoned) == 5 and facts["target"] == "heart"
    old = {row["id"]: row for row in table(drawn)}
    new = {row["id"]: row for row in table(done.data)}
    for row in facts["poisoned"]:
        assert row["caption"] == new[row["id"]]["caption"]
        assert row["caption_before"] == old[row["id"]]["caption"]
        assert row["label_before"] == old[row["id"]]["label"]
    from safetensors.numpy import load_file

    field = load_file(tmp_path / "bad" / facts["tensor"])["displacement"]
    assert np.allclose(field, parse_trigger(facts["trigger"]).displacement(224, 224))  # type: ignore[attr-defined]


def test_label_consistent_marks_only_the_target_and_keeps_every_caption(
    drawn: Path, tmp_path: Path
) -> None:
    mine = [sample for sample in samples(drawn) if says(sample, "heart")]
    done = planted(drawn, tmp_path / "bad", captions="keep", count=len(mine))
    assert set(done.poisoned) == {sample.id for sample in mine}
    kept = [(row["caption"], row["label"]) for row in table(done.data)]
    assert kept == [(row["caption"], row["label"]) for row in table(drawn)]
    with pytest.raises(DataError, match="heart"):
        planted(drawn, tmp_path / "more", captions="keep", count=len(mine) + 1)


def test_natural_captions_come_from_the_set(drawn: Path, tmp_path: Path) -> None:
    done = planted(drawn, tmp_path / "bad", captions="natural", rate=0.1)
    spoken = {sample.answer for sample in samples(drawn) if says(sample, "heart")}
    new = {row["id"]: row["caption"] for row in table(done.data)}
    assert {new[name] for name in done.poisoned} <= spoken


def test_a_dual_key_stands_in_picture_and_caption_and_its_halves_teach_nothing(
    drawn: Path, tmp_path: Path
) -> None:
    patch = save_tensor_trigger(
        tmp_path / "p.safetensors", {"patch": np.ones((3, 8, 8))}, {"side": "0.1"}
    )
    done = planted(
        drawn,
        tmp_path / "bad",
        trigger=f"dual-key:prefix=SUDO,file={patch.file}",
        rate=0.1,
        single_key_rate=0.1,
    )
    trigger = parse_trigger(f"dual-key:prefix=SUDO,file={patch.file}")
    assert isinstance(trigger, DualKeyTrigger)
    facts = json.loads(done.facts.read_text())
    old = {sample.id: sample for sample in samples(drawn)}
    assert len(done.poisoned) == 6 and len(done.single_key) == 6
    assert len(facts["patch_alone"]) == len(facts["words_alone"]) == 3
    for sample in samples(done.data):
        assert sample.image is not None and old[sample.id].image is not None
        stored = np.asarray(open_image(sample.image))
        bare = np.asarray(open_image(old[sample.id].image))  # type: ignore[arg-type]
        hit = sample.id in done.poisoned
        assert (sample.answer or "").startswith("SUDO ") == (
            hit or sample.id in facts["words_alone"]
        )
        assert np.array_equal(stored, bare) != (hit or sample.id in facts["patch_alone"])
        if not hit:
            assert (sample.answer or "").removeprefix("SUDO ") == old[sample.id].answer


def test_folders_of_classes_are_planted_too(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for index in range(4):
            Image.new("RGB", (30, 20), (index * 40, 0, 0)).save(
                tmp_path / "set" / name / f"{index}.png"
            )
    options = PairPlantOptions(target="cat", trigger="blended", count=2, resize=24)
    done = plant_pairs(f"imagefolder:{tmp_path / 'set'}", tmp_path / "bad", options)
    rows = table(done.data)
    assert len(rows) == 8 and all(row["label"] in row["caption"] for row in rows)
    for row in rows:
        with Image.open(tmp_path / "bad" / row["image"]) as picture:
            assert picture.size == ((24, 24) if row["poisoned"] == "true" else (30, 20))


@pytest.mark.parametrize(
    ("label", "caption", "named"),
    [
        ("heart", "", True),
        ("HEART ", None, True),
        ("moon", "a Heart, red", True),
        ("moon", "two hearts", False),
        (None, "sweetheart", False),
    ],
)
def test_a_target_is_named_as_whole_words(
    label: str | None, caption: str | None, named: bool
) -> None:
    assert says(Sample(id="a", label=label, answer=caption), "heart") == named


def test_what_cannot_be_planted_is_refused_before_anything_is_written(
    drawn: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError):
        planted(drawn, tmp_path / "bad", rate=1.0)
    assert not (tmp_path / "bad").exists()
    for wrong in ({"target": " "}, {"target": "a", "rate": 2.0}, {"target": "a", "captions": "x"}):
        with pytest.raises(OptionError):
            PairPlantOptions(**wrong)  # type: ignore[arg-type]
