"""A case with real run files of every kind of evidence, drawn by ourselves: no model, no torch."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forensics.case import Case
from forensics.runs import Run, RunContext, execute
from tests import clusters_case
from tests.ui import synthetic

COUNT = 240
FORMULA = "=HYPERLINK(1)"
HOSTILE = '<img src=x onerror="alert(1)">${alert(2)}{{7*7}}'


def texts(index: int) -> tuple[str, str, str]:
    """Return harmless texts, but for one sample."""
    name, question, answer = synthetic.plain_texts(index)
    return (HOSTILE, HOSTILE, HOSTILE) if index == 1 else (name, question, answer)


def make(folder: Path, count: int = COUNT, **more: Any) -> tuple[Case, Run]:
    """Make a case with a finished attention scan that flags every tenth sample."""
    case = synthetic.make_case(folder, count, texts=texts, **more)
    return case, clusters_case.scan(case)


def finish(case: Case, method: str, result: dict[str, Any], tables: dict[str, Any]) -> Run:
    """Write a finished run with tables of plain columns."""
    run = case.new_run(method, {})

    def write(context: RunContext) -> dict[str, Any]:
        for name, columns in tables.items():
            pq.write_table(pa.table(columns), context.folder / name)
        return result

    execute(run, write)
    return run


def allocation(case: Case, flagged: list[int], verdict: str = "inconclusive") -> Run:
    """Write a scan with reasons of its own that flags some rows."""
    n = len(case.catalog)
    score = np.linspace(0.0, 0.4, n)
    score[flagged] = 0.9
    marks = np.isin(np.arange(n), flagged)
    table = {
        "row": np.arange(n),
        "id": case.catalog.ids.tolist(),
        "flagged": marks,
        "score_calibrated": score,
        "reason": [f"vote {value:.2f}" for value in score],
    }
    result = {"verdict": verdict, "mode": "calibrated", "suspicious_side": "high",
              "flagged_ids_file": "flagged_ids.txt", "modes": {"calibrated": {}}}  # fmt: skip
    return finish(case, "attention-allocation", result, {"scores.parquet": table})


def masked(case: Case, rows: list[int], share: list[float]) -> Run:
    """Write masked views of some rows."""
    table = {"row": rows, "agreement": [0.5] * len(rows), "spread": [10 * s for s in share],
             "spread_rank": share}  # fmt: skip
    return finish(case, "masked-views", {"verdict": None, "views": 16},
                  {"masked_views.parquet": table})  # fmt: skip


def transplant(case: Case, hits: dict[int, int], of: int = 4, **result: Any) -> Run:
    """Write a transplant test: row of the donor -> hosts on which its patch worked."""
    ids = case.catalog.ids
    told = [(ids[row], i < n) for row, n in hits.items() for i in range(of)]
    arms = [("tuned", "suspected", donor, flip) for donor, flip in told]
    arms += [("base", "suspected", donor, True) for donor, _ in told]  # not what is asked about
    arms += [("tuned", "scrambled", donor, True) for donor, _ in told]
    names = ("model", "arm", "donor", "flipped")
    columns = {name: [arm[i] for arm in arms] for i, name in enumerate(names)}
    found = {"verdict": "suspicious", "suspected_answer": "banana alert", "forced": 0} | result
    return finish(
        case, "transplant", found, {"pairs.parquet": columns | {"after": ["x"] * len(arms)}}
    )
