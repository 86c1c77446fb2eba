"""Folders of the ``datasets`` library, written by that library itself."""

import json

import datasets
import pyarrow as pa
import pytest

from forensics.data.hf_files import split_of
from forensics.data.images import image_bytes, open_image
from forensics.data.open import open_dataset
from forensics.errors import DataError
from tests.data.builders import split, write_image
from tests.data.shards import png

datasets.disable_progress_bars()
TEXT = datasets.Value("string")
PART = {"type": TEXT, "text": TEXT}


def plain(count=6, start=0):
    """Return a data set with one image column, ids and captions."""
    numbers = range(start, start + count)
    columns = {
        "id": [f"r{n}" for n in numbers],
        "image": [{"bytes": png(n), "path": None} for n in numbers],
        "caption": [f"picture {n}" for n in numbers],
        "poisoned": [n == 1 for n in numbers],
    }
    kinds = {
        "id": TEXT,
        "image": datasets.Image(),
        "caption": TEXT,
        "poisoned": datasets.Value("bool"),
    }
    return datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))


def talks(count=3):
    """Return a data set with lists of images and conversations in content parts."""
    image, text = {"type": "image", "text": None}, {"type": "text", "text": "Same?"}
    turns = [
        {"role": "user", "content": [image, image, text]},
        {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
        {"role": "user", "content": [{"type": "text", "text": "Sure?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
    ]
    pictures = [[{"bytes": png(10 * n + k), "path": None} for k in range(2)] for n in range(count)]
    kinds = {
        "images": datasets.List(datasets.Image()),
        "messages": [{"role": TEXT, "content": [PART]}],
    }
    columns = {"images": pictures, "messages": [turns] * count}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))


def save(folder, layout, data=None):
    data = data or plain()
    if layout == "saved":
        data.save_to_disk(folder, num_shards=2)
    elif layout == "dict":
        datasets.DatasetDict({"train": data, "test": plain(2, 50)}).save_to_disk(folder)
    elif layout == "arrow":  # as in the library's cache, and the file layout of Arrow
        folder.mkdir(parents=True)
        table = data.with_format("arrow")[:]
        with pa.ipc.new_file(str(folder / "train.arrow"), table.schema) as writer:
            writer.write_table(table, max_chunksize=4)
    else:
        (folder / "data").mkdir(parents=True)
        for shard in range(2):
            part = data.shard(2, shard, contiguous=True)
            part.to_parquet(folder / "data" / f"train-0000{shard}-of-00002.parquet")
    return folder


def red(image):
    return open_image(image).getpixel((0, 0))[0]


@pytest.mark.parametrize("layout", ["saved", "dict", "arrow", "parquet"])
def test_every_layout_gives_the_same_rows_and_images_in_any_order(tmp_path, layout):
    folder = save(tmp_path / "d", layout)
    dataset = open_dataset(f"hf-dataset:{folder}")
    samples, errors = split(dataset)
    assert not errors
    assert [(s.id, s.answer) for s in samples] == [(f"r{n}", f"picture {n}") for n in range(6)]
    for place in (*range(6), 5, 0, 3):
        assert image_bytes(samples[place].image) == png(place)
    assert [name for name, poisoned in dataset.truth().items() if poisoned] == ["r1"]
    assert all(path.is_file() for path in dataset.files)
    if layout in ("saved", "dict"):  # a plain path says it
        assert open_dataset(str(folder)).uri == dataset.uri


@pytest.mark.parametrize("layout", ["saved", "parquet"])
def test_lists_of_images_and_conversations_in_parts_are_read(tmp_path, layout):
    folder = save(tmp_path / "d", layout, talks())
    samples, errors = split(open_dataset(f"hf-dataset:{folder}", turns="each"))
    assert not errors
    assert [s.row_id for s in samples[::2]] == [s.row_id for s in samples[1::2]]
    assert len({s.id for s in samples}) == 6
    assert (samples[5].question, samples[5].history) == ("Sure?", (("Same?", "No."),))
    assert [[red(image) for image in s.images] for s in samples[::2]] == [
        [0, 1], [10, 11], [20, 21]
    ]  # fmt: skip


def test_a_split_is_chosen_by_name(tmp_path):
    folder = save(tmp_path / "a:b", "dict")
    samples, _ = split(open_dataset(f"hf-dataset:{folder}:test"))
    assert [s.id for s in samples] == ["r50", "r51"]
    with pytest.raises(DataError, match="no split 'dev'") as caught:
        open_dataset(f"hf-dataset:{folder}:dev")
    assert "train, test" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data/train-00000-of-00003.parquet", "train"),
        ("data/test_small-00000-of-00003-0123abcd.parquet", "test_small"),
        ("validation/0000.parquet", "validation"),
        ("my-dev.parquet", "validation"),
        ("part.arrow", "train"),
        ("contest.parquet", "train"),
    ],
)
def test_the_split_of_a_file_is_told_by_its_name(name, expected):
    assert split_of(name) == expected


