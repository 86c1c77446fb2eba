"""The job of the map: from a scan's files to its own; a planted group, put aside and scored."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forensics.cli.entry import run as command
from forensics.errors import Cancelled, NotApplicable, OptionError
from forensics.jobs.clusters import job as clusters
from forensics.jobs.clusters.exclusion import read_exclusion, save_exclusion
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.clusters_case import draw_map, scan
from tests.fusion_case import NoModels
from tests.make_case import MakeCase
from tests.ui import synthetic

pytest.importorskip("sklearn")
pytest.importorskip("numba")

LOST = 3
FILES = ("clusters.safetensors", "points.parquet")


def digest(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A case with a planted group, its scan and a map."""
    case = synthetic.make_case(tmp_path_factory.mktemp("map") / "case", 300)
    earlier = scan(case, LOST)
    return SimpleNamespace(case=case, scan=earlier, run=draw_map(case))


def test_the_map_of_a_scan_has_the_planted_group_in_one_cluster(drawn: SimpleNamespace) -> None:
    result = drawn.run.result()
    assert (result["verdict"], result["flagged"], result["arrays_run"], result["measured"]) == (
        None, 0, drawn.scan.id, False)  # fmt: skip
    assert (result["n"], result["failed"], result["mode"]) == (300 - LOST, LOST, "state")
    best = result["poisoned_cluster"]
    assert best["precision"] > 0.95 and best["recall"] > 0.95
    line = next(c for c in result["clusters"] if c["cluster"] == best["cluster"])
    assert line["answer"] == synthetic.TARGET and line["purity"] > 0.95
    # 30 planted samples are more than k = 16: they lie close together, not in a sparse place.
    assert result["auc_of_poisoned"]["k_distance"]["auc"] < 0.05
    assert result["metric"] == "euclidean" and "clean" not in result["sentence"]


def test_arrays_and_table_hold_the_same_points(drawn: SimpleNamespace) -> None:
    arrays = drawn.run.arrays("clusters.safetensors")
    table = pq.read_table(drawn.run.folder / "points.parquet").to_pydict()
    assert arrays["xy"].shape == (300 - LOST, 2) and arrays["xy"].dtype == np.float32
    assert arrays["rows"].tolist() == table["row"] == list(range(300 - LOST))
    assert (
        table["x"] == arrays["xy"][:, 0].tolist() and table["cluster"] == arrays["cluster"].tolist()
    )
    assert table["id"] == list(drawn.case.catalog.ids[: 300 - LOST])
    np.testing.assert_allclose(table["k_distance"], arrays["k_distance"], rtol=1e-6)
    assert "cosine" not in arrays and arrays["excluded"].size == 0


def test_the_same_scan_gives_the_same_bytes_and_the_truth_is_not_read(
    drawn: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(drawn.case), "has_truth", False)
    again = draw_map(drawn.case)
    assert digest(again.folder) == digest(drawn.run.folder)
    assert "auc_of_poisoned" not in again.result()


def test_samples_put_aside_are_on_no_map_and_change_no_data(drawn: SimpleNamespace) -> None:
    case = drawn.case
    before = (case.folder / "catalog.parquet").read_bytes()
    marked = [name for name, bad in case.truth().items() if bad]
    listed = save_exclusion(case, marked)
    run = draw_map(case, exclude=listed)
    result = run.result()
    assert result["excluded"] == len(marked)
    assert result["n"] == len(case.catalog) - len(marked) - LOST  # none of the lost is poisoned
    arrays = run.arrays("clusters.safetensors")
    assert set(case.catalog.ids[arrays["excluded"]]) == set(marked)
    assert not set(arrays["rows"]) & set(arrays["excluded"])
    assert synthetic.TARGET not in {line["answer"] for line in result["clusters"]}
    assert (case.folder / "catalog.parquet").read_bytes() == before
    assert save_exclusion(case, marked) == listed


def test_lists_of_ids_may_come_from_a_file_and_bad_ones_are_refused(
    drawn: SimpleNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("s-00004\r\nno such id\n\ns-00002\n")
    assert read_exclusion(drawn.case, str(file)).tolist() == [2, 4]
    file.write_text("nobody\n")
    for bad in (str(file), str(tmp_path / "absent"), "quarantine-" + "0" * 12, str(tmp_path)):
        with pytest.raises(OptionError):
            read_exclusion(drawn.case, bad)
    file.write_text("".join(f"{name}\n" for name in drawn.case.catalog.ids))
    with pytest.raises(OptionError, match="nothing is left"):
        clusters.run(drawn.case, QuietContext(tmp_path), {"exclude": str(file)}, NoModels())


@pytest.mark.parametrize("features", ["image", "pair", "attention", "entropy"])
def test_every_kind_of_features_is_drawn(drawn: SimpleNamespace, features: str) -> None:
    options = {"features": features, "clusterer": "gmm", "components": 3, "max_samples": 40}
    result = draw_map(drawn.case, **options).result()
    assert result["mode"] == features and result["n"] <= 40
    assert [line["cluster"] for line in result["clusters"]] == [0, 1, 2]


def test_a_language_model_has_no_captions(drawn: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="caption"):
        clusters.run(drawn.case, QuietContext(tmp_path), {"features": "text"}, NoModels())


def test_without_a_scan_it_measures_itself_and_goes_on_where_it_stopped(
    make_case: MakeCase, tmp_path: Path
) -> None:
    def damage(rows: list[dict[str, object]], root: Path) -> None:
        (root / "images" / "3.png").write_bytes(b"nothing")

    case = make_case(12, damage)

    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            super().commit_shard(index, content, **facts)
            raise Cancelled("stop")

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    options = {"batch_size": 1}
    with pytest.raises(Cancelled):
        clusters.run(case, Stops(tmp_path / "a"), options, ModelCache())
    resumed = clusters.run(case, QuietContext(tmp_path / "a"), options, ModelCache())
    whole = clusters.run(case, QuietContext(tmp_path / "b"), options, ModelCache())
    assert resumed["measured"] and (whole["n"], whole["failed"]) == (11, 1)
    assert whole["map"]["method"] == "pca"  # fewer than 15 samples
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert (tmp_path / "a" / "attention.safetensors").is_file()  # other methods may use it


def test_the_command_runs_it(drawn: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["scan", "clusters", "--case", drawn.case.folder, "--max-samples", 14]
    assert command([*map(str, arguments), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["method"], done["verdict"], done["n"]) == ("clusters", None, 14)
