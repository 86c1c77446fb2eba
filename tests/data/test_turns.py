"""Conversations with several turns, and rows with several images."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.data.conversation import MAX_TURNS
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from tests.data.builders import split, write_image


def say(*texts, names=("human", "gpt"), keys=("from", "value")):
    return [{keys[0]: names[n % 2], keys[1]: text} for n, text in enumerate(texts)]


def write(folder, *rows):
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        write_image(folder / name, (number, 0, 0))
    path = folder / "d.json"
    path.write_text(json.dumps([{"image": "a.png", **row} for row in rows]))
    return f"llava:{path}"


THREE = say("<image>\nWhat?", "A cat.", "Where?", "Here.", "Why?", "<b>No</b>")


def test_the_first_turn_is_the_default_and_the_rest_is_counted(tmp_path):
    uri = write(tmp_path, {"id": "x", "conversations": THREE})
    (record,) = open_dataset(uri).records()
    assert (record.item.id, record.item.question, record.item.history) == ("x", "What?", ())
    assert record.unread_turns == 2


def test_each_turn_is_a_sample_that_knows_the_turns_before_it(tmp_path):
    uri = write(tmp_path, {"id": "x", "conversations": THREE, "poisoned": True})
    dataset = open_dataset(uri, turns="each")
    records = list(dataset.records())
    samples = [record.item for record in records]
    assert [s.id for s in samples] == ["x", "x/turn-2", "x/turn-3"]
    assert [s.row_id for s in samples] == ["x"] * 3
    assert samples[2].history == (("What?", "A cat."), ("Where?", "Here."))
    assert (samples[2].question, samples[2].answer) == ("Why?", "<b>No</b>")
    assert {s.image.path for s in samples} == {"a.png"}
    assert {record.unread_turns for record in records} == {0}
    assert dataset.truth() == dict.fromkeys(("x", "x/turn-2", "x/turn-3"), True)


@pytest.mark.parametrize("turns", ["first", "each"])
def test_role_and_content_with_parts_read_the_same(tmp_path, turns):
    parts = [{"type": "image", "text": None}, {"type": "text", "text": "What?"}]
    spelt = [
        {"role": "system", "content": "Be brief."},
        *say(parts, "A cat.", "Where?", [{"type": "text", "text": "Here."}],
             names=("user", "assistant"), keys=("role", "content")),
    ]  # fmt: skip
    known = say("<image>What?", "A cat.", "Where?", "Here.")
    uri = write(tmp_path, {"id": "p", "messages": spelt}, {"id": "q", "conversations": known})
    samples, errors = split(open_dataset(uri, turns=turns))
    assert not errors
    half = len(samples) // 2
    one, two = ([(s.question, s.answer, s.history) for s in part] for part in
                (samples[:half], samples[half:]))  # fmt: skip
    assert one == two
    assert half == (2 if turns == "each" else 1)


def test_images_stand_in_the_order_of_their_tags(tmp_path):
    talk = say("<image>and<image>: same?", "No.", "And <image>?", "Yes.")
    uri = write(tmp_path, {"id": "x", "image": ["a.png", "c.png", "b.png"], "conversations": talk})
    (first,) = split(open_dataset(uri))[0]
    assert [image.path for image in first.images] == ["a.png", "c.png"]
    assert first.question == "and: same?"
    _, later = split(open_dataset(uri, turns="each"))[0]
    assert [open_image(image).getpixel((0, 0))[0] for image in later.images] == [0, 2, 1]
    assert later.history == (("and: same?", "No."),)


@pytest.mark.parametrize(
    ("images", "talk", "reason"),
    [
        (["a.png", "b.png", "c.png"], say("<image><image>x", "y"), "3 images but 2 <image> tags"),
        (["a.png", "b.png"], say("x", "y"), "2 images but 0"),
        ("a.png", say("<image><image>x", "y"), "1 images but 2"),
        ("a.png", say("x", "y", "<image>z", "w"), "first turn shows no image"),
        ([], say("x", "y"), "no image"),
        (["a.png", None], say("<image><image>x", "y"), "not text"),
        (["a.png", "../b.png"], say("<image><image>x", "y"), "outside"),
        (["a.png"] * 65, say("<image>" * 65, "y"), "over the limit"),
    ],
)
def test_images_and_tags_that_do_not_fit_are_a_row_error(tmp_path, images, talk, reason):
    uri = write(tmp_path, {"image": images, "conversations": talk}, {"conversations": THREE})
    for turns in ("first", "each"):
        samples, errors = split(open_dataset(uri, turns=turns))
        assert len(errors) == 1
        assert reason in errors[0].reason
        assert samples


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (say("<image>x", "y", "z"), "ends with a question"),
        (say("<image>x", "y") + say("z", "w", names=("gpt", "human")), "out of order"),
        ([*say("<image>x", "y"), {"from": "tool", "value": "1"}], "out of order"),
        ([*say("<image>x", "y"), 7], "out of order"),
        (say("<image>x", "y", 3, "w"), "entry 3 of the conversation has no text"),
        (say("<image>x", "y", [{"type": "video"}], "w"), "of type 'video'"),
        (say("<image>x", *["y"] * (2 * MAX_TURNS + 1)), "over the limit"),
        (say("<image>x", *["y" * 600_000] * 3), "longer than"),
    ],
)
def test_a_broken_later_turn_costs_its_row_only_where_it_is_read(tmp_path, talk, reason):
    uri = write(tmp_path, {"id": "bad", "conversations": talk}, {"id": "x", "conversations": THREE})
    samples, errors = split(open_dataset(uri, turns="each"))
    assert [s.row_id for s in samples] == ["x"] * 3
    assert reason in errors[0].reason


def test_the_id_of_a_turn_may_not_be_taken(tmp_path):
    rows = [{"id": name, "conversations": THREE} for name in ("x/turn-2", "x")]
    samples, errors = split(open_dataset(write(tmp_path, *rows), turns="each"))
    assert [s.id for s in samples] == ["x/turn-2", "x/turn-2/turn-2", "x/turn-2/turn-3"]
    assert "duplicate id 'x/turn-2'" in errors[0].reason


def test_tables_may_hold_conversations_and_lists_of_images(tmp_path):
    write(tmp_path, {"conversations": THREE})
    talk = say("<image><image>x", "y", "z", "w", names=("user", "assistant"),
               keys=("role", "content"))  # fmt: skip
    side_by_side = {"role": ["user", "assistant"], "content": ["<image><image>x", "y"]}
    lines = [{"images": ["a.png", "b.png"], "messages": cell}
             for cell in (talk, json.dumps(talk), side_by_side)]  # fmt: skip
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    samples, errors = split(open_dataset(f"table:{tmp_path / 't.jsonl'}", turns="each"))
    assert not errors
    assert [(s.question, len(s.images), len(s.history)) for s in samples] == [
        ("x", 2, 0), ("z", 2, 1), ("x", 2, 0), ("z", 2, 1), ("x", 2, 0)
    ]  # fmt: skip
    (tmp_path / "t.csv").write_text('image,messages\na.png,"' + json.dumps(
        say("<image>q", "r")).replace('"', '""') + '"\n')  # fmt: skip
    assert split(open_dataset(str(tmp_path / "t.csv")))[0][0].answer == "r"


def test_parquet_cells_may_hold_lists_of_images(tmp_path):
    pictures = [write_image(tmp_path / f"m/{n}.png", (n, 0, 0)).read_bytes() for n in range(5)]
    cell = [{"bytes": data, "path": None} for data in pictures]
    table = pa.table({"images": [cell[:2], cell[2:], []], "question": ["q", "r", "s"]})
    pq.write_table(table, tmp_path / "t.parquet")
    samples, errors = split(open_dataset(str(tmp_path / "t.parquet")))
    assert [[open_image(image).getpixel((0, 0))[0] for image in s.images] for s in samples] == [
        [0, 1], [2, 3, 4]
    ]  # fmt: skip
    assert [error.reason for error in errors] == ["the row has no image"]
