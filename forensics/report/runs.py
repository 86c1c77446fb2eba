"""The runs of a case, for the report: which there are, which are the newest of their kind."""

import json
from collections.abc import Sequence
from typing import Any

from forensics.case import Case
from forensics.case.names import shown_place
from forensics.errors import ForensicsError
from forensics.export.command import command_line
from forensics.options import describe_options
from forensics.registry import MethodSpec, load_object, methods
from forensics.report.facts import RunFacts
from forensics.report.reading import count, number, short, table_of
from forensics.runs import Run, State
from forensics.runs.plain import plain

VERDICTS = ("suspicious", "inconclusive", "no evidence")
LONGEST_SENTENCE = 2000
LONGEST_LIST = 40
DAMAGED = "Its result cannot be read; the run has to be made again."


def result_of(run: Run) -> dict[str, Any] | None:
    """Return what a finished run found; ``None`` if it is not finished or cannot be read."""
    try:
        return run.result() if run.status().state is State.FINISHED else None
    except (ForensicsError, ValueError):
        return None


def newest(runs: Sequence[Run]) -> list[Run]:
    """Return the latest finished run of every method and options, newest first.

    Args:
        runs: Of one case, newest first.
    """
    found: dict[tuple[str, str], Run] = {}
    for run in runs:
        if run.status().state is State.FINISHED:
            found.setdefault((run.method, json.dumps(run.options, sort_keys=True)), run)
    return list(found.values())


def in_order(runs: Sequence[RunFacts]) -> list[RunFacts]:
    """Put runs into the order of the registry; those of one method stay newest first."""
    order = {name: place for place, name in enumerate(methods())}
    return sorted(runs, key=lambda run: order.get(run.method, len(order)))


def run_facts(case: Case, run: Run, result: dict[str, Any] | None, *, is_newest: bool) -> RunFacts:
    """Return a run and what it concludes; fields of ground truth are never among them.

    Args:
        case: The case.
        run: The run.
        result: What it found, see :func:`result_of`; ``None`` if it is not finished or damaged.
        is_newest: Whether it is the latest of its method and options.
    """
    spec = methods().get(run.method)
    state = run.status().state
    said = result or {}
    verdict = said.get("verdict")
    damaged = state is State.FINISHED and result is None
    return RunFacts(
        run=run.id,
        method=run.method,
        title=spec.title if spec else run.method,
        kind=spec.kind if spec else "",
        paper=_paper(spec),
        created=run.created,
        state="damaged" if damaged else state.value,
        verdict=verdict if verdict in VERDICTS else None,
        reason=short(said.get("reason")),
        sentence=DAMAGED if damaged else _sentence(said),
        not_covered=tuple(short(one) for one in (said.get("not_covered") or ())[:LONGEST_LIST]),
        evidence=dict(plain(table_of(said.get("evidence")))),
        options=differing(run, spec),
        command=shown_place(command_line(run), case),
        n=count(said.get("n")),
        failed=count(said.get("failed")),
        flagged=count(said.get("flagged")) if said.get("flagged_ids_file") else None,
        seconds=number(said.get("seconds")),
        versions=dict(run.versions),
        newest=is_newest,
    )


def differing(run: Run, spec: MethodSpec | None) -> dict[str, Any]:
    """Return the options of a run that are not the defaults; all of an unknown method."""
    if spec is None:
        return dict(plain(run.options))
    fields = describe_options(load_object(spec.options))
    given = {field.name: run.options.get(field.name, field.default) for field in fields}
    return {
        field.name: plain(given[field.name])
        for field in fields
        if given[field.name] is not None and given[field.name] != field.default
    }


def _sentence(said: dict[str, Any]) -> str:
    return short(said.get("sentence"), LONGEST_SENTENCE).removeprefix("Inconclusive. ")


def _paper(spec: MethodSpec | None) -> str:
    if spec is None or not spec.paper:
        return ""
    return f"{spec.paper}, arXiv {spec.arxiv}"
