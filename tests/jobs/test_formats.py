"""Data of every format is scanned for real, by the command line, and its export opens again."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from forensics.case import Case
from forensics.cli.entry import run as run_command
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.jobs.attention import scan as attention_scan
from forensics.runs import execute
from forensics.worker.models import ModelCache
from tests.data.shards import write_tar

ROWS = 24


def picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def conversation(number: int) -> list[dict[str, str]]:
    return [
        {"from": "human", "value": f"<image>\nWhat is it{'?' * (number % 5)}"},
        {"from": "gpt", "value": f"thing {number % 3}"},
        {"from": "human", "value": "Sure?"},
        {"from": "gpt", "value": "Yes"},
    ]


def write(folder: Path, kind: str) -> str:
    talks = [conversation(n) for n in range(ROWS)]
    if kind == "wds":
        for shard in range(2):
            rows = range(shard, ROWS, 2)
            members = [(f"{n}.png", picture(n)) for n in rows]
            members += [
                (f"{n}.json", json.dumps({"conversations": talks[n]}).encode()) for n in rows
            ]
            write_tar(folder / f"s-{shard}.tar", sorted(members))
        return f"wds:{folder}/s-{{0..1}}.tar"
    columns = {
        "image": [{"bytes": picture(n), "path": None} for n in range(ROWS)],
        "id": [str(n) for n in range(ROWS)],
        "conversations": talks,
    }
    text = datasets.Value("string")
    turn = {"from": text, "value": text}
    kinds = datasets.Features({"image": datasets.Image(), "id": text, "conversations": [turn]})
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(columns, features=kinds).save_to_disk(folder, num_shards=2)
    return f"hf-dataset:{folder}"


Call = Callable[..., Any]


@pytest.fixture
def forensics(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command in this process and return its JSON."""

    def call(*arguments: object) -> Any:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return json.loads(captured.out)

    return call


@pytest.mark.parametrize(("kind", "turns"), [("wds", "each"), ("hf", "each"), ("wds", "first")])
def test_reader_catalogue_scan_and_export_fit_together(
    tmp_path: Path, tiny_llava_folder: Path, forensics: Call, kind: str, turns: str
) -> None:
    uri = write(tmp_path / "data", kind)
    made = forensics("case", "new", tmp_path / "case", "--model", tiny_llava_folder, "--data", uri,
                     "--turns", turns, "--json")  # fmt: skip
    count = ROWS * (2 if turns == "each" else 1)
    assert (made["n"], made["errors"]) == (count, 0)
    assert made["unread_rows"] == (0 if turns == "each" else ROWS)
    case = Case.open(tmp_path / "case")
    models = ModelCache()
    run = case.new_run("attention-entropy", {"batch_size": 8})
    execute(run, lambda context: attention_scan.run(case, context, {"batch_size": 8}, models))
    result = run.result()
    assert (result["n"], result["failed"]) == (count, 0)

    ids = forensics("export", "ids", "--case", case.folder, "--to", tmp_path / "ids.jsonl",
                    "--which", "all", "--use-flags", "--json")  # fmt: skip
    written = [json.loads(line) for line in (tmp_path / "ids.jsonl").read_text().splitlines()]
    assert ids["written"] == len(written) == ROWS
    assert {row["id"] for row in written} == {sample.row_id for sample in case.catalog}
    flagged = {row["id"] for row in written if row["decision"] == "flag"}

    done = forensics("export", "dataset", "--case", case.folder, "--to", tmp_path / "clean",
                     "--use-flags", "--json")  # fmt: skip
    assert (done["kept"], done["removed"]) == (ROWS - len(flagged), len(flagged))
    assert ("note" in done) == (turns == "each")
    again = open_dataset(uri.replace(str(tmp_path / "data"), str(tmp_path / "clean")))
    kept = [item.row_id for item in again if isinstance(item, Sample)]
    assert kept == [row["id"] for row in written if row["id"] not in flagged]
