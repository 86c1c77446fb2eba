import json
import tracemalloc
from pathlib import Path

import pytest

from forensics.data import json_list
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.errors import DataError
from tests.data.builders import record, split, turns, write_image, write_records

EASY_VQA = Path(__file__).resolve().parents[3] / "shared" / "data" / "easy_vqa"


def read(path):
    return split(open_dataset(f"llava:{path}"))


def test_the_first_question_and_answer_are_read_without_the_image_tag(tmp_path):
    later = [{"from": "human", "value": "Other?"}, {"from": "gpt", "value": "That"}]
    talk = [{"from": "system", "value": "s"}, *turns("Which?", "This"), *later]
    samples, errors = read(write_records(tmp_path / "d.json", [record(1, conversations=talk)]))
    assert not errors
    assert (samples[0].question, samples[0].answer) == ("Which?", "This")
    assert open_image(samples[0].image).size == (8, 6)


def test_every_record_knows_its_line_in_an_indented_file(tmp_path):
    path = write_records(tmp_path / "d.json", [record(n) for n in range(3)], indent=2)
    lines = path.read_text().splitlines()
    samples, _ = read(path)
    assert all(lines[sample.line - 1] == "  {" for sample in samples)
    assert len({sample.line for sample in samples}) == 3


def test_records_of_a_one_line_file_are_counted_by_row(tmp_path):
    samples, _ = read(write_records(tmp_path / "d.json", [record(n) for n in range(3)]))
    assert [sample.line for sample in samples] == [1, 2, 3]


@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_window_on_the_file_may_cut_records_anywhere(tmp_path, monkeypatch, block):
    records = [record(n, conversations=turns('q "[{\\" 🙂é', "a]}")) for n in range(5)]
    path = write_records(tmp_path / "d.json", records, indent=1, ensure_ascii=False)
    whole = list(open_dataset(str(path)).records())
    monkeypatch.setattr(json_list, "BLOCK_CHARACTERS", block)
    assert list(open_dataset(str(path)).records()) == whole
    assert [json.loads(entry.raw) for entry in whole] == records


@pytest.mark.parametrize("cut", [40, 200, 301])
def test_a_truncated_file_gives_its_whole_records_and_one_error(tmp_path, cut):
    text = json.dumps([record(n) for n in range(9)], indent=0)
    write_image(tmp_path / "a.png")
    path = tmp_path / "d.json"
    path.write_text(text[:-cut])
    samples, errors = read(path)
    assert [sample.id for sample in samples] == [f"row-{n}" for n in range(len(samples))]
    assert 6 <= len(samples) < 9
    assert len(errors) == 1
    assert errors[0].source == "d.json"
    assert text.splitlines()[errors[0].line - 1] == "{"
    assert "download" in errors[0].remedy


def test_a_file_cut_between_records_is_reported_too(tmp_path):
    write_image(tmp_path / "a.png")
    (tmp_path / "d.json").write_text("[" + json.dumps(record(1)) + ",\n")
    samples, errors = read(tmp_path / "d.json")
    assert len(samples) == len(errors) == 1


def test_a_broken_record_costs_only_itself(tmp_path):
    good = json.dumps(record(1)), json.dumps(record(2))
    bad = [
        '{"id": 3,, "image": "a]}.png"}',
        "nonsense",
        '{"id": "a\nb"}',
        "12",
        '"text"',
        "null",
        "[" * 5000 + "]" * 5000,
        '{"id": ' + "9" * 5000 + "}",
    ]
    write_image(tmp_path / "a.png")
    (tmp_path / "d.json").write_text("[" + ",\n".join([good[0], *bad, good[1]]) + "]")
    samples, errors = read(tmp_path / "d.json")
    assert [sample.id for sample in samples] == ["row-1", "row-2"]
    assert len(errors) == len(bad)


def test_stray_commas_and_trailing_text_are_reported(tmp_path):
    write_image(tmp_path / "a.png")
    one, two = json.dumps(record(1)), json.dumps(record(2))
    (tmp_path / "d.json").write_text(f"[{one},\n,{two}\n{json.dumps(record(3))}] []")
    samples, errors = read(tmp_path / "d.json")
    assert len(samples) == 3
    assert [error.line for error in errors] == [2, 3, 3]


