import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.data.images import ImageLimits, image_bytes, open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef
from forensics.errors import DataError
from tests.data.builders import split, write_image


def encoded(tmp_path, number):
    return write_image(tmp_path / "made" / f"{number}.png", (number, 0, 0)).read_bytes()


def save(tmp_path, columns, **options):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return open_dataset(str(path))


def test_path_columns_and_typed_cells_are_read(tmp_path):
    write_image(tmp_path / "a.png")
    columns = {
        "image": ["a.png", None, "gone.png", "a.png"],
        "id": [1.0, 2.0, 3.0, None],
        "label": pa.array(["x", "y", "x", "y"]).dictionary_encode(),
        "poisoned": [True, False, True, None],
    }
    dataset = save(tmp_path, columns, row_group_size=2)
    samples, errors = split(dataset)
    assert [(s.id, s.label, s.line) for s in samples] == [("1", "x", 1), ("t-4", "y", 4)]
    assert [error.line for error in errors] == [2, 3]
    assert dataset.truth() == {"1": True}


@pytest.mark.parametrize("kind", ["bytes", "struct"])
def test_image_cells_are_referenced_and_fetched_in_any_order(tmp_path, kind):
    images = [encoded(tmp_path, number) for number in range(30)]
    cells = images if kind == "bytes" else [{"bytes": b, "path": "x.png"} for b in images]
    samples, errors = split(save(tmp_path, {"image": cells}, row_group_size=7))
    assert not errors
    for row in [*range(30), 29, 0, 13, 12, 14]:
        assert image_bytes(samples[row].image) == images[row]
    assert open_image(samples[17].image).getpixel((0, 0)) == (17, 0, 0)


def test_a_struct_without_bytes_names_a_file(tmp_path):
    write_image(tmp_path / "a.png")
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [
        {"bytes": None, "path": "a.png"},
        {"bytes": None, "path": "../a.png"},
        {"bytes": b"", "path": "a.png"},
        {"bytes": None, "path": None},
        None,
    ]
    samples, errors = split(save(tmp_path, {"image": pa.array(cells, kind)}))
    assert [sample.image.row for sample in samples] == [None]
    assert [error.line for error in errors] == [2, 3, 4, 5]


def test_a_cell_that_is_no_utf8_spoils_only_its_row(tmp_path):
    write_image(tmp_path / "a.png")
    answers = pa.array([b"caf\xe9", b"ok"], pa.binary()).view(pa.string())
    samples, errors = split(save(tmp_path, {"image": ["a.png"] * 2, "answer": answers}))
    assert [sample.answer for sample in samples] == ["ok"]
    assert "UTF-8" in errors[0].reason


def test_a_damaged_row_group_is_one_error_and_the_next_is_read(tmp_path):
    write_image(tmp_path / "a.png")
    text = [hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(600)]
    columns = {"image": ["a.png"] * 600, "answer": text}
    save(tmp_path, columns, row_group_size=200, compression="zstd", use_dictionary=False)
    path = tmp_path / "t.parquet"
    start = pq.ParquetFile(path).metadata.row_group(1).column(1).data_page_offset
    data = bytearray(path.read_bytes())
    data[start + 10 : start + 3000] = bytes(2990)
    path.write_bytes(data)
    samples, errors = split(open_dataset(str(path)))
    assert len(errors) == 1
    assert "damaged" in errors[0].reason
    assert {sample.line for sample in samples} >= {*range(1, 201), *range(401, 601)}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 500, b"a,b\n"])
def test_a_file_that_is_no_parquet_is_refused_at_open(tmp_path, content):
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(DataError):
        open_dataset(f"table:{tmp_path / 't.parquet'}")


def test_an_image_column_of_numbers_is_refused(tmp_path):
    with pytest.raises(DataError, match="int64"):
        save(tmp_path, {"image": [1, 2]})


def test_cells_that_are_not_there_are_data_errors(tmp_path):
    save(tmp_path, {"image": [encoded(tmp_path, 1), None], "n": [1, 2]})
    for row, column in [(1, "image"), (2, "image"), (-1, "image"), (0, "n"), (0, "zz")]:
        ref = ImageRef(root=tmp_path, path="t.parquet", row=row, column=column)
        with pytest.raises(DataError, match=r"t\.parquet"):
            image_bytes(ref)


def test_a_large_cell_is_refused(tmp_path):
    samples, _ = split(save(tmp_path, {"image": [encoded(tmp_path, 1)]}))
    with pytest.raises(DataError, match="larger"):
        open_image(samples[0].image, ImageLimits(size_bytes=10))


def test_column_names_that_are_not_utf8_are_refused_at_open(tmp_path):
    save(tmp_path, {"image": ["a.png"], "naïve": [1]}, store_schema=False)
    path = tmp_path / "t.parquet"
    path.write_bytes(path.read_bytes().replace("naïve".encode(), b"na\xc5\xc5ve"))
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        open_dataset(str(path))
