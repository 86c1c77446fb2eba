"""From the figures of an inversion to the files of its run; no model, no torch."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.detectors.trigger_inversion import (
    Decision,
    TriggerInversionOptions,
    class_lines,
    decide,
    judge_inversion,
)
from forensics.detectors.trigger_inversion.content import Content
from forensics.inversion.gather import Gathered
from forensics.jobs.trigger_inversion.stored import write_tensor_file, write_triggers
from forensics.runs import RunContext
from forensics.runs.plain import plain

TABLE: Final = "classes.parquet"
CURVES: Final = "convergence.safetensors"
COLUMNS: Final = (
    ("class", pa.string()),
    ("index", pa.int32()),
    *((name, pa.float64()) for name in (
        "loss", "success", "content_success", "reference_success", "margin_over_reference",
        "anomaly_index")),
    ("valid", pa.bool_()),
    ("stopped_at", pa.int32()),
    ("l1", pa.float64()),
    ("side", pa.float64()),
)  # fmt: skip

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that a scan measured.

    Attributes:
        found: Of the side that decides.
        sides: Of every side that was tried.
        classes: Indices of the scanned classes.
        content: Of the pool.
        reference: ``prompts``, ``base`` or ``none``.
        pool_source: Where the pictures come from.
        unread: Pictures that could not be read.
        steps: Of a search.
        device: Where the model ran.
    """

    found: Gathered
    sides: list[Gathered]
    classes: tuple[int, ...]
    content: Content
    reference: str
    pool_source: str
    unread: int
    steps: int
    device: str


def choose_side(sides: list[Gathered], options: TriggerInversionOptions) -> Gathered:
    """Return the side of a patch on which a class stands out most.

    By the score; where no class is valid, by the best success. Looking at several sides gives
    chance several tries, which the published cut does not know; the result lists all of them.
    """

    def rank(one: Gathered) -> tuple[float, float]:
        decision = decide(one.figures, options)
        return decision.score, float(decision.success.max())

    return max(sides, key=rank)


def save_outcome(
    context: RunContext,
    options: TriggerInversionOptions,
    outcome: Outcome,
    triggers: Iterable[tuple[int, Tensors]],
) -> dict[str, Any]:
    """Write triggers, table and curves; return the content of ``result.json``.

    Args:
        context: Of the run.
        options: Of the scan.
        outcome: What was measured.
        triggers: Row of each class and its tensors, first axis the seed.
    """
    decision = decide(outcome.found.figures, options)
    lines = _lines(decision, outcome)
    context.save_bytes(TABLE, _table(lines))
    context.save_arrays(CURVES, {"loss": outcome.found.losses.astype(np.float16)})
    for index, tensors in triggers:
        line = lines[outcome.classes.index(index)]
        _save_trigger(context.folder, line, tensors, options)
    return _result(options, outcome, decision, lines)


def _result(
    options: TriggerInversionOptions,
    outcome: Outcome,
    decision: Decision,
    lines: list[dict[str, Any]],
) -> dict[str, Any]:
    verdict = judge_inversion(decision, options)
    measured = decision.calibrated
    flagged = verdict.verdict == "suspicious" and decision.top is not None
    result: dict[str, Any] = plain(
        {
            "method": "trigger-inversion",
            **verdict.to_dict(),
            "reconstruction": True,
            "by": options.method,
            "form": "mask" if options.method == "neural-cleanse" else options.form,
            "budget": options.budget,
            "mode": options.mode,
            "cut": options.cut,
            "cut_calibrated": (
                {"value": measured.value, "models": measured.models} if measured else None
            ),
            "cut_gaussian": round(decision.guide, 3),
            "gate": options.gate,
            "target": decision.figures.names[decision.top or 0] if flagged else None,
            "score": decision.score,
            "rules": {
                name: {"cut": rule.cut, "flagged": rule.flagged, "score": rule.score}
                for name, rule in decision.rules.items()
            },
            "seeds": options.seeds,
            "steps": outcome.steps,
            "n": decision.figures.pool,
            "failed": outcome.unread,
            "flagged": 0,
            "pool": {
                "n": decision.figures.pool,
                "content": outcome.content.images,
                "content_classes": len(outcome.content.classes),
                "kinds": round(outcome.content.kinds, 2),
                "source": outcome.pool_source,
                "unread": outcome.unread,
            },
            "reference": outcome.reference,
            "not_scanned": list(decision.figures.not_scanned),
            "side": outcome.found.side,
            "sides": [_side_line(one, options) for one in outcome.sides],
            "classes": lines,
            "device": outcome.device,
            "files": [TABLE, CURVES],
        }
    )
    return result


def _lines(decision: Decision, outcome: Outcome) -> list[dict[str, Any]]:
    found = outcome.found
    return [
        line
        | {
            "index": index,
            "stopped_at": int(found.stopped[row].min()),
            "l1": float(found.sizes[row].mean()),
            "side": found.side,
        }
        for row, (index, line) in enumerate(
            zip(outcome.classes, class_lines(decision), strict=True)
        )
    ]


def _side_line(one: Gathered, options: TriggerInversionOptions) -> dict[str, Any]:
    decision = decide(one.figures, options)
    top = None if decision.top is None else one.figures.names[decision.top]
    return {
        "side": one.side,
        "score": decision.score,
        "top": top,
        "success": decision.success,
        "content_success": decision.content,
    }


def _table(lines: list[dict[str, Any]]) -> bytes:
    """Write the classes as a table, one row each, in the order of the result."""
    rows = [{name: line[name] for name, _ in COLUMNS} for line in plain(lines)]
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(COLUMNS)), stream)
    return stream.getvalue()


def _save_trigger(
    folder: Path, line: dict[str, Any], tensors: Tensors, options: TriggerInversionOptions
) -> None:
    facts = {"class": line["class"], "form": options.form, "reconstruction": "true"}
    if "delta" in tensors:
        facts["budget"] = str(options.budget)
    if line["side"] is not None:
        facts["side"] = str(line["side"])
    write_triggers(folder, line["index"], tensors, facts)
    if not line["valid"]:
        return
    for seed in range(options.seeds):
        one = {name: values[seed] for name, values in tensors.items()}
        if "mask" in one:
            one["mask"] = one["mask"][None]
        write_tensor_file(folder, line["index"], seed, one, facts)