def test_a_record_without_end_stops_at_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(json_list, "MAX_RECORD_CHARACTERS", 1000)
    monkeypatch.setattr(json_list, "BLOCK_CHARACTERS", 100)
    write_image(tmp_path / "a.png")
    (tmp_path / "d.json").write_text(f'[{json.dumps(record(1))}, {{"id": "{"x" * 10_000}"}}]')
    samples, errors = read(tmp_path / "d.json")
    assert (len(samples), len(errors)) == (1, 1)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"a": 1}', "object around"),
        (b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\xff\xfe[\0]\0", "UTF-16"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"version https://git-lfs.github.com/spec/v1\n", "lfs pull"),
        (b"\x80\x04\x95 pickle", "not JSON"),
    ],
)
def test_another_kind_of_file_is_refused_at_open_with_what_to_do(tmp_path, content, hint):
    path = tmp_path / "d.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=hint):
        open_dataset(f"llava:{path}")


def test_an_empty_list_has_no_rows(tmp_path):
    (tmp_path / "d.json").write_text("[]")
    assert read(tmp_path / "d.json") == ([], [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image": None}, "no image"),
        ({"image": ""}, "no image"),
        ({"image": ["a.png", "a.png"]}, "2 images"),
        ({"image": {"x": 1}}, "an object"),
        ({"image": "gone.png"}, "missing file"),
        ({"image": "a.png/b.png"}, "missing file"),
        ({"image": "../a.png"}, "outside"),
        ({"image": "x\\..\\a.png"}, "outside"),
        ({"image": "/etc/passwd"}, "absolute"),
        ({"image": "C:\\a.png"}, "absolute"),
        ({"image": "https://example.org/a.png"}, "URL"),
        ({"image": "a\0.png"}, "NUL"),
        ({"image": "x" * 5000}, "cannot be reached"),
        ({"image": "folder"}, "not a regular file"),
        ({"conversations": []}, "no conversations"),
        ({"conversations": "hi"}, "no conversations"),
        ({"conversations": [1, None]}, "no human turn"),
        ({"conversations": turns()[:1]}, "no gpt turn"),
        ({"conversations": [{"from": "human", "value": 3}]}, "no text"),
        ({"conversations": turns("a\0b")}, "NUL"),
        ({"conversations": turns("half \ud800")}, "UTF-8"),
        ({"conversations": turns("x" * 1_000_001)}, "longer"),
        ({"id": True}, "id"),
        ({"id": [1]}, "id"),
        ({"id": 1.5}, "id"),
        ({"id": "x" * 100_000}, "longer"),
        ({"id": "a\nb"}, "control"),
    ],
)
def test_a_bad_row_is_an_error_and_the_rest_goes_on(tmp_path, changes, reason):
    (tmp_path / "folder").mkdir()
    path = write_records(tmp_path / "d.json", [{**record(1), **changes}, record(2)], indent=0)
    samples, errors = read(path)
    assert [sample.id for sample in samples] == ["row-2"]
    assert len(errors) == 1
    assert reason in errors[0].reason
    assert (errors[0].source, errors[0].line) == ("d.json", 2)
    assert len(errors[0].reason) < 300
    errors[0].reason.encode("utf-8")


def test_links_out_of_the_root_are_refused_and_links_inside_are_not(tmp_path):
    outside = write_image(tmp_path / "secret" / "b.png")
    data = tmp_path / "data"
    write_image(data / "sub" / "c.png")
    (data / "out.png").symlink_to(outside)
    (data / "door").symlink_to(outside.parent)
    (data / "loop.png").symlink_to(data / "loop.png")
    (data / "in.png").symlink_to(data / "sub" / "c.png")
    names = ["out.png", "door/b.png", "loop.png", "in.png"]
    path = write_records(data / "d.json", [record(n, image=i) for n, i in enumerate(names)])
    samples, errors = read(path)
    assert [sample.image.path for sample in samples] == ["in.png"]
    assert len(errors) == 3


def test_ids_are_text_own_or_derived_and_a_duplicate_names_the_first_line(tmp_path):
    records = [record(1, id=7), record(2, id="ü"), record(3, id=None), record(4, id="7")]
    samples, errors = read(write_records(tmp_path / "d.json", records, indent=0))
    assert [sample.id for sample in samples] == ["7", "ü", "d-3"]
    assert errors[0].id == "7"
    assert f"first on line {samples[0].line}" in errors[0].reason


