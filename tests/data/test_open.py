import contextlib
import json
import random

import pytest

from forensics.data.fields import FieldMap
from forensics.data.open import open_dataset
from forensics.errors import DataError
from tests.data.builders import record, split, write_image, write_records


@pytest.mark.parametrize("scheme", ["wds", "hf-dataset", "imagefolder"])
def test_data_that_holds_its_images_has_no_other_root(tmp_path, scheme):
    with pytest.raises(DataError, match="own root"):
        open_dataset(f"{scheme}:{tmp_path}", root=tmp_path)


@pytest.mark.parametrize("uri", ["", " ", "a\0b", "zip:/x.zip", "llava:", "/nowhere/at/all.json"])
def test_what_names_no_data_is_refused(uri):
    with pytest.raises(DataError):
        open_dataset(uri)


def test_a_plain_path_is_guessed_by_suffix_and_content(tmp_path):
    records = [record(1)]
    llava = write_records(tmp_path / "a.json", records)
    lines = tmp_path / "b.jsonl"
    lines.write_text(json.dumps(records[0]))
    table = tmp_path / "c.jsonl"
    table.write_text('{"image": "a.png"}')
    csv = tmp_path / "d.csv"
    csv.write_text("image\na.png\n")
    kinds = {path: open_dataset(str(path)).format for path in (llava, lines, table, csv, tmp_path)}
    assert list(kinds.values()) == ["llava", "llava", "table", "table", "imagefolder"]


def test_a_plain_path_of_unknown_kind_names_the_known_ones(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="llava:"):
        open_dataset(str(tmp_path / "a.txt"))


def test_the_uri_and_root_are_absolute_and_the_source_is_not(tmp_path, monkeypatch):
    write_records(tmp_path / "a.json", [record(1)])
    monkeypatch.chdir(tmp_path)
    dataset = open_dataset("llava:a.json")
    samples, _ = split(dataset)
    assert dataset.uri == f"llava:{tmp_path / 'a.json'}"
    assert dataset.root == tmp_path
    assert dataset.files == (tmp_path / "a.json",)
    assert samples[0].source == "a.json"


def test_images_may_live_under_another_root(tmp_path):
    (tmp_path / "index").mkdir()
    path = tmp_path / "index" / "a.json"
    path.write_text(json.dumps([record(1, image="b.png")]))
    write_image(tmp_path / "pictures" / "b.png")
    samples, errors = split(open_dataset(str(path), root=tmp_path / "pictures"))
    assert len(samples) == 1
    assert not errors
    assert len(split(open_dataset(str(path)))[1]) == 1


def test_a_field_map_is_refused_where_there_are_no_columns(tmp_path):
    path = write_records(tmp_path / "a.json", [record(1)])
    with pytest.raises(DataError, match="tables only"):
        open_dataset(str(path), fields=FieldMap(id="x"))


def test_random_damage_gives_rows_and_errors_but_no_exception(tmp_path):
    generator = random.Random(0)
    original = json.dumps([record(n) for n in range(4)], indent=1).encode()
    table = b"image,id,caption\r\n" + b'a.png,%d,"x ""y""\nz"\r\n' * 4 % (1, 2, 3, 4)
    write_image(tmp_path / "a.png")
    pieces = [b'"', b"{", b"]", b",", b"\0", b"\xff", b"\n", b"\\", b"\r", b"\xed\xa0\x80"]
    for name, content in [("d.json", original), ("d.jsonl", original), ("d.csv", table)] * 150:
        damaged = bytearray(content)
        for _ in range(3):
            place = generator.randrange(len(damaged))
            damaged[place : place + generator.randint(0, 9)] = generator.choice(pieces)
        (tmp_path / name).write_bytes(damaged)
        with contextlib.suppress(DataError):
            samples, errors = split(open_dataset(str(tmp_path / name)))
            assert len({sample.id for sample in samples}) == len(samples)
            str([*samples, *errors]).encode("utf-8")
