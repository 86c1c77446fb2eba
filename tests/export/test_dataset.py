import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.data.images import image_bytes
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.export.dataset import export_dataset
from tests.data.builders import record, split, turns, write_image

KEEP = {"row-0", "row-2", "row-5"}


def fingerprint(folder):
    return {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def bare(sample, root=None):
    image = sample.image and replace(sample.image, root=root)
    if image and image.row is not None:
        image = replace(image, row=0)
    return replace(sample, line=0, source="", image=image)


def llava_records():
    talk = turns("Où? <b>${x}</b>", "=1+1")
    return [record(n, image=f"pics/{n % 3}.png", conversations=talk, extra=n) for n in range(6)]


def make(folder, kind):
    for n in range(3):
        write_image(folder / "pics" / f"{n}.png", (n, 0, 0))
    path = folder / f"data.{kind}"
    rows = llava_records()
    table = [(row["id"], row["image"], f'say "{n}"\nü', n) for n, row in enumerate(rows)]
    if kind == "json":
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    elif kind == "jsonl":
        path.write_text("\r\n".join(json.dumps(row) for row in rows), newline="")
    elif kind == "parquet":
        names = ("id", "image", "answer", "extra")
        columns = {name: [row[n] for row in table] for n, name in enumerate(names)}
        with_metadata = pa.table(columns).replace_schema_metadata({"huggingface": "{}"})
        pq.write_table(with_metadata, path, row_group_size=2, compression="zstd")
    else:
        mark = {"csv": ",", "tsv": "\t"}[kind]
        lines = [mark.join(("id", "image", "answer", "extra"))]
        for sample_id, image, answer, extra in table:
            quoted = '"' + answer.replace('"', '""') + '"'
            lines.append(mark.join((sample_id, image, quoted, str(extra))))
        path.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv", "parquet"])
def test_the_export_reopens_as_the_original_minus_the_removed_rows(tmp_path, kind):
    path = make(tmp_path / "data", kind)
    before = fingerprint(tmp_path / "data")
    dataset = open_dataset(str(path))
    to = tmp_path / "out" / f"clean.{kind}"
    result = export_dataset(dataset, KEEP, to)
    assert (result.kept, result.removed, result.unreadable, result.path) == (3, 3, 0, to)
    again = open_dataset(str(to))
    assert again.format == dataset.format
    samples, errors = split(again)
    assert not errors
    original = [item for item in dataset if isinstance(item, Sample) and item.id in KEEP]
    assert [bare(s) for s in samples] == [bare(s) for s in original]
    assert [image_bytes(s.image) for s in samples] == [image_bytes(s.image) for s in original]
    assert {p.name for p in (tmp_path / "out" / "pics").iterdir()} == {"0.png", "2.png"}
    assert fingerprint(tmp_path / "data") == before


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv"])
def test_kept_text_rows_are_byte_for_byte_the_same(tmp_path, kind):
    dataset = open_dataset(str(make(tmp_path / "data", kind)))
    to = tmp_path / "out" / f"clean.{kind}"
    export_dataset(dataset, KEEP, to)
    kept = [r.raw.rstrip("\r\n") for r in dataset.records() if r.item.id in KEEP]
    assert [r.raw.rstrip("\r\n") for r in open_dataset(str(to)).records()] == kept
    assert all(raw.encode() in dataset.path.read_bytes() for raw in kept)


def test_parquet_keeps_schema_metadata_and_compression(tmp_path):
    dataset = open_dataset(str(make(tmp_path / "data", "parquet")))
    export_dataset(dataset, KEEP, tmp_path / "out" / "clean.parquet")
    old, new = (pq.ParquetFile(p) for p in (dataset.path, tmp_path / "out" / "clean.parquet"))
    assert new.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    assert new.metadata.row_group(0).column(0).compression == "ZSTD"
    assert new.read().to_pylist() == [row for row in old.read().to_pylist() if row["id"] in KEEP]


def test_images_in_parquet_cells_travel_in_their_rows(tmp_path):
    pictures = [write_image(tmp_path / f"{n}.png", (n, 0, 0)).read_bytes() for n in range(200)]
    cells = [{"bytes": data, "path": None} for data in pictures]
    ids = [f"i{n}" for n in range(200)]
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "t.parquet"
    pq.write_table(pa.table({"image": cells, "id": ids}), path, row_group_size=70)
    keep = {f"i{n}" for n in range(0, 200, 3)}
    export_dataset(open_dataset(str(path)), keep, tmp_path / "out" / "t.parquet")
    samples, errors = split(open_dataset(str(tmp_path / "out" / "t.parquet")))
    assert not errors
    assert [image_bytes(s.image) for s in samples] == pictures[::3]


def test_an_image_folder_is_copied_without_the_removed_files(tmp_path):
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "x.png"):
        write_image(tmp_path / "data" / name)
    dataset = open_dataset(str(tmp_path / "data"))
    to = tmp_path / "out" / "clean"
    result = export_dataset(dataset, {"cat/2.png", "x.png"}, to)
    assert (result.kept, result.removed) == (2, 2)
    samples, _ = split(open_dataset(str(to)))
    assert [(s.id, s.label) for s in samples] == [("x.png", None), ("cat/2.png", "cat")]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clean"]
    assert not (to / "x.png").samefile(tmp_path / "data" / "x.png")


