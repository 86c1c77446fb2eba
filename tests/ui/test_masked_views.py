"""What the inspector's strips are drawn from: the latest comparison about the scan on the page."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.masked_views.result import TABLE
from forensics.runs import Run, RunContext, execute
from forensics.ui.context import open_context
from forensics.ui.routes.masked_views import masked_view_routes
from forensics.ui.views.masked_views import METHOD, diagnostic_view, find_diagnostic
from tests.ui import synthetic


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return synthetic.make_case(tmp_path / "case", 40)


def compared(case: Case, scan: str) -> Run:
    """A finished comparison with one sample that could not be read."""
    table = pa.table({
        "row": [1, 2, 3], "id": ["b", "c", "d"], "candidate": [True, True, False],
        "agreement": [0.5, np.nan, 1.0], "spread": [30.0, np.nan, 0.1], "other": [0, 0, 0],
    })  # fmt: skip

    def write(context: RunContext) -> dict[str, Any]:
        file = io.BytesIO()
        pq.write_table(table, file)
        context.save_bytes(TABLE, file.getvalue())
        entries = [
            {"measure": name, "against_base": base, "auc": 0.9 - base, "interval": [0.1, np.nan]}
            for name in ("agreement", "spread", "peak_share")
            for base in (False, True)
        ]
        return {"candidates_from": scan, "views": 16, "comparisons": entries, "verdict": None}

    run = case.new_run(METHOD, {"run": None})
    execute(run, write)
    return run


def test_a_scan_that_was_not_compared_has_no_strips(case: Case) -> None:
    compared(case, "another")
    assert diagnostic_view(find_diagnostic(case, "this")) == {"state": None}


def test_the_strips_show_every_read_sample_and_the_model_s_own_figures(case: Case) -> None:
    compared(case, "this")
    view = diagnostic_view(find_diagnostic(case, "this"))
    assert view["state"] == "finished"
    assert [s["row"] for s in view["samples"]] == [1, 3]
    assert view["samples"][0] == {
        "row": 1,
        "id": "b",
        "candidate": True,
        "agreement": 0.5,
        "spread": 30.0,
    }
    assert view["comparisons"]["spread"] == {"auc": 0.9, "interval": [0.1, None]}
    assert set(view["comparisons"]) == {"agreement", "spread"}


def test_the_panel_asks_for_a_comparison_by_its_own_run(tmp_path: Path) -> None:
    context = open_context(tmp_path)
    case = synthetic.make_case(tmp_path / "asked", 40)
    run = compared(case, "a scan")
    app = FastAPI()
    app.include_router(masked_view_routes(context))
    name = context.workspace.enter(case.folder)
    with TestClient(app) as client:
        found = client.get(f"/api/cases/{name}/runs/{run.id}/masked-views").json()
    assert (found["run"], len(found["samples"])) == (run.id, 2)


def test_a_comparison_under_way_is_found_by_the_scan_it_was_told(case: Case) -> None:
    run = case.new_run(METHOD, {"run": "this"})
    view = diagnostic_view(find_diagnostic(case, "this"))
    assert (view["run"], view["state"], view["total"]) == (run.id, "queued", 0)


def test_a_damaged_table_is_a_clear_error(case: Case) -> None:
    run = compared(case, "this")
    run.path(TABLE).write_bytes(b"nothing")
    with pytest.raises(CaseError, match="gone") as caught:
        diagnostic_view(run)
    assert caught.value.remedy
