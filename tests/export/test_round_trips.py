"""Every format: a case's cleaned export makes a case that is the original minus the removed rows.

Ids, texts, labels, ground truth and pixels are compared, through the reader that a user's own tool
would meet: the case of the export is made from the export's URI alone.
"""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import forensics as fx
from forensics.data.images import decode_image, image_bytes, name_of
from forensics.export.dataset import export_dataset
from tests.data.shards import write_tar

ROWS = 9
REMOVED = (0, 3, 4, 8)  # the first, the last, and neighbours
TEXT = 'say "{n}", ü\n=1+1 <b>${{x}}</b>'


def pixels(number: int) -> bytes:
    drawn = np.random.default_rng(number).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(drawn).save(stream, "PNG")
    return stream.getvalue()


def pictures(folder: Path) -> list[str]:
    (folder / "pics").mkdir(parents=True)
    for number in range(ROWS):
        (folder / f"pics/{number}.png").write_bytes(pixels(number))
    return [f"pics/{number}.png" for number in range(ROWS)]


def columns(images: list[Any]) -> dict[str, list[Any]]:
    return {
        "id": [f"row-{n}" for n in range(ROWS)],
        "image": images,
        "question": [f"what is {n}?" for n in range(ROWS)],
        "answer": [TEXT.format(n=n) for n in range(ROWS)],
        "label": ["even" if n % 2 == 0 else "odd" for n in range(ROWS)],
        "poisoned": [n % 3 == 0 for n in range(ROWS)],
        "note": [f"kept as it is {n}" for n in range(ROWS)],
    }


def rows(table: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def talks(table: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": row["id"], "image": row["image"], "poisoned": row["poisoned"],
            "conversations": [
                {"from": "human", "value": f"<image>\n{row['question']}"},
                {"from": "gpt", "value": row["answer"]},
            ],
        }
        for row in rows(table)
    ]  # fmt: skip


def llava(folder: Path, suffix: str) -> str:
    found = talks(columns(pictures(folder)))
    text = json.dumps(found, indent=1) if suffix == "json" else "\n".join(map(json.dumps, found))
    (folder / f"set.{suffix}").write_text(text, encoding="utf-8")
    return f"llava:{folder}/set.{suffix}"


def table(folder: Path, suffix: str) -> str:
    found = columns(pictures(folder))
    path = folder / f"set.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table(found), path, row_group_size=4)
    elif suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows(found))), encoding="utf-8")
    else:
        mark = {"csv": ",", "tsv": "\t"}[suffix]
        lines = [list(found), *([str(value) for value in row.values()] for row in rows(found))]
        quoted = ['"' + cell.replace('"', '""') + '"' for line in lines for cell in line]
        wide = len(found)
        text = "\n".join(mark.join(quoted[at : at + wide]) for at in range(0, len(quoted), wide))
        path.write_text(text, encoding="utf-8")
    return f"table:{path}"


def in_cells(folder: Path, _suffix: str) -> str:
    folder.mkdir(parents=True)
    found = columns([{"bytes": pixels(n), "path": None} for n in range(ROWS)])
    pq.write_table(pa.table(found), folder / "set.parquet", row_group_size=4)
    return f"table:{folder}/set.parquet"


def imagefolder(folder: Path, _suffix: str) -> str:
    for number in range(ROWS):
        path = folder / ("even" if number % 2 == 0 else "odd") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pixels(number))
    return f"imagefolder:{folder}"


def hugging_face(folder: Path, layout: str) -> str:
    datasets.disable_progress_bars()
    found = columns([{"bytes": pixels(n), "path": None} for n in range(ROWS)])
    made = datasets.Dataset.from_dict(found).cast_column("image", datasets.Image())
    if layout == "dict":
        datasets.DatasetDict({"train": made}).save_to_disk(folder)
        return f"hf-dataset:{folder}:train"
    made.save_to_disk(folder, num_shards=2)
    return f"hf-dataset:{folder}"


