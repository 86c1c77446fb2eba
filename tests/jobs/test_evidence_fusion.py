"""The job of evidence fusion: from a scan's files to its own, and a real tiny model's scan."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forensics.api.running import run_method
from forensics.cli.entry import run as command
from forensics.errors import Cancelled
from forensics.jobs.attention.arrays import load_arrays
from forensics.jobs.evidence_fusion import job as evidence_fusion
from forensics.registry import find_method
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.drawn_fusion import TARGET, draw_set
from tests.fusion_case import NoModels, make_case, run_fusion, scan
from tests.make_case import MakeCase

FILES = ("scores.parquet", "flagged_ids.txt")
SMALL = {"batch_size": 4, "permutations": 19}


def digest(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A drawn set with a planted group, its scan and a run."""
    root = tmp_path_factory.mktemp("fusion")
    found = draw_set(400, entropy=6)
    case = make_case(root / "planted", found)
    earlier = scan(case, found)
    return SimpleNamespace(set=found, case=case, scan=earlier, run=run_fusion(case), root=root)


def test_a_planted_group_is_flagged_from_the_files_of_a_scan(drawn: SimpleNamespace) -> None:
    result = drawn.run.result()
    assert (result["verdict"], result["accepted_answer"]) == ("suspicious", TARGET)
    assert (result["arrays_run"], result["measured"]) == (drawn.scan.id, False)
    assert result["scores"]["fusion"]["precision"] == result["scores"]["fusion"]["recall"] == 1.0
    marked = [f"s-{i:04d}" for i in np.flatnonzero(drawn.set.marked)]
    assert (drawn.run.folder / "flagged_ids.txt").read_text().split() == marked
    table = pq.read_table(drawn.run.folder / "scores.parquet").to_pydict()
    assert table["flagged"] == drawn.set.marked.tolist()
    assert all(bool(text) == mark for text, mark in zip(table["reason"], drawn.set.marked,
                                                        strict=True))  # fmt: skip
    histogram = result["histogram"]
    assert sum(histogram["flagged"]) == 40 and sum(histogram["kept"]) == 360
    assert {row["without"]: row["flagged"] for row in result["drop_one"]}["entropy"] == 0


def test_the_ground_truth_changes_scores_only(drawn: SimpleNamespace) -> None:
    other = make_case(drawn.root / "mislabelled", drawn.set, truth=False)
    scan(other, drawn.set)
    again = run_fusion(other)
    assert digest(again.folder) == digest(drawn.run.folder)
    assert again.result()["scores"] != drawn.run.result()["scores"]


def test_the_same_scan_gives_the_same_bytes(drawn: SimpleNamespace) -> None:
    assert digest(run_fusion(drawn.case).folder) == digest(drawn.run.folder)


def test_a_clean_drawn_set_is_no_evidence_never_clean(tmp_path: Path) -> None:
    found = draw_set(300, rate=0.0)
    case = make_case(tmp_path / "plain", found)
    scan(case, found)
    result = run_fusion(case).result()
    assert (result["verdict"], result["flagged"]) == ("no evidence", 0)
    assert result["histogram"] is None and result["accepted_answer"] is None
    assert "clean" not in result["sentence"]


def test_a_real_scan_is_used_again_and_few_samples_give_no_verdict(
    make_case: MakeCase, tmp_path: Path
) -> None:
    case = make_case(24)
    earlier = run_method(case, find_method("bye"), {"batch_size": 8}).run
    result = evidence_fusion.run(case, QuietContext(tmp_path), SMALL, NoModels())
    assert (result["arrays_run"], result["measured"]) == (earlier.id, False)
    assert (result["verdict"], result["reason"]) == ("inconclusive", "too-few-samples")
    part = evidence_fusion.run(
        case, QuietContext(tmp_path), {**SMALL, "max_samples": 9}, NoModels()
    )
    assert (part["n"], part["arrays_run"]) == (9, earlier.id)


def test_without_a_scan_it_measures_itself_and_goes_on_where_it_stopped(
    make_case: MakeCase, tmp_path: Path
) -> None:
    def damage(rows: list[dict[str, object]], root: Path) -> None:
        (root / "images" / "3.png").write_bytes(b"nothing")

    case = make_case(24, damage)

    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            super().commit_shard(index, content, **facts)
            raise Cancelled("stop")

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    options = {**SMALL, "batch_size": 1}
    with pytest.raises(Cancelled):
        evidence_fusion.run(case, Stops(tmp_path / "a"), options, ModelCache())
    resumed = evidence_fusion.run(case, QuietContext(tmp_path / "a"), options, ModelCache())
    whole = evidence_fusion.run(case, QuietContext(tmp_path / "b"), options, ModelCache())
    assert resumed["measured"] and whole["measured"]
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert [f["row"] for f in whole["failures"]] == [3]
    assert np.isnan(load_arrays(tmp_path / "b").entropy[3]).all()
    reasons = pq.read_table(tmp_path / "b" / "scores.parquet").column("reason").to_pylist()
    assert reasons[3].startswith("Not scanned") and not any(reasons[:3])


def test_the_command_runs_it(
    drawn: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["scan", "fusion", "--case", drawn.case.folder, "--permutations", 99]
    assert command([*map(str, arguments), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["method"], done["flagged"]) == ("evidence-fusion", 40)
    assert Path(done["flagged_ids_file"]).read_text().count("\n") == 40
