import json
import os
import pickle
import tarfile
from pathlib import Path

import pytest

from forensics.data import webdataset
from forensics.data.images import image_bytes, open_image
from forensics.data.open import open_dataset
from forensics.errors import DataError
from tests.data.builders import split
from tests.data.shards import png, sample, special, talk, write_tar


def read(folder, **options):
    return split(open_dataset(f"wds:{folder}", **options))


def test_shards_are_read_in_order_and_images_can_be_opened_again_in_any_order(tmp_path):
    write_tar(tmp_path / "s-000.tar", [*sample("a", 1), *sample("b", 2, caption="two")])
    write_tar(tmp_path / "s-001.tar", [("a.jpg", png(3)), ("a.txt", b" three\n")])
    for text in (tmp_path, tmp_path / "*.tar", tmp_path / "s-{000..001}.tar"):
        dataset = open_dataset(f"wds:{text}")
        samples, errors = split(dataset)
        assert not errors
        assert [(s.id, s.question, s.answer, s.source, s.line) for s in samples] == [
            ("s-000/a", "What is 1?", "answer 1", "s-000.tar", 1),
            ("s-000/b", "", "two", "s-000.tar", 2),
            ("s-001/a", "", "three", "s-001.tar", 1),
        ]
        assert [path.name for path in dataset.files] == ["s-000.tar", "s-001.tar"]
    for place in (2, 0, 1, 0):
        assert image_bytes(samples[place].image) == png(place + 1)
        assert open_image(samples[place].image).getpixel((0, 0)) == (place + 1, 0, 0)


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_tar_layout_gives_the_same_samples_long_names_too(tmp_path, layout):
    keys = ["x", "d" * 60 + "/" + "k" * 60]
    if layout != tarfile.USTAR_FORMAT:
        keys += ["ü/" + "long" * 60]
    members = [part for number, key in enumerate(keys) for part in sample(key, number)]
    write_tar(tmp_path / "s.tar", [special("folder", tarfile.DIRTYPE), *members], format=layout)
    samples, errors = read(tmp_path / "s.tar")
    assert not errors
    assert [s.id for s in samples] == keys
    assert [image_bytes(s.image) for s in samples] == [png(n) for n in range(len(keys))]


def test_several_images_and_turns_and_ground_truth(tmp_path):
    later = [{"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "Yes."}]
    fields = {"conversations": [*talk(images=2), *later], "poisoned": True}
    members = [("a.0.png", png(5)), ("a.1.png", png(6)), ("a.json", json.dumps(fields).encode())]
    write_tar(tmp_path / "s.tar", [*members, *sample("b", 1), ("b.cls", b"3")])
    dataset = open_dataset(f"wds:{tmp_path}", turns="each")
    samples, errors = split(dataset)
    assert not errors
    assert [s.id for s in samples] == ["a", "a/turn-2", "b"]
    assert [open_image(image).getpixel((0, 0))[0] for image in samples[1].images] == [5, 6]
    assert samples[1].history == (("What?", "A cat."),)
    assert samples[2].label == "3"
    assert dataset.truth() == {"a": True, "a/turn-2": True}


class Bomb:
    def __reduce__(self):
        return os.mkdir, (str(Path(self.place) / "pwned"),)

    def __init__(self, place):
        self.place = place


def test_pickles_are_never_opened(tmp_path):
    bomb = pickle.dumps(Bomb(tmp_path))
    parts = [("a.pyd", bomb), ("a.pkl", bomb), ("a.pickle", bomb), ("a.npy", bomb), ("a.pth", bomb)]
    write_tar(tmp_path / "s.tar", [*sample("a", 1), *parts])
    samples, errors = read(tmp_path / "s.tar")
    assert len(samples) == 1
    assert not errors
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([special("x.png", tarfile.SYMTYPE, "/etc/passwd")], "is a link"),
        ([special("x.png", tarfile.LNKTYPE, "a.png")], "hard link"),
        ([special("x.png", tarfile.CHRTYPE)], "device"),
        ([special("x.png", tarfile.FIFOTYPE)], "pipe"),
        ([special("x.png", b"Z")], "unknown type"),
        ([("../x.png", png(1))], "outside"),
        ([("/x.png", png(1))], "outside"),
        ([("d/../../x.png", png(1))], "outside"),
        ([("d\\..\\x.png", png(1))], "outside"),
        ([("x.png", png(1)), ("x.png", png(2))], "twice"),
        ([("x.PNG", png(1)), ("x.png", png(2))], "twice"),
        ([("x.txt", b"text")], "no image"),
        ([("x.png", png(1)), ("x.json", b"{")], "not valid JSON"),
        ([("x.png", png(1)), ("x.json", b"[]")], "a list, not an object"),
        ([("x.png", png(1)), ("x.json", b"[" * 100_000)], "not valid JSON"),
        ([("x.png", png(1)), ("x.txt", b"\xff\xfe")], "UTF-8"),
        ([("x.png", png(1)), ("x.txt", b"a\0b")], "NUL"),
        (sample("x", 1, conversations=talk(images=2)), "1 images but 2"),
        ([(f"x.{n}.png", png(n)) for n in range(3)]
         + [("x.json", json.dumps({"messages": talk(images=2)}).encode())], "3 images but 2"),
        ([(f"x.{n}.bin", b"") for n in range(200)], "over the limit"),
        ([*sample("good", 1)], "duplicate id"),
    ],
)  # fmt: skip
def test_a_hostile_sample_is_a_row_error_and_the_rest_goes_on(tmp_path, members, reason):
    write_tar(tmp_path / "s.tar", [*sample("good", 1), *sample("y", 1), *members, *sample("z", 2)])
    samples, errors = read(tmp_path / "s.tar")
    assert [s.id for s in samples] == ["good", "y", "z"]
    assert len(errors) == 1
    assert reason in errors[0].reason
    assert (errors[0].source, errors[0].line) == ("s.tar", 3)
    str(errors).encode("utf-8")