def shards(folder: Path, _suffix: str) -> str:
    found = talks(columns([None] * ROWS))
    for shard in range(2):
        members = []
        for number in range(shard, ROWS, 2):
            told = {key: value for key, value in found[number].items() if key != "image"}
            members += [(f"k{number}.png", pixels(number)),
                        (f"k{number}.json", json.dumps(told).encode())]  # fmt: skip
        write_tar(folder / f"s-{shard}.tar", members)
    return f"wds:{folder}/s-{{0..1}}.tar"


Make = Callable[[Path, str], str]
FORMATS: dict[str, tuple[Make, str]] = {
    "llava-json": (llava, "json"),
    "llava-jsonl": (llava, "jsonl"),
    "table-csv": (table, "csv"),
    "table-tsv": (table, "tsv"),
    "table-jsonl": (table, "jsonl"),
    "table-parquet": (table, "parquet"),
    "table-parquet-cells": (in_cells, ""),
    "imagefolder": (imagefolder, ""),
    "hf-dataset": (hugging_face, ""),
    "hf-dataset-dict": (hugging_face, "dict"),
    "wds": (shards, ""),
}


def uri_of_export(uri: str, original: Path, to: Path) -> tuple[str, Path]:
    """Return the URI of an export, and what is to be written: a file or a folder."""
    scheme, _, rest = uri.partition(":")
    place, _, split = rest.partition(":")
    if scheme in ("llava", "table"):
        target = to / Path(place).name
        return f"{scheme}:{target}", target
    moved = place.replace(str(original), str(to))
    return f"{scheme}:{moved}" + (f":{split}" if split else ""), to


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def told(case: fx.Case) -> dict[str, tuple[Any, ...]]:
    """Return everything that a sample is, by its id; pictures as pixels."""
    truth = case.truth()
    found: dict[str, tuple[Any, ...]] = {}
    for sample in case.catalog:
        assert sample.image is not None
        decoded = decode_image(image_bytes(sample.image), name_of(sample.image))
        texts = (sample.question, sample.answer, sample.label, sample.history)
        found[sample.id] = (*texts, truth.get(sample.id), np.asarray(decoded).tobytes())
    return found


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A folder that a case can name as its model: none is opened here."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llava"}')
    return str(folder)


@pytest.mark.parametrize("name", FORMATS)
def test_a_case_of_the_export_is_the_original_minus_the_removed_rows(
    tmp_path: Path, model: str, name: str
) -> None:
    make, suffix = FORMATS[name]
    original = tmp_path / "original"
    uri = make(original, suffix)
    before = state(original)
    case = fx.new_case(tmp_path / "case", model=model, data=uri)
    ids = list(case.catalog.ids)
    assert (len(ids), case.manifest.errors) == (ROWS, 0)
    removed = {ids[place] for place in REMOVED}
    again_uri, to = uri_of_export(uri, original, tmp_path / "export" / "deeper")
    done = export_dataset(case.dataset(), set(ids) - removed, to)
    assert (done.kept, done.removed, done.unreadable) == (ROWS - len(removed), len(removed), 0)
    again = fx.new_case(tmp_path / "again", model=model, data=again_uri)
    assert again.manifest.data_format == case.manifest.data_format
    assert again.manifest.errors == 0
    was = told(case)
    assert len({content[-1] for content in was.values()}) == ROWS  # every picture is another
    assert told(again) == {key: was[key] for key in ids if key not in removed}
    assert list(again.catalog.ids) == [key for key in ids if key not in removed]
    assert state(original) == before, "the original was touched"


@pytest.mark.parametrize("name", ["llava-json", "table-parquet-cells", "hf-dataset", "wds"])
def test_an_export_of_everything_is_the_original_again(
    tmp_path: Path, model: str, name: str
) -> None:
    make, suffix = FORMATS[name]
    uri = make(tmp_path / "original", suffix)
    case = fx.new_case(tmp_path / "case", model=model, data=uri)
    again_uri, to = uri_of_export(uri, tmp_path / "original", tmp_path / "export")
    export_dataset(case.dataset(), set(case.catalog.ids), to)
    assert told(fx.new_case(tmp_path / "again", model=model, data=again_uri)) == told(case)