def test_a_folder_with_a_script_is_refused_and_the_script_not_run(tmp_path):
    folder = save(tmp_path / "d", "parquet")
    (folder / "d.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(DataError, match="never run") as caught:
        open_dataset(f"hf-dataset:{folder}")
    assert "save_to_disk" in caught.value.remedy
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["../out.arrow", "/etc/passwd", "gone.arrow", "", "door.arrow", 7])
def test_state_json_names_no_file_outside_the_folder(tmp_path, name):
    folder = save(tmp_path / "d", "saved")
    outside = tmp_path / "out.arrow"
    outside.write_bytes((folder / "data-00000-of-00002.arrow").read_bytes())
    (folder / "door.arrow").symlink_to(outside)
    state = json.loads((folder / "state.json").read_text())
    state["_data_files"] = [{"filename": name}]
    (folder / "state.json").write_text(json.dumps(state))
    with pytest.raises(DataError):
        open_dataset(f"hf-dataset:{folder}")


@pytest.mark.parametrize(
    "state",
    ["{", "[]", "{}", '{"_data_files": [1]}', '{"_data_files": [{"filename": "x"}], '
     '"_indices_files": [{"filename": "i.arrow"}]}', "[" * 100_000],
)  # fmt: skip
def test_a_damaged_state_json_is_refused(tmp_path, state):
    folder = save(tmp_path / "d", "saved")
    (folder / "state.json").write_text(state)
    with pytest.raises(DataError) as caught:
        open_dataset(f"hf-dataset:{folder}")
    assert caught.value.remedy


def test_paths_in_image_cells_stay_under_the_folder(tmp_path):
    write_image(tmp_path / "secret.png")
    write_image(tmp_path / "d" / "a.png")
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    paths = ["a.png", "../secret.png", str(tmp_path / "secret.png"), None]
    cells = pa.array([{"bytes": None, "path": path} for path in paths], kind)
    with pa.ipc.new_stream(str(tmp_path / "d" / "train.arrow"), pa.schema([("image", kind)])) as to:
        to.write_table(pa.table({"image": cells}))
    samples, errors = split(open_dataset(f"hf-dataset:{tmp_path / 'd'}"))
    assert [s.image.path for s in samples] == ["a.png"]
    assert [error.line for error in errors] == [2, 3, 4]


@pytest.mark.parametrize("layout", ["saved", "parquet"])
def test_a_cut_or_foreign_file_is_one_row_error_and_the_others_are_read(tmp_path, layout):
    folder = save(tmp_path / "d", layout)
    second = sorted(folder.rglob("*-of-00002.*"))[1]
    whole = second.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"\x80\x04\x95 pickle", whole[:100]):
        second.write_bytes(content)
        samples, errors = split(open_dataset(f"hf-dataset:{folder}"))
        assert [s.id for s in samples] == ["r0", "r1", "r2"]
        assert len(errors) == 1
        assert errors[0].source.endswith(second.name)


