import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from forensics.case import Case
from forensics.case.custody import verify
from forensics.cli.entry import root
from forensics.errors import CaseError
from tests.case.making import make_case


def test_what_nobody_touched_is_intact_and_every_picture_was_looked_at(tmp_path):
    case = make_case(tmp_path)
    found = verify(case)
    assert found.intact and found.parts == ("data", "pictures", "model") and found.files == 13
    assert found.bytes == sum(
        path.stat().st_size
        for folder in ("data", "model")
        for path in (tmp_path / folder).iterdir()
    )


def test_each_change_is_named_with_its_part(tmp_path):
    case = make_case(tmp_path)
    picture = tmp_path / "data/image-3.png"
    picture.write_bytes(picture.read_bytes()[:-1] + b"!")  # as long as before
    (tmp_path / "data/image-4.png").unlink()
    (tmp_path / "model/more.safetensors").write_bytes(b"weights")
    found = verify(Case.open(case.folder))
    told = {(each.part, each.path, each.what) for each in found.differences}
    assert told == {
        ("pictures", "image-3.png", "changed"),
        ("pictures", "image-4.png", "missing"),
        ("model", "more.safetensors", "added"),
    }
    assert found.sentence.endswith("1 changed, 1 missing, 1 added since the case was made.")


def test_a_set_that_is_gone_is_missing_and_no_error(tmp_path):
    case = make_case(tmp_path)
    for path in (tmp_path / "data").iterdir():
        path.unlink()
    (tmp_path / "data").rmdir()
    found = verify(Case.open(case.folder))
    assert len(found.differences) == 11 and {each.what for each in found.differences} == {"missing"}


def test_pictures_that_are_links_out_of_the_root_are_never_read(tmp_path):
    case = make_case(tmp_path)
    (tmp_path / "secret.png").write_bytes(b"of somebody else")
    (tmp_path / "data/image-2.png").unlink()
    (tmp_path / "data/image-2.png").symlink_to(tmp_path / "secret.png")
    (found,) = verify(Case.open(case.folder)).differences
    assert (found.path, found.what) == ("image-2.png", "missing")


def test_an_old_case_is_compared_by_what_was_hashed_then(tmp_path):
    case = make_case(tmp_path)
    table = case.folder / "hashes.parquet"
    rows = pq.read_table(table)
    kept = rows.filter([part != "pictures" for part in rows.column("part").to_pylist()])
    pq.write_table(kept, table)
    found = verify(case)
    assert found.intact and found.parts == ("data", "model")


def test_damaged_hashes_are_an_error_with_a_remedy(tmp_path):
    case = make_case(tmp_path)
    (case.folder / "hashes.parquet").write_bytes(b"no table")
    with pytest.raises(CaseError, match="make it anew"):
        verify(case)


def test_the_verb_tells_and_the_audit_trail_keeps_it(tmp_path):
    case = make_case(tmp_path)
    (tmp_path / "data/image-0.png").write_bytes(b"else")
    done = CliRunner().invoke(root, ["case", "verify", str(case.folder)])
    assert done.exit_code == 0 and "changed: pictures/image-0.png" in done.output
    (entry,) = case.journal.entries("verify")
    assert entry.detail["intact"] is False and entry.detail["differing"] == 1
