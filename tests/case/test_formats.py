"""What a case keeps of several images, several turns and images inside larger files."""

import json

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from forensics.case import Case
from forensics.case.tables import OLD_CATALOG_SCHEMA
from forensics.cli.case import case as case_verbs
from forensics.data.images import image_bytes
from forensics.errors import CaseError
from tests.case.making import make_case, make_data, make_model
from tests.data.builders import write_image
from tests.data.shards import png, sample, talk, write_tar

LATER = [{"from": "human", "value": "Sure? ☃"}, {"from": "gpt", "value": "Yes."}]


def talks(folder, count=3):
    """Write a LLaVA set with two images and two turns a row."""
    rows = []
    for n in range(count):
        names = [f"{n}-{k}.png" for k in range(2)]
        for k, name in enumerate(names):
            write_image(folder / name, (10 * n + k, 0, 0))
        turns = [*talk(images=2), *LATER]
        rows.append({"id": f"s{n}", "image": names, "conversations": turns, "poisoned": n == 1})
    (folder / "d.json").write_text(json.dumps(rows))
    return f"llava:{folder / 'd.json'}"


@pytest.mark.parametrize("turns", ["first", "each"])
def test_images_and_turns_are_frozen_as_they_were_read(tmp_path, turns):
    model = make_model(tmp_path / "model")
    made = Case.create(tmp_path / "c", model=str(model), data=talks(tmp_path / "d"), turns=turns)
    case = Case.open(made.folder)
    assert case.catalog.samples() == list(case.dataset())
    assert case.manifest.turns == turns
    assert case.manifest.unread_rows == (3 if turns == "first" else 0)
    last = case.catalog.samples()[-1]
    assert last.row_id == "s2" and len(last.images) == 2
    assert last.history == ((("What?", "A cat."),) if turns == "each" else ())
    assert len(set(case.catalog.picture_names)) == 3
    assert len(case.truth()) == len(case.catalog)
    assert any('"turns"' in json.dumps(entry.detail) for entry in case.journal.entries())


def test_images_inside_a_shard_are_found_again_after_reopening(tmp_path):
    write_tar(tmp_path / "d" / "s.tar", [part for n in range(4) for part in sample(f"k{n}", n)])
    model = make_model(tmp_path / "model")
    made = Case.create(tmp_path / "c", model=str(model), data=f"wds:{tmp_path / 'd'}")
    case = Case.open(made.folder)
    assert case.catalog.samples() == list(case.dataset())
    assert [image_bytes(s.image) for s in case.catalog] == [png(n) for n in range(4)]
    assert case.pictures.thumb(case.catalog.samples()[3]) is not None
    assert len(set(case.catalog.picture_names)) == 4
    assert case.manifest.hashes["data"].files == 1


def as_old(case):
    """Bring a case to the layout of schema 1."""
    path = case.folder / "catalog.parquet"
    pq.write_table(pq.read_table(path, columns=OLD_CATALOG_SCHEMA.names), path)
    stored = json.loads((case.folder / "case.json").read_text())
    stored["schema"] = 1
    for name in ("turns", "unread_rows"):
        del stored[name]
    (case.folder / "case.json").write_text(json.dumps(stored))


def test_an_old_case_opens_as_it_was(tmp_path):
    case = make_case(tmp_path)
    before, names = case.catalog.samples(), list(case.catalog.picture_names)
    as_old(case)
    old = Case.open(case.folder)
    assert old.catalog.samples() == before == list(old.dataset())
    assert list(old.catalog.picture_names) == names
    assert (old.manifest.turns, old.manifest.unread_rows) == ("first", 0)
    assert old.pictures.thumb(old.catalog.sample("s2")) is not None


@pytest.mark.parametrize("change", [{"turns": "last"}, {"turns": 1}, {"unread_rows": -1}])
def test_options_that_make_no_sense_are_damage(tmp_path, change):
    case = make_case(tmp_path)
    path = case.folder / "case.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CaseError, match="damaged"):
        Case.open(case.folder)


def test_the_command_line_takes_turns_and_says_what_was_not_read(tmp_path):
    model, data = make_model(tmp_path / "model"), talks(tmp_path / "d")
    run = CliRunner()
    given = ["new", str(tmp_path / "a"), "--model", str(model), "--data", data]
    made = run.invoke(case_verbs, given)
    assert "3 rows have later turns that were not read" in made.output
    shown = run.invoke(case_verbs, ["show", str(tmp_path / "a"), "--json"])
    assert '"unread_rows": 3' in shown.output
    given[1] = str(tmp_path / "b")
    made = run.invoke(case_verbs, [*given, "--turns", "each"])
    assert "6 samples" in made.output and "not read" not in made.output
    simple = run.invoke(case_verbs, [
        "new", str(tmp_path / "c"), "--model", str(model), "--data", make_data(tmp_path / "e")
    ])  # fmt: skip
    assert "not read" not in simple.output