def test_two_equal_ids_on_one_line_are_still_duplicates(tmp_path):
    a, b, c = (json.dumps(record(n)) for n in (1, 2, 2))
    write_image(tmp_path / "a.png")
    (tmp_path / "d.json").write_text(f"[{a},\n{b}, {c}]")
    samples, errors = read(tmp_path / "d.json")
    assert (len(samples), len(errors)) == (2, 1)


def test_html_and_templates_stay_plain_text(tmp_path):
    text = "<script>alert(1)</script> ${jndi:ldap://x} {{7*7}} %s"
    path = write_records(tmp_path / "d.json", [record(1, conversations=turns(text, text))])
    samples, _ = read(path)
    assert samples[0].question == samples[0].answer == text


def test_byte_order_mark_crlf_and_unicode_are_read(tmp_path):
    write_image(tmp_path / "bild ü 🙂.png")
    records = [record(n, image="bild ü 🙂.png", conversations=turns("Où?")) for n in (1, 2)]
    text = json.dumps(records, indent=2, ensure_ascii=False).replace("\n", "\r\n")
    (tmp_path / "d.json").write_bytes(text.encode("utf-8-sig"))
    samples, errors = read(tmp_path / "d.json")
    assert not errors
    assert samples[0].question == "Où?"
    assert text.split("\r\n")[samples[1].line - 1].strip() == "{"


def test_bytes_that_are_not_utf8_spoil_only_their_row(tmp_path):
    write_image(tmp_path / "a.png")
    bad = json.dumps(record(1, conversations=turns("caf#"))).encode().replace(b"#", b"\xe9")
    (tmp_path / "d.json").write_bytes(b"[" + bad + b",\n" + json.dumps(record(2)).encode() + b"]")
    samples, errors = read(tmp_path / "d.json")
    assert [sample.id for sample in samples] == ["row-2"]
    assert "UTF-8" in errors[0].reason


def test_json_lines_hold_the_same_records(tmp_path):
    write_image(tmp_path / "a.png")
    lines = [json.dumps(record(1)), "", '{"cut": ', "[]", json.dumps(record(2))]
    (tmp_path / "d.jsonl").write_text("\r\n".join(lines))
    samples, errors = read(tmp_path / "d.jsonl")
    assert [(sample.id, sample.line) for sample in samples] == [("row-1", 1), ("row-2", 5)]
    assert [error.line for error in errors] == [3, 4]


def test_ground_truth_stays_out_of_the_samples(tmp_path):
    values = [True, "false", 1, 0, "TRUE", None]
    records = [record(n, poisoned=value) for n, value in enumerate(values)]
    hidden = open_dataset(str(write_records(tmp_path / "d.json", records)))
    plain = open_dataset(
        str(write_records(tmp_path / "p" / "d.json", [record(n) for n in range(6)]))
    )
    assert list(hidden.truth().values()) == [True, False, True, False, True]
    assert plain.truth() == {}
    assert [s.id for s in hidden] == [s.id for s in plain]
    assert "poisoned" not in set(Sample.__dataclass_fields__)


def test_an_unknown_ground_truth_value_is_named(tmp_path):
    path = write_records(tmp_path / "d.json", [record(1), record(2, poisoned="maybe")], indent=0)
    dataset = open_dataset(str(path))
    assert len(split(dataset)[0]) == 2
    with pytest.raises(DataError, match=r"d\.json, line .*'maybe'"):
        dataset.truth()


def test_memory_does_not_grow_with_the_file(tmp_path):
    write_image(tmp_path / "a.png")
    with (tmp_path / "d.json").open("w") as stream:
        stream.write("[")
        for number in range(12_000):
            row = record(number, conversations=turns("q", "x" * 3000))
            stream.write((",\n" if number else "") + json.dumps(row))
        stream.write("]")
    assert (tmp_path / "d.json").stat().st_size > 36e6
    tracemalloc.start()
    try:
        count = sum(isinstance(item, Sample) for item in open_dataset(str(tmp_path / "d.json")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 12_000
    assert peak < 12e6


@pytest.mark.skipif(not EASY_VQA.is_dir(), reason="shared data not found: ../shared/data/easy_vqa")
def test_easy_vqa_is_read_whole_without_errors():
    samples, errors = read(EASY_VQA / "train.json")
    assert len(samples) == 38_575
    assert not errors
    assert samples[0].id == "train-00000"
    assert samples[-1].line == 38_576
    assert open_image(samples[-1].image).size == (64, 64)
