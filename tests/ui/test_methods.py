"""What each method says, how far they agree, and starting one: views, routes, rules."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.case import Case
from forensics.errors import CaseError, OptionError
from forensics.jobs.attention_allocation.job import run as allocate
from forensics.jobs.flag_tables import flagged_rows, has_flags
from forensics.registry import methods
from forensics.runs import execute
from forensics.ui.context import open_context
from forensics.ui.problems import explain_errors
from forensics.ui.routes import routers
from forensics.ui.starting import start_method
from forensics.ui.views.agreement import MOST_SETS, agreement_view, flag_masks, mask_bytes
from forensics.ui.views.labels import method_label
from forensics.ui.views.methods import STARTABLE, methods_view, startable
from tests.ui import synthetic

COUNT = 240
POISONED = COUNT // 10


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A case with an attention scan and an allocation run that decided from its arrays."""
    root = tmp_path_factory.mktemp("methods")
    case = synthetic.make_case(root / "both", COUNT)
    scan = synthetic.scan(case)
    second = case.new_run("attention-allocation", {})
    execute(second, lambda context: allocate(case, context, {}, None))  # type: ignore[arg-type]
    context = open_context(root)
    return SimpleNamespace(
        case=case, scan=scan, second=second, context=context,
        name=context.workspace.enter(case.folder),
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(twice: SimpleNamespace) -> Iterator[TestClient]:
    app = FastAPI()
    for router in routers(twice.context):
        app.include_router(router)
    explain_errors(app)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def line(case: Case, name: str, shown: str | None = None) -> dict[str, Any]:
    return next(x for x in methods_view(case, shown)["methods"] if x["name"] == name)


def test_every_method_with_a_place_on_the_page_can_be_started() -> None:
    kinds = {name: spec.kind for name, spec in methods().items()}
    offered = [spec.name for spec in startable()]
    assert set(offered) == {name for name, kind in kinds.items() if kind in STARTABLE}
    assert {"tune", "evaluate"}.isdisjoint(offered)


def test_a_rebuilt_method_says_so_in_its_name() -> None:
    for spec in startable():
        assert ("(reconstruction)" in method_label(spec)) == spec.reconstruction


def test_a_case_without_runs_offers_what_can_begin(tmp_path: Path) -> None:
    case = synthetic.make_case(tmp_path / "fresh", 40)
    assert line(case, "attention-entropy")["refused"] is None
    assert line(case, "attention-allocation")["reuses"] is None
    assert "flagged" in line(case, "transplant")["refused"]
    assert all(x["said"] is None for x in methods_view(case)["methods"])


def test_the_lines_tell_what_finished_runs_found(twice: SimpleNamespace) -> None:
    entropy = line(twice.case, "attention-entropy", twice.scan.id)
    assert entropy["base"]
    assert entropy["said"]["verdict"] == "suspicious"
    assert (entropy["said"]["flagged"], entropy["said"]["n"]) == (POISONED, COUNT)
    second = line(twice.case, "attention-allocation")
    assert second["said"]["about"] == twice.scan.id
    assert second["reuses"]["run"] == twice.scan.id
    assert second["said"]["seconds"] >= 0
    assert line(twice.case, "transplant")["refused"] is None


def test_a_failed_run_is_told_and_the_earlier_result_stays(tmp_path: Path) -> None:
    case = synthetic.make_case(tmp_path / "fails", 60)
    scan = synthetic.scan(case)
    broken = case.new_run("attention-entropy", {})
    with pytest.raises(CaseError):
        execute(broken, _refuse)
    told = line(case, "attention-entropy")
    assert told["said"]["run"] == scan.id
    assert told["trouble"]["run"] == broken.id
    assert "no luck" in told["trouble"]["error"]


def _refuse(_context: Any) -> dict[str, Any]:
    raise CaseError("There is no luck today.")


def test_a_method_is_not_started_twice_nor_without_what_it_builds_on(tmp_path: Path) -> None:
    case = synthetic.make_case(tmp_path / "idle", 40)
    with pytest.raises(CaseError, match="needs a finished scan"):
        start_method(case, "transplant", {})
    with pytest.raises(OptionError, match="cannot start"):
        start_method(case, "tune", {})
    with pytest.raises(OptionError, match="Unknown option"):
        start_method(case, "attention-allocation", {"evil": 1})
    waiting = case.new_run("attention-allocation", {}, worker=True)
    with pytest.raises(CaseError, match="under way"):
        start_method(case, "attention-allocation", {})
    waiting.delete()
    assert case.runs() == []


def test_masks_put_every_flagged_sample_into_one_set() -> None:
    masks = flag_masks(10, [np.array([0, 1, 2]), np.array([2, 3]), np.array([2])])
    assert masks.tolist() == [1, 1, 7, 2, 0, 0, 0, 0, 0, 0]
    view = agreement_view(["A", "B", "C"], ["a", "b", "c"], masks)
    assert view["sets"] == [
        {"mask": 1, "count": 2},
        {"mask": 2, "count": 1},
        {"mask": 7, "count": 1},
    ]
    assert [m["flagged"] for m in view["methods"]] == [3, 2, 1]
    assert (view["any"], view["several"], view["further"]) == (4, 1, 0)
    assert view["sentence"].startswith("1 of 4 flagged samples")
    assert np.frombuffer(mask_bytes(masks), "<u4").tolist() == [10, *masks.tolist()]


def test_sets_beyond_the_largest_are_counted() -> None:
    masks = np.arange(1, 2 * MOST_SETS, dtype=np.uint32)
    view = agreement_view(list("abcde"), list("abcde"), masks)
    assert len(view["sets"]) == MOST_SETS
    assert view["further"] + sum(s["count"] for s in view["sets"]) == masks.size


@pytest.mark.parametrize("flagged, words", [
    ([[], []], "None of the 2 methods"), ([[1], [2]], "No sample is flagged by more than one"),
    ([[1]], "Run a second method"), ([[1], [1]], "flagged by both"),
])  # fmt: skip
def test_agreement_is_said_in_words(flagged: list[list[int]], words: str) -> None:
    masks = flag_masks(5, [np.array(rows, dtype=np.int64) for rows in flagged])
    names = [str(i) for i in range(len(flagged))]
    assert words in agreement_view(names, names, masks)["sentence"]


def test_rows_of_a_run_are_those_of_its_table(twice: SimpleNamespace) -> None:
    truth = twice.case.truth()
    poisoned = [row for row, name in enumerate(twice.case.catalog.ids) if truth.get(name)]
    assert has_flags(twice.second)
    for run in (twice.scan, twice.second):
        assert flagged_rows(run, COUNT).tolist() == poisoned
    with pytest.raises(CaseError, match="not of this case"):
        flagged_rows(twice.scan, 3)


def test_routes_tell_lines_sets_and_masks(client: TestClient, twice: SimpleNamespace) -> None:
    base = f"/api/cases/{twice.name}"
    fitting = [spec.name for spec in startable() if spec.fits("multimodal-llm")]
    assert [x["name"] for x in client.get(f"{base}/methods").json()["methods"]] == fitting
    found = client.get(f"{base}/agreement", params={"run": twice.scan.id}).json()
    assert found["sets"] == [{"mask": 3, "count": POISONED}]
    masks = np.frombuffer(client.get(f"{base}/agreement/rows").content, "<u4")
    assert masks[0] == COUNT
    assert (masks[1:] == 3).sum() == POISONED


def test_bits_of_other_runs_than_the_page_knows_are_refused(
    client: TestClient, twice: SimpleNamespace
) -> None:
    base = f"/api/cases/{twice.name}/agreement"
    known = ".".join(line(twice.case, name)["said"]["run"]
                     for name in ("attention-entropy", "attention-allocation"))  # fmt: skip
    for part in ("", "/rows"):
        assert client.get(base + part, params={"of": known}).status_code == 200
        old = client.get(base + part, params={"of": twice.scan.id})
        assert old.status_code == 404
        assert "load the page again" in old.json()["remedy"]


def test_the_allocation_panel_gets_heads_histogram_and_masses(
    client: TestClient, twice: SimpleNamespace
) -> None:
    base = f"/api/cases/{twice.name}/runs/{twice.second.id}/allocation"
    view = client.get(base).json()
    best = view["heads"][0]
    assert (best["layer"], best["head"]) == synthetic.TELLING_HEAD
    head = client.get(f"{base}/heads/{best['place']}").json()
    assert sum(head["histogram"]["flagged"]) == POISONED
    assert head["means"]["flagged"]["system"] < head["means"]["kept"]["system"] - 0.1
    assert client.get(f"{base}/heads/9999").status_code in (400, 404)
    other = f"/api/cases/{twice.name}/runs/{twice.scan.id}/allocation"
    assert "no finished" in client.get(other).json()["error"]


def test_a_wrong_option_starts_nothing(client: TestClient, twice: SimpleNamespace) -> None:
    before = len(twice.case.runs())
    address = f"/api/cases/{twice.name}/methods/attention-allocation"
    told = client.post(address, json={"options": {"mode": "x"}})
    assert "must be one of" in told.json()["error"]
    assert len(twice.case.runs()) == before
