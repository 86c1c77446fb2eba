import json
import shutil
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.case import Case
from forensics.case.catalog import GROUPS_KEPT
from forensics.case.tables import CATALOG_SCHEMA
from forensics.errors import CaseError, DataError, ModelError
from forensics.runs import execute
from tests.case.making import HOSTILE, make_case, make_data, make_model


def test_a_case_freezes_every_field_of_every_row_in_order(tmp_path):
    case = make_case(tmp_path)
    direct = list(case.dataset())
    assert case.catalog.samples() == direct == list(case.catalog)
    assert list(case.catalog.ids) == [f"s{row}" for row in range(10)]
    assert case.catalog.answers[1] == HOSTILE  # text stays text, byte for byte
    assert case.catalog.questions[3] == "What is in 3?"


def test_rows_can_be_read_by_slice_number_and_id_across_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr("forensics.case.tables.ROWS_PER_GROUP", 3)
    catalog = make_case(tmp_path, count=20).catalog
    assert [sample.id for sample in catalog.samples(2, 8)] == [f"s{row}" for row in range(2, 8)]
    assert [sample.id for sample in catalog.select([19, 0, 7, 7])] == ["s19", "s0", "s7", "s7"]
    assert catalog.samples(18, 99)[-1].id == "s19"
    assert catalog.index("s11") == 11 and catalog.sample("s11").id == "s11"
    assert catalog.samples(5, 5) == []
    with pytest.raises(CaseError, match="rows 0 to 19"):
        catalog.select([20])
    with pytest.raises(CaseError, match="no sample 'nobody'"):
        catalog.sample("nobody")


def test_bad_rows_are_kept_apart_with_line_and_reason(tmp_path):
    case = make_case(tmp_path, bad={4, 6})
    assert (case.manifest.samples, case.manifest.errors, len(case.catalog)) == (8, 2, 8)
    first, second = case.row_errors()
    assert (first.id, second.id) == ("s4", "s6")
    assert "missing file" in first.reason and first.source == "train.json"
    assert case.row_errors(1, 2) == [second]


def test_ground_truth_is_in_a_table_of_its_own_only(tmp_path):
    case = make_case(tmp_path)
    assert case.has_truth
    assert [name for name, poisoned in case.truth().items() if poisoned] == ["s1"]
    assert "poisoned" not in CATALOG_SCHEMA.names
    (case.folder / "truth.parquet").unlink()
    reopened = Case.open(case.folder)  # what no method needs is missed by no method
    assert len(reopened.catalog.samples()) == 10


def test_case_json_tells_uris_hashes_preprocessing_and_versions(tmp_path):
    case = make_case(tmp_path)
    stored = json.loads((case.folder / "case.json").read_text())
    assert stored["schema"] == 2
    assert stored["data"] == f"llava:{tmp_path}/data/train.json"
    assert stored["preprocessing"] == {"preprocessor_config": {"size": {"height": 64}}}
    assert {"python", "numpy", "triggerlens"} <= stored["versions"].keys()
    files = pq.read_table(case.folder / "hashes.parquet").to_pylist()
    assert [(row["part"], row["path"]) for row in files] == [
        ("data", "train.json"),
        *(("pictures", f"image-{row}.png") for row in range(10)),
        ("model", "model.safetensors"),
        ("model", "preprocessor_config.json"),
    ]


def test_one_changed_byte_of_model_or_data_changes_its_hash_only(tmp_path):
    first = make_case(tmp_path / "a").manifest.hashes
    same = make_case(tmp_path / "b").manifest.hashes
    assert first == same  # the place does not matter, the content does
    model = make_model(tmp_path / "c/model")
    (model / "model.safetensors").write_bytes(bytes(200))
    data = make_data(tmp_path / "c/data")
    other = Case.create(tmp_path / "c/case", model=str(model), data=data).manifest.hashes
    assert other["data"] == first["data"]
    assert other["model"].sha256 != first["model"].sha256


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    data, model = make_data(tmp_path / "data"), make_model(tmp_path / "model")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("years of work")
    with pytest.raises(CaseError, match="is not empty"):
        Case.create(tmp_path / "full", model=str(model), data=data)
    assert (tmp_path / "full/thesis.txt").read_text() == "years of work"
    case = make_case(tmp_path / "x")
    with pytest.raises(CaseError, match="holds a case already"):
        Case.create(case.folder, model=str(model), data=data)


