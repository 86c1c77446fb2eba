"""Repairs beside each other: clean accuracy and attack success, before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.report.blocks import Block, Column, Frontier, Lines, Point, Rate, Table
from forensics.report.facts import RunFacts, Section, Sure
from forensics.report.pictures import Pictures
from forensics.report.reading import count, number, rate, rate_at, rows_of, short, table_of
from forensics.report.sections.repair_pictures import pictured
from forensics.runs import Run

CA, ASR = "clean_accuracy", "attack_success_rate"
COUNTS = {CA: "n_clean", ASR: "n_triggered"}
JUDGED = {
    "known": "the known trigger",
    "planted": "a trigger that was planted for the test",
    "hidden": "the trigger that the case’s maker knows; told when ground truth is revealed",
    "reconstruction": "a reconstructed trigger; the attacker’s own is not known here",
}
NOT_JUDGED = "not measured: no trigger is known here"
LIMITS = (
    "Only the trigger named was measured; another one may still work. A repaired model is not "
    "thereby “clean”."
)
SHOWN = 4  # repairs with pictures
Pair = tuple[RunFacts, dict[str, Any]]


def repair_section(
    runs: Sequence[Pair], folders: Mapping[str, Run], pictures: Pictures
) -> Section | None:
    """Return one section about all repairs; ``None`` without any.

    Args:
        runs: Finished repairs with their results, newest first.
        folders: Id -> run, for what it left beside its result.
        pictures: Those that the report may still take.
    """
    usable = [(run, result) for run, result in runs if table_of(result.get("before"))]
    if not usable:
        return None
    blocks: list[Block] = [_sentences(usable), _rates(usable), _differences(usable)]
    controls = _controls(usable)
    blocks += [controls] if controls.rows else []
    points = _points(usable)
    if any(point.attack_success_rate.value is not None for point in points):
        blocks.append(_frontier(points))
    for run, result in usable[:SHOWN]:
        blocks += pictured(folders[run.run], run, result, pictures)
    blocks.append(Lines(key="limits", title="What the numbers cannot show", items=(LIMITS,)))
    return Section(key="repairs", title="Repairs", run=None, blocks=tuple(blocks),
                   sure=tuple(sure for pair in usable for sure in _sure(pair)))  # fmt: skip


def version_rate(version: Any, name: str) -> Rate:
    """Return one rate of a measured version: clean accuracy or attack success."""
    found = table_of(version)
    n = count(found.get(COUNTS[name]))
    return rate(found.get(name) if n else None, n, table_of(found.get("intervals")).get(name))


def _label(run: RunFacts) -> str:
    return run.method


def _sentences(runs: Sequence[Pair]) -> Lines:
    return Lines(key="found", title="", items=tuple(
        f"{run.title}: {run.sentence}" for run, _ in runs))  # fmt: skip


def _rates(runs: Sequence[Pair]) -> Table:
    return Table(
        key="rates", title="Before and after",
        columns=(
            Column(key="run", title="Run", kind="code"),
            Column(key="method", title="Method"),
            Column(key="judged_by", title="Attack success by"),
            Column(key="ca_before", title="CA before", kind="rate"),
            Column(key="ca_after", title="CA after", kind="rate"),
            Column(key="asr_before", title="ASR before", kind="rate"),
            Column(key="asr_after", title="ASR after", kind="rate"),
        ),
        rows=tuple(
            (run.run, _label(run), JUDGED.get(str(result.get("judged_by")), NOT_JUDGED),
             *(version_rate(result.get(state), name)
               for name in (CA, ASR) for state in ("before", "after")))
            for run, result in runs
        ),
        note="CA: clean accuracy. ASR: attack success rate, on images that are not of the target "
        "class. In small print n and the 95 % interval.",
    )  # fmt: skip


def _differences(runs: Sequence[Pair]) -> Table:
    rows = []
    for run, result in runs:
        less = table_of(table_of(result.get("after")).get("minus_before"))
        for name, title in ((CA, "clean accuracy"), (ASR, "attack success rate")):
            if name in less:
                p = number(table_of(less[name]).get("p_mcnemar"))
                rows.append((run.run, _label(run), title, rate_at(less[name]), p))
    return Table(
        key="differences", title="Paired differences, after minus before",
        columns=(
            Column(key="run", title="Run", kind="code"),
            Column(key="method", title="Method"),
            Column(key="measure", title="Measure"),
            Column(key="difference", title="Difference (95 % interval)", kind="difference"),
            Column(key="p_mcnemar", title="p (McNemar)", kind="p"),
        ),
        rows=tuple(rows), note="" if rows else "None was computed.",
    )  # fmt: skip


def _controls(runs: Sequence[Pair]) -> Table:
    rows = []
    for run, result in runs:
        beside = [*rows_of(result.get("controls"))]
        if table_of(result.get("reference")):
            beside.append(result["reference"])
        for one in beside:
            title = short(one.get("title") or one.get("control"))
            rows.append((_label(run), title, version_rate(one, CA), version_rate(one, ASR)))
    return Table(
        key="controls", title="Controls and reference models, measured alike",
        columns=(
            Column(key="method", title="Beside"),
            Column(key="control", title="Control"),
            Column(key="ca", title="CA", kind="rate"),
            Column(key="asr", title="ASR", kind="rate"),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _points(runs: Sequence[Pair]) -> list[Point]:
    points, seen = [], set()
    for run, result in runs:
        before = Point(label="as delivered", role="before",
                       attack_success_rate=version_rate(result["before"], ASR),
                       clean_accuracy=version_rate(result["before"], CA))  # fmt: skip
        place = (before.attack_success_rate.value, before.clean_accuracy.value)
        if place not in seen:
            seen.add(place)
            points.append(before)
        points.append(Point(label=_label(run), role="after",
                            attack_success_rate=version_rate(result.get("after"), ASR),
                            clean_accuracy=version_rate(result.get("after"), CA)))  # fmt: skip
    return points


def _frontier(points: Sequence[Point]) -> Frontier:
    return Frontier(
        key="frontier", title="Clean accuracy against attack success", points=tuple(points),
        note="Up and to the left is better. Whiskers: 95 % intervals. Points of different runs "
        "may stand on different test samples.",
    )  # fmt: skip


def _sure(pair: Pair) -> list[Sure]:
    run, result = pair
    before, after = result.get("before"), result.get("after")
    return [
        Sure(run=run.run, what=f"{title} after {_label(run)}", rate=version_rate(after, name),
             control="before", control_rate=version_rate(before, name))
        for name, title in ((ASR, "attack success"), (CA, "clean accuracy"))
        if version_rate(after, name).value is not None
    ]  # fmt: skip