def test_members_and_samples_have_a_largest_size(tmp_path, monkeypatch):
    write_tar(tmp_path / "s.tar", [*sample("a", 1), ("a.txt", b"x" * 5000), *sample("b", 1)])
    monkeypatch.setattr(webdataset, "MAX_TEXT_BYTES", 1000)
    assert "larger than" in read(tmp_path)[1][0].reason
    monkeypatch.setattr(webdataset, "MAX_SAMPLE_BYTES", 4000)
    samples, errors = read(tmp_path)
    assert [s.id for s in samples] == ["b"]
    assert "larger than" in errors[0].reason


@pytest.mark.parametrize("cut", [0, 1, 300, 700, 1100, 1600])
def test_a_shard_that_is_cut_off_gives_what_stands_before_and_one_error(tmp_path, cut):
    path = write_tar(tmp_path / "s.tar", [*sample("a", 1), *sample("b", 2)])
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[: len(content) - cut])
    write_tar(tmp_path / "t.tar", sample("a", 3))
    samples, errors = read(tmp_path)
    # Cut in the first header after a sample, nothing says that this sample is whole.
    assert [s.id for s in samples] == (["s/a", "t/a"] if cut < 1000 else ["t/a"])
    assert "rest of the shard" in errors[0].reason
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("place", "new"),
    [(0, b"\xff"), (124, b"zz"), (124, b"\xff" * 12), (124, b"77777777777"), (148, b"9")],
)
def test_a_damaged_header_ends_the_shard(tmp_path, place, new):
    path = write_tar(tmp_path / "s.tar", [*sample("a", 1), *sample("b", 2)])
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as tar:
        start = tar.getmembers()[2].offset
    content[start + place : start + place + len(new)] = new
    header = content[start : start + 512]
    if place == 124:  # right sum, wrong size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        content[start : start + 512] = header
    path.write_bytes(content)
    samples, errors = read(path)
    assert len(samples) + len(errors) <= 2
    assert "rest of the shard" in errors[-1].reason


def test_an_endless_name_and_a_sparse_file_are_not_read(tmp_path):
    long = tarfile.TarInfo("x.png")
    long.pax_headers = {"comment": "x" * 200_000}
    write_tar(tmp_path / "s.tar", [*sample("a", 1), *sample("b", 1), ("x.png", long)])
    assert "bytes" in read(tmp_path / "s.tar")[1][0].reason
    sparse = tarfile.TarInfo("x.png")
    sparse.pax_headers = {"GNU.sparse.major": "1"}
    write_tar(tmp_path / "t.tar", [*sample("a", 1), *sample("b", 1), ("x.png", sparse)])
    assert "sparse" in read(tmp_path / "t.tar")[1][0].reason


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("pipe:cat /etc/passwd", "local"),
        ("https://example.org/{0..9}.tar", "local"),
        ("/x/a.tar::/x/b.tar", "local"),
        ("{folder}/none-*.tar", "matches no shards"),
        ("{folder}/s-{0..3}.tar", "missing file"),
        ("{folder}/s-{3..0}.tar", "not a range"),
        ("{folder}/s-{0..99999999}.tar", "not a range"),
        ("{folder}/s-{a,b}.tar", "not understood"),
        ("{folder}/s.tar.gz", r"no \.tar file"),
        ("{folder}/door.tar", "outside"),
        ("{folder}/a/../../x.tar", "missing"),
    ],
)
def test_shards_that_cannot_be_named_are_refused_at_open(tmp_path, text, hint):
    folder = tmp_path / "data"
    write_tar(folder / "s-0.tar", sample("a", 1))
    outside = write_tar(tmp_path / "secret.tar", sample("a", 1))
    (folder / "door.tar").symlink_to(outside)
    with pytest.raises(DataError, match=hint):
        open_dataset("wds:" + text.replace("{folder}", str(folder)))


def test_a_reference_past_the_end_of_a_shard_is_an_error(tmp_path):
    from dataclasses import replace

    path = write_tar(tmp_path / "s.tar", sample("a", 1))
    (found,), _ = read(path)
    for change in ({"offset": 10**9}, {"size": 10**6}, {"offset": -5, "size": -5}):
        with pytest.raises(DataError):
            image_bytes(replace(found.image, **change))
    with pytest.raises(DataError, match="larger"):
        image_bytes(replace(found.image, size=1 << 40))
