import json
import math

import pytest

from forensics.data.fields import FieldMap
from forensics.data.open import open_dataset
from forensics.errors import DataError
from tests.data.builders import split, write_image


def table(tmp_path, content, name="t.csv", fields=None):
    write_image(tmp_path / "a.png")
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_dataset(f"table:{path}", fields=fields)


def test_columns_are_found_by_their_usual_names(tmp_path):
    header = "ID,File_Name,Prompt,Caption,Class,poisoned"
    dataset = table(tmp_path, f"{header}\nx,a.png,q,c,l,1\ny,a.png,q,,,0\n")
    samples, errors = split(dataset)
    assert not errors
    first, second = samples
    assert (first.id, first.question, first.answer, first.label) == ("x", "q", "c", "l")
    assert (second.answer, second.label) == (None, None)
    assert dataset.truth() == {"x": True, "y": False}


def test_a_field_map_overrides_the_names(tmp_path):
    fields = FieldMap(image="a", answer="b")
    samples, _ = split(table(tmp_path, "image,a,caption,b\nz,a.png,no,yes\n", fields=fields))
    assert samples[0].answer == "yes"


@pytest.mark.parametrize(
    ("content", "fields", "hint"),
    [
        ("x,y\n1,2\n", None, "no image column"),
        ("image,y\n1,2\n", FieldMap(answer="zz"), "no column 'zz'"),
        ("image,image\n1,2\n", None, "twice"),
        ("", None, "empty"),
        ("\n\n", None, "empty"),
        ('"image\n', None, "column names"),
        ("<html><body>404", None, "web page"),
        (b"\x89PNG\r\n\x1a\n", None, "is an image"),
        (b"PAR1xxxx", None, "Parquet"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_at_open(tmp_path, content, fields, hint):
    with pytest.raises(DataError, match=hint):
        table(tmp_path, content, fields=fields)


def test_ragged_rows_name_their_physical_line_and_quoted_newlines_are_kept(tmp_path):
    content = 'image,caption\na.png,"two\nlines, ""quoted"""\na.png\na.png,b,c\n\na.png,last\n'
    samples, errors = split(table(tmp_path, content))
    assert [(sample.answer, sample.line) for sample in samples] == [
        ('two\nlines, "quoted"', 2),
        ("last", 7),
    ]
    assert [(error.line, error.reason[:7]) for error in errors] == [(4, "1 cells"), (5, "3 cells")]


@pytest.mark.parametrize("stray", ['a.png,"open', 'a.png,"a"b', '"'])
def test_a_stray_quote_costs_only_its_row(tmp_path, stray):
    rows = "".join(f"a.png,{n}\n" for n in range(2500))
    samples, errors = split(table(tmp_path, f"image,caption\n{stray}\n{rows}"))
    assert [error.line for error in errors] == [2]
    assert len(samples) == 2500
    assert samples[0].line == 3


def test_a_cell_may_be_long_and_one_too_long_is_an_error(tmp_path):
    content = f"image,caption\na.png,{'x' * 500_000}\na.png,{'y' * 1_000_001}\na.png,z\n"
    samples, errors = split(table(tmp_path, content))
    assert [len(sample.answer) for sample in samples] == [500_000, 1]
    assert [error.line for error in errors] == [3]


def test_an_endless_line_is_passed_over(tmp_path):
    content = b"image,caption\na.png," + b"x" * (17 << 20) + b"\na.png,z\n"
    samples, errors = split(table(tmp_path, content))
    assert [sample.line for sample in samples] == [3]
    assert "longer" in errors[0].reason


def test_nul_and_bytes_that_are_not_utf8_are_row_errors(tmp_path):
    content = b"image,caption\na.png,a\0b\na\0.png,b\na.png,caf\xe9\na.png,ok\n"
    samples, errors = split(table(tmp_path, content))
    assert [sample.answer for sample in samples] == ["ok"]
    assert [error.line for error in errors] == [2, 3, 4]


def test_byte_order_mark_crlf_and_tsv(tmp_path):
    content = '\ufeffimage\tcaption\r\na.png\tsays "hi", ü\r\n'
    samples, errors = split(table(tmp_path, content, "t.tsv"))
    assert not errors
    assert samples[0].answer == 'says "hi", ü'
    assert samples[0].id == "t-1"


def test_json_lines_go_on_after_a_bad_line(tmp_path):
    rows = [{"image": "a.png", "id": 1, "answer": 3, "label": True}, {"id": 2}]
    good = [json.dumps(row) for row in rows]
    deep = "[" * 100_000
    content = "\n".join([good[0], "{", deep, "7", good[1], '{"image": "a.png", "answer": [1]}'])
    samples, errors = split(table(tmp_path, content, "t.jsonl"))
    assert [(s.id, s.answer, s.label) for s in samples] == [("1", "3", "true")]
    assert [error.line for error in errors] == [2, 3, 4, 5, 6]


def test_json_lines_without_any_object_are_refused(tmp_path):
    with pytest.raises(DataError, match="JSON object"):
        table(tmp_path, "1\n2\n", "t.jsonl")


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(DataError, match=r"\.parquet"):
        table(tmp_path, "image\n", "t.xlsx")


def test_numbers_that_are_missing_are_no_text(tmp_path):
    content = json.dumps({"image": "a.png", "answer": math.nan})
    samples, _ = split(table(tmp_path, content, "t.jsonl"))
    assert samples[0].answer is None