@pytest.mark.parametrize("place", ["data", "data/inside", "."])
def test_a_folder_export_never_overlaps_its_original(tmp_path, place):
    write_image(tmp_path / "data" / "x.png")
    with pytest.raises(DataError, match="overlaps"):
        export_dataset(open_dataset(str(tmp_path / "data")), {"x.png"}, tmp_path / place)


def test_a_folder_with_something_in_it_is_never_replaced(tmp_path):
    write_image(tmp_path / "data" / "x.png")
    mine = write_image(tmp_path / "out" / "mine.png")
    with pytest.raises(DataError, match="already exists"):
        export_dataset(
            open_dataset(str(tmp_path / "data")), {"x.png"}, tmp_path / "out", overwrite=True
        )
    assert mine.exists()


def test_unreadable_rows_are_left_out_and_counted(tmp_path):
    path = make(tmp_path / "data", "json")
    (tmp_path / "data" / "pics" / "1.png").unlink()
    result = export_dataset(open_dataset(str(path)), KEEP, tmp_path / "out" / "c.json")
    assert (result.kept, result.removed, result.unreadable) == (3, 1, 2)


def test_keeping_nothing_gives_an_empty_set(tmp_path):
    for kind in ("json", "csv", "parquet"):
        to = tmp_path / kind / f"c.{kind}"
        export_dataset(open_dataset(str(make(tmp_path / f"d{kind}", kind))), set(), to)
        assert list(open_dataset(str(to))) == []


def test_an_export_beside_the_original_shares_its_images(tmp_path):
    path = make(tmp_path / "data", "json")
    before = fingerprint(tmp_path / "data")
    export_dataset(open_dataset(str(path)), KEEP, tmp_path / "data" / "clean.json")
    after = fingerprint(tmp_path / "data")
    assert len(split(open_dataset(str(tmp_path / "data" / "clean.json")))[0]) == 3
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1


def test_without_images_the_file_opens_with_the_old_root(tmp_path):
    dataset = open_dataset(str(make(tmp_path / "data", "csv")))
    to = tmp_path / "out" / "c.csv"
    export_dataset(dataset, KEEP, to, images="none")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c.csv"]
    assert len(split(open_dataset(str(to), root=dataset.root))[0]) == 3


def test_the_original_is_never_overwritten_not_even_through_a_link(tmp_path):
    path = make(tmp_path / "data", "json")
    (tmp_path / "link.json").symlink_to(path)
    for to in (path, tmp_path / "link.json"):
        with pytest.raises(DataError, match="data set itself"):
            export_dataset(open_dataset(str(path)), KEEP, to, overwrite=True)


def test_an_existing_file_needs_the_flag_and_a_foreign_suffix_is_refused(tmp_path):
    dataset = open_dataset(str(make(tmp_path / "data", "json")))
    to = tmp_path / "out" / "c.json"
    to.parent.mkdir()
    to.write_text("mine")
    with pytest.raises(DataError, match="already exists"):
        export_dataset(dataset, KEEP, to)
    with pytest.raises(DataError, match="suffix"):
        export_dataset(dataset, KEEP, to.with_suffix(".csv"))
    assert to.read_text() == "mine"
    assert export_dataset(dataset, KEEP, to, overwrite=True).kept == 3


def test_a_different_image_in_the_way_stops_the_export_and_is_kept(tmp_path):
    dataset = open_dataset(str(make(tmp_path / "data", "json")))
    mine = write_image(tmp_path / "out" / "pics" / "2.png", (99, 99, 99))
    content = mine.read_bytes()
    with pytest.raises(DataError, match="differs"):
        export_dataset(dataset, KEEP, tmp_path / "out" / "c.json", overwrite=True)
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert left == [mine]
    assert mine.read_bytes() == content


def test_copied_images_stay_inside_the_target(tmp_path):
    dataset = open_dataset(str(make(tmp_path / "data", "json")))
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "pics").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="leads out"):
        export_dataset(dataset, KEEP, tmp_path / "out" / "c.json")
    assert not any((tmp_path / "elsewhere").iterdir())