def test_a_failed_creation_leaves_the_folder_as_it_was(tmp_path):
    data, model = make_data(tmp_path / "data"), make_model(tmp_path / "model")
    with pytest.raises(ModelError, match="does not exist"):
        Case.create(tmp_path / "one", model=str(tmp_path / "nothing"), data=data)
    assert not (tmp_path / "one").exists()
    (tmp_path / "two").mkdir()
    with pytest.raises(DataError):
        Case.create(tmp_path / "two", model=str(model), data="llava:/nowhere.json")
    assert list((tmp_path / "two").iterdir()) == []
    Case.create(tmp_path / "two", model=str(model), data=data)


def test_data_without_one_usable_row_is_refused_with_the_first_reason(tmp_path):
    data = make_data(tmp_path / "data", count=3, bad={0, 1, 2})
    with pytest.raises(CaseError, match=r"None of the 3 rows .* line .*missing file"):
        Case.create(tmp_path / "case", model=str(make_model(tmp_path / "model")), data=data)


def test_a_creation_that_was_killed_is_recognised(tmp_path):
    data, model = make_data(tmp_path / "data"), make_model(tmp_path / "model")
    code = (
        "import sys, time; from forensics.case import Case\n"
        "Case.create(sys.argv[1], model=sys.argv[2], data=sys.argv[3],"
        " report=lambda *_: (print('begun', flush=True), time.sleep(60)))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "case", model, data], stdout=subprocess.PIPE
    )
    assert child.stdout is not None and child.stdout.readline() == b"begun\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with pytest.raises(CaseError, match="was not finished"):
        Case.open(tmp_path / "case")
    with pytest.raises(CaseError, match="a case that was not finished"):
        Case.create(tmp_path / "case", model=str(model), data=data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not valid JSON"),
        ("[]", "not hold a JSON object"),
        ('{"schema": 99}', "schema 99; this program reads 1"),
        ('{"schema": 1}', "damaged"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_damaged_case_json_is_named_with_a_remedy(tmp_path, content, reason):
    case = make_case(tmp_path)
    (case.folder / "case.json").write_text(content)
    with pytest.raises(CaseError, match=reason) as caught:
        Case.open(case.folder)
    assert "case.json" in caught.value.message or "schema" in caught.value.message


def test_a_folder_that_is_no_case_is_refused(tmp_path):
    with pytest.raises(CaseError, match="is not a case"):
        Case.open(tmp_path)
    with pytest.raises(CaseError, match="no folder"):
        Case.open(tmp_path / "nothing")


def test_a_moved_case_opens_and_data_drawn_inside_it_moves_along(tmp_path):
    model = make_model(tmp_path / "model")
    case = Case.create(
        tmp_path / "demo",
        model=str(model),
        data="llava:${case}/data/train.json",
        prepare=lambda folder: make_data(folder / "data") and None,
        known={"trigger": "magenta-patch", "attack_success_rate": 0.99},
    )
    case.new_run("toy", {})
    assert str(tmp_path) not in (case.folder / "case.json").read_text().replace(str(model), "")
    shutil.move(case.folder, tmp_path / "elsewhere")
    moved = Case.open(tmp_path / "elsewhere")
    sample = moved.catalog.sample("s2")
    assert sample.image is not None and sample.image.root == tmp_path / "elsewhere/data"
    assert moved.pictures.picture(sample).is_file()
    assert len(list(moved.dataset())) == 10
    assert moved.known()["trigger"] == "magenta-patch"
    assert len(moved.runs()) == 1


def test_a_case_opens_though_its_images_are_gone(tmp_path):
    case = make_case(tmp_path)
    shutil.rmtree(tmp_path / "data")
    reopened = Case.open(case.folder)
    sample = reopened.catalog.sample("s2")
    assert reopened.pictures.thumb(sample) is None
    with pytest.raises(DataError, match="missing file"):
        reopened.pictures.picture(sample)
    with pytest.raises(DataError):
        reopened.dataset()


def test_a_catalogue_that_was_tampered_with_leads_to_no_file_outside_the_data(tmp_path):
    case = make_case(tmp_path)
    (tmp_path / "secret.png").write_bytes((tmp_path / "data/image-0.png").read_bytes())
    rows = pq.read_table(case.folder / "catalog.parquet").to_pylist()
    for row, path in zip(rows, ("../secret.png", "/etc/passwd", "a\0b"), strict=False):
        row["image"] = path
    table = pa.Table.from_pylist(rows, schema=CATALOG_SCHEMA)
    pq.write_table(table, case.folder / "catalog.parquet")
    samples = Case.open(case.folder).catalog.samples()
    assert [case.pictures.thumb(sample) for sample in samples[:3]] == [None, None, None]
    assert case.pictures.thumb(samples[3]) is not None


def test_a_table_with_other_columns_is_no_catalogue(tmp_path):
    case = make_case(tmp_path)
    pq.write_table(pa.table({"id": ["a"]}), case.folder / "catalog.parquet")
    with pytest.raises(CaseError, match="is not a catalogue"):
        _ = Case.open(case.folder).catalog


def test_the_latest_finished_run_of_a_method_is_found(tmp_path):
    case = make_case(tmp_path)
    with pytest.raises(CaseError, match="no finished run of bye"):
        case.run(method="bye")
    done, waiting = case.new_run("bye", {}), case.new_run("bye", {})
    execute(done, lambda _: {})
    execute(case.new_run("other", {}), lambda _: {})
    assert case.run(method="bye").id == done.id
    assert case.run(method="bye", finished=False).id == waiting.id
    assert case.run(waiting.id).id == waiting.id
    assert len(case.runs()) == 3


@pytest.mark.parametrize("name", ["../../etc", "", ".", "20261121-081530-bye-ffff"])
def test_a_run_id_from_a_link_cannot_lead_elsewhere(tmp_path, name):
    with pytest.raises(CaseError, match="no run"):
        make_case(tmp_path).run(name)


def test_a_case_is_for_its_owner_only_and_tells_its_disk_use(tmp_path):
    case = make_case(tmp_path)
    assert case.folder.stat().st_mode & 0o077 == 0
    case.pictures.thumb(case.catalog.sample("s2"))
    use = case.disk_use()
    assert use["total"] == use["runs"] + use["pictures"] + use["other"]
    assert use["pictures"] > 0 and use["runs"] == 0


def test_opening_a_case_and_its_runs_imports_no_torch(tmp_path):
    make_case(tmp_path)
    code = (
        "import sys; from forensics.case import Case; import forensics.runs\n"
        "import forensics.worker.client\n"
        "case = Case.open(sys.argv[1]); case.catalog.samples(); case.runs()\n"
        "case.journal.entries()\n"
        "heavy = {'torch', 'transformers', 'gradio', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "case"], check=True)


def test_reading_many_rows_keeps_few_row_groups_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("forensics.case.tables.ROWS_PER_GROUP", 2)
    count = 2 * GROUPS_KEPT + 6
    catalog = make_case(tmp_path, count=count).catalog
    assert sum(1 for _ in catalog) == count
    assert len(catalog._groups) == GROUPS_KEPT
    assert catalog.samples(28, 30)[1].id == "s29"
    scattered = [count - 1, 3, 4, 0, 3]
    assert [row.id for row in catalog.select(scattered)] == [f"s{row}" for row in scattered]
