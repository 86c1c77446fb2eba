import csv
import json
import math

import pyarrow.parquet as pq
import pytest

from forensics.errors import DataError
from forensics.export.ids import IdRow, export_ids

ROWS = [
    IdRow(id="a", decision="flag", score=-0.5, source="d.json", line=2, reason='low, "entropy"'),
    IdRow(id="ü\n2", decision="keep", score=math.nan),
    IdRow(id="c", decision="keep"),
]


def test_csv_holds_every_row(tmp_path):
    assert export_ids(iter(ROWS), tmp_path / "x.csv") == 3
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["a", "ü\n2", "c"]
    assert [row["score"] for row in rows] == ["-0.5", "", ""]
    assert rows[0]["reason"] == 'low, "entropy"'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_csv_text_is_never_a_formula(tmp_path, start):
    text = f'{start}cmd|"/c calc"!A1'
    row = IdRow(id=text, decision="flag", source=text, reason=text)
    export_ids([row], tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as stream:
        cells = next(csv.DictReader(stream))
    assert cells["id"] == cells["source"] == cells["reason"] == f"'{text}"


def test_json_lines_and_parquet_hold_the_ids_exactly(tmp_path):
    rows = [*ROWS, IdRow(id="=1", decision="flag", score=math.inf)]
    export_ids(rows, tmp_path / "x.jsonl")
    export_ids(rows, tmp_path / "x.parquet")
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    table = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert lines == table
    assert [line["id"] for line in lines] == ["a", "ü\n2", "c", "=1"]
    assert [line["score"] for line in lines] == [-0.5, None, None, None]


def test_no_rows_give_a_readable_file(tmp_path):
    for suffix in ("csv", "jsonl", "parquet"):
        assert export_ids([], tmp_path / f"x.{suffix}") == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 0
    assert (tmp_path / "x.csv").read_text().startswith("id,decision,score")


def test_an_existing_file_is_only_replaced_when_asked(tmp_path):
    to = tmp_path / "x.csv"
    to.write_text("mine")
    with pytest.raises(DataError, match="already exists"):
        export_ids(ROWS, to)
    assert to.read_text() == "mine"
    export_ids(ROWS, to, overwrite=True)
    assert to.read_text("utf-8").startswith("id,")


def test_a_failure_half_way_leaves_nothing(tmp_path):
    def rows():
        yield ROWS[0]
        raise RuntimeError("stop")

    for suffix in ("csv", "jsonl", "parquet"):
        with pytest.raises(RuntimeError, match="stop"):
            export_ids(rows(), tmp_path / f"x.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"\.parquet"):
        export_ids(ROWS, tmp_path / "x.xlsx")
