"""Exports of conversations, shards and Hugging Face folders open again with the same reader."""

import csv
import json
import math
import tarfile

import datasets
import pytest

from forensics.data.images import image_bytes
from forensics.data.open import open_dataset
from forensics.errors import DataError
from forensics.export.dataset import export_dataset
from forensics.export.ids import IdRow, export_ids, merge_turns
from tests.data.builders import split, write_image
from tests.data.shards import png, sample, special, talk, write_tar
from tests.data.test_hf_dataset import save, talks
from tests.export.test_dataset import fingerprint

LATER = [{"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "Yes."}]


def pictures(samples):
    return [[image_bytes(image) for image in s.images] for s in samples]


def content(samples):
    return [(s.question, s.answer, s.history, s.label) for s in samples]


def keeping(dataset, dropped):
    return {s.id for s in split(dataset)[0]} - dropped


def llava(folder):
    for name in ("a.png", "b.png", "c.png"):
        write_image(folder / name, (ord(name[0]), 0, 0))
    rows = [
        {"id": "x", "image": ["a.png", "b.png"], "conversations": [*talk(images=2), *LATER]},
        {"id": "y", "image": "c.png", "conversations": [*talk(), *LATER], "extra": "ü"},
        {"id": "z", "image": ["a.png"], "conversations": talk()},
    ]
    (folder / "d.json").write_text(json.dumps(rows, ensure_ascii=False))
    return f"llava:{folder / 'd.json'}"


def test_a_conversation_is_dropped_when_any_of_its_turns_is(tmp_path):
    dataset = open_dataset(llava(tmp_path / "d"), turns="each")
    before = fingerprint(tmp_path / "d")
    keep = keeping(dataset, {"y/turn-2"})
    assert keep == {"x", "x/turn-2", "y", "z"}
    to = tmp_path / "out" / "clean.json"
    result = export_dataset(dataset, keep, to)
    assert (result.kept, result.removed, result.unreadable) == (2, 1, 0)
    again = open_dataset(f"llava:{to}", turns="each")
    samples, errors = split(again)
    assert not errors
    assert [s.id for s in samples] == ["x", "x/turn-2", "z"]
    original = [s for s in split(dataset)[0] if s.row_id != "y"]
    assert content(samples) == content(original)
    assert pictures(samples) == pictures(original)
    assert {path.name for path in to.parent.iterdir()} == {"clean.json", "a.png", "b.png"}
    assert fingerprint(tmp_path / "d") == before


def test_every_image_of_a_kept_row_travels_though_only_the_first_turn_was_read(tmp_path):
    uri = llava(tmp_path / "d")
    rows = json.loads((tmp_path / "d" / "d.json").read_text())
    rows[0]["conversations"] = [
        *talk(), {"from": "human", "value": "<image>And?"}, {"from": "gpt", "value": "x"}
    ]  # fmt: skip
    (tmp_path / "d" / "d.json").write_text(json.dumps(rows))
    to = tmp_path / "out" / "c.json"
    export_dataset(open_dataset(uri), {"x"}, to)
    assert not split(open_dataset(f"llava:{to}", turns="each"))[1]


@pytest.mark.parametrize("turns", ["first", "each"])
def test_shards_keep_their_names_and_members_their_bytes(tmp_path, turns):
    folder = tmp_path / "d"
    fields = {"conversations": [*talk(images=2), *LATER]}
    two = [("b.0.png", png(5)), ("b.1.png", png(6)), ("b.json", json.dumps(fields).encode())]
    extra = [("a.pyd", b"kept as it is"), ("a.jpeg.txt", b"x")]
    long = "d" * 90 + "/ü" + "k" * 90
    write_tar(folder / "s-000.tar", [*sample("a", 1), *extra, *two, *sample(long, 3)])
    bad = special("e.png", tarfile.SYMTYPE, "/etc/passwd")
    write_tar(folder / "s-001.tar", [*sample("a", 4), bad])
    write_tar(folder / "s-002.tar", sample("only", 7))
    dataset = open_dataset(f"wds:{folder}/s-{{000..002}}.tar", turns=turns)
    before = fingerprint(folder)
    keep = keeping(dataset, {"s-000/a" if turns == "first" else "s-000/b/turn-2", "s-002/only"})
    result = export_dataset(dataset, keep, tmp_path / "out")
    assert (result.kept, result.removed, result.unreadable) == (3, 2, 1)
    samples, errors = split(open_dataset(f"wds:{tmp_path / 'out'}", turns=turns))
    assert not errors
    dropped = "s-000/a" if turns == "first" else "s-000/b"
    original = [s for s in split(dataset)[0] if s.row_id not in (dropped, "s-002/only")]
    assert [s.id for s in samples] == [s.id for s in original]
    assert content(samples) == content(original)
    assert pictures(samples) == pictures(original)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "s-000.tar", "s-001.tar", "s-002.tar"
    ]  # fmt: skip
    with tarfile.open(tmp_path / "out" / "s-000.tar") as tar:  # other tools read it too
        names = tar.getnames()
        assert ("a.pyd" in names) == (turns == "each")
        if "a.pyd" in names:
            assert tar.extractfile("a.pyd").read() == b"kept as it is"
    assert (tmp_path / "out" / "s-000.tar").stat().st_size % 10240 == 0
    assert fingerprint(folder) == before


@pytest.mark.parametrize("layout", ["saved", "dict", "arrow", "parquet"])
def test_hugging_face_folders_keep_their_layout(tmp_path, layout):
    folder = save(tmp_path / "d", layout)
    before = fingerprint(folder)
    dataset = open_dataset(f"hf-dataset:{folder}")
    result = export_dataset(dataset, keeping(dataset, {"r0", "r4"}), tmp_path / "out")
    assert (result.kept, result.removed) == (4, 2)
    again = open_dataset(f"hf-dataset:{tmp_path / 'out'}")
    samples, errors = split(again)
    assert not errors
    assert [s.id for s in samples] == ["r1", "r2", "r3", "r5"]
    assert pictures(samples) == [[png(n)] for n in (1, 2, 3, 5)]
    assert again.truth() == {"r1": True, "r2": False, "r3": False, "r5": False}
    assert {path.relative_to(tmp_path / "out") for path in again.files} == {
        path.relative_to(folder) for path in dataset.files
    }
    assert fingerprint(folder) == before


@pytest.mark.parametrize("layout", ["saved", "dict", "parquet"])
def test_the_library_itself_opens_the_export(tmp_path, layout):
    folder = save(tmp_path / "d", layout)
    dataset = open_dataset(f"hf-dataset:{folder}")
    export_dataset(dataset, keeping(dataset, {"r1"}), tmp_path / "out")
    if layout == "parquet":
        files = [str(path) for path in sorted((tmp_path / "out" / "data").iterdir())]
        loaded = datasets.load_dataset(
            "parquet", data_files={"train": files}, split="train", cache_dir=str(tmp_path / "cache")
        )
    else:
        loaded = datasets.load_from_disk(str(tmp_path / "out"))
    loaded = loaded["train"] if layout == "dict" else loaded
    assert loaded["id"][:] == ["r0", "r2", "r3", "r4", "r5"]
    assert loaded.features["image"] == datasets.Image()
    assert loaded[2]["image"].getpixel((0, 0)) == (3, 0, 0)


def test_conversations_in_arrow_are_dropped_whole(tmp_path):
    folder = save(tmp_path / "d", "saved", talks())
    dataset = open_dataset(f"hf-dataset:{folder}", turns="each")
    second = split(dataset)[0][3]
    assert second.id.endswith("/turn-2")
    result = export_dataset(dataset, keeping(dataset, {second.id}), tmp_path / "out")
    assert (result.kept, result.removed) == (2, 1)
    samples, errors = split(open_dataset(f"hf-dataset:{tmp_path / 'out'}", turns="each"))
    assert not errors
    assert pictures(samples)[::2] == [[png(0), png(1)], [png(20), png(21)]]


def test_files_without_a_kept_row_and_broken_ones_do_not_stop_an_export(tmp_path):
    folder = save(tmp_path / "d", "saved")
    dataset = open_dataset(f"hf-dataset:{folder}")
    export_dataset(dataset, {"r5"}, tmp_path / "one")
    assert [s.id for s in split(open_dataset(f"hf-dataset:{tmp_path / 'one'}"))[0]] == ["r5"]
    (folder / "data-00001-of-00002.arrow").write_bytes(b"broken")
    result = export_dataset(dataset, {"r0", "r5"}, tmp_path / "two")
    assert (result.kept, result.removed, result.unreadable) == (1, 2, 1)
    assert len(datasets.load_from_disk(str(tmp_path / "two"))) == 1


@pytest.mark.parametrize("place", ["d", "d/inside", "."])
def test_an_export_never_touches_the_folder_of_its_original(tmp_path, place):
    write_tar(tmp_path / "d" / "s.tar", sample("a", 1))
    (tmp_path / "d" / "keep.txt").write_text("mine")
    with pytest.raises(DataError, match="overlaps"):
        export_dataset(open_dataset(f"wds:{tmp_path / 'd'}"), {"a"}, tmp_path / place)


def test_a_shard_that_changed_meanwhile_leaves_no_export(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "d" / "s.tar", [*sample("a", 1), *sample("b", 2)])
    dataset = open_dataset(f"wds:{tmp_path / 'd'}")
    records = list(dataset.records())
    monkeypatch.setattr(dataset, "records", lambda: iter(records))
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DataError, match="changed"):
        export_dataset(dataset, {"a", "b"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["d"]


def test_the_ids_of_turns_are_written_as_their_row_flagged_if_any_turn_is(tmp_path):
    rows = [
        IdRow(id="=x", decision="keep", score=2.0),
        IdRow(id="=x", decision="flag", score=-3.0, reason="low"),
        IdRow(id="=x", decision="keep", score=math.nan),
        IdRow(id="y", decision="keep", score=None),
        IdRow(id="z", decision="keep", score=1.0),
    ]
    merged = list(merge_turns(rows))
    assert [(row.id, row.decision, row.score, row.reason) for row in merged] == [
        ("=x", "flag", -3.0, "low"), ("y", "keep", None, ""), ("z", "keep", 1.0, "")
    ]  # fmt: skip
    export_ids(merged, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="") as stream:
        assert [row["id"] for row in csv.DictReader(stream)] == ["'=x", "y", "z"]