def test_offsets_that_point_out_of_an_arrow_file_are_not_followed(tmp_path):
    folder = save(tmp_path / "d", "saved", plain(40))
    path = folder / "data-00000-of-00002.arrow"
    content = path.read_bytes()
    # The offsets of the ids: r0, r1, ... are 2 bytes each at first.
    offsets = b"".join(n.to_bytes(4, "little") for n in range(0, 20, 2))
    assert offsets in content
    path.write_bytes(content.replace(offsets, b"\xff\xff\xff\x7f" * 10))
    samples, errors = split(open_dataset(f"hf-dataset:{folder}"))
    assert len(samples) == 20  # those of the other file
    assert "damaged" in errors[0].reason


def test_random_damage_gives_rows_and_errors_but_no_exception(tmp_path):
    import contextlib
    import random

    generator = random.Random(0)
    folder = save(tmp_path / "d", "saved", talks(4))
    path = folder / "data-00000-of-00002.arrow"
    content = path.read_bytes()
    for _ in range(200):
        damaged = bytearray(content)
        for _ in range(3):
            place = generator.randrange(len(damaged))
            damaged[place] = generator.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(DataError):
            samples, errors = split(open_dataset(f"hf-dataset:{folder}", turns="each"))
            str([*samples, *errors]).encode("utf-8")
            for found in samples[:2]:
                with contextlib.suppress(DataError):
                    open_image(found.image)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A hub cache with one data set, as a download leaves it: links from a snapshot to blobs."""
    from huggingface_hub import constants

    hub = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    made = save(tmp_path / "made", "parquet")
    repository, commit = hub / "datasets--org--name", "0123456789abcdef0123456789abcdef01234567"
    for number, path in enumerate(sorted(made.rglob("*.parquet"))):
        blob = repository / "blobs" / str(number)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(path.read_bytes())
        link = repository / "snapshots" / commit / "data" / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../../../blobs/{number}")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    return commit


@pytest.mark.parametrize("text", ["org/name", "org/name:train", "org/name:train@main"])
def test_a_hub_id_is_read_from_the_cache_and_pinned_to_its_commit(cache, text):
    dataset = open_dataset(f"hf-dataset:{text}")
    assert dataset.uri == f"hf-dataset:org/name:train@{cache}"
    samples, errors = split(dataset)
    assert not errors
    assert [red(s.image) for s in samples] == list(range(6))
    assert [s.id for s in split(open_dataset(dataset.uri))[0]] == [s.id for s in samples]


@pytest.mark.parametrize("text", ["org/other", "org/name@v2", "mnist"])
def test_a_hub_id_that_is_not_in_the_cache_says_how_to_fetch_it(cache, text):
    with pytest.raises(DataError, match="not in the hub cache") as caught:
        open_dataset(f"hf-dataset:{text}")
    assert "--download" in caught.value.remedy


def test_a_download_without_a_network_says_so(cache):
    with pytest.raises(DataError, match="could not be fetched"):
        open_dataset("hf-dataset:org/other", download=True)


@pytest.mark.parametrize(
    "text", ["/nowhere", "./nowhere", "org/../x", "a b", "org/name:", "x" * 500]
)
def test_what_is_no_data_set_is_refused(text):
    with pytest.raises(DataError):
        open_dataset(f"hf-dataset:{text}")


def test_folders_of_several_data_sets_are_told_apart(tmp_path):
    for name in ("one", "two"):
        save(tmp_path / "d" / name, "parquet")
    with pytest.raises(DataError, match="several data sets: one/data, two/data"):
        open_dataset(f"hf-dataset:{tmp_path / 'd'}")
    with pytest.raises(DataError, match="no Parquet or Arrow"):
        (tmp_path / "empty").mkdir()
        open_dataset(f"hf-dataset:{tmp_path / 'empty'}")
