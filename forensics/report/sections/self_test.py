"""Self-tests: was a trigger that this program planted found in a copy of the data?"""

from typing import Any, Final

from forensics.report.blocks import Block, Column, Lines, Table
from forensics.report.facts import Sure
from forensics.report.reading import count, number, rate_at, rows_of, short, table_of
from forensics.report.sections.context import Source, Told
from forensics.report.sections.repairs import ASR, CA, version_rate

READING: Final = (
    "Recall is for this planted trigger alone: another trigger, rate or target may be found more "
    "or less often. Extra flags are on rows that nothing was planted in; their truth is unknown, "
    "and some of them may be right. The case’s own data and model were only read."
)


def tell(source: Source) -> Told:
    """Return what was planted, whether it took, and what each way of looking said."""
    result = source.result
    planted = table_of(result.get("planted"))
    blocks: list[Block] = [
        Lines(key="found", title="", items=(short(result.get("sentence"), 2000),),
              alert=not result.get("took")),
        _measured(result),
        *_found(result),
        Lines(key="how", title="How to read it",
              items=tuple(one for one in (READING, short(planted.get("note"), 600)) if one)),
        Lines(key="planted", title="What was planted", items=_planted(planted)),
    ]  # fmt: skip
    return Told(blocks=tuple(blocks), sure=tuple(_sure(source)))


def _measured(result: Any) -> Table:
    versions = (("the copy’s model, after planting", result.get("measured")),
                ("the case’s own model, which never saw it", result.get("before")))  # fmt: skip
    return Table(
        key="measured", title="Did the planted trigger take?",
        columns=(Column(key="model", title="Model"), Column(key="ca", title="CA", kind="rate"),
                 Column(key="asr", title="ASR of the planted trigger", kind="rate")),
        rows=tuple((title, version_rate(version, CA), version_rate(version, ASR))
                   for title, version in versions),
        note="Measured on held-out rows of the same data; rows that truly have the target are "
        "left out of ASR.",
    )  # fmt: skip


def _found(result: Any) -> list[Block]:
    if rows_of(result.get("detections")):
        return [_detections(rows_of(result["detections"])), _answers(result)]
    told = table_of(result.get("classes"))
    return [_classes(told)] if told else []


def _detections(rows: list[Any]) -> Table:
    return Table(
        key="detections", title="Recall of planted rows, and extra flags",
        columns=(
            Column(key="method", title="Method"),
            Column(key="recall", title="Recall of planted rows", kind="rate"),
            Column(key="extra", title="Extra flags, share of unplanted rows", kind="rate"),
            Column(key="extra_count", title="Extra flags", kind="count"),
            Column(key="found", title="Found"),
        ),
        rows=tuple(
            (_name(one), rate_at(one.get("recall")), rate_at(one.get("extra_flags")),
             count(one.get("unplanted_flagged")), "yes" if one.get("found") else "no")
            for one in rows
        ),
        note="Found: half of the planted rows or more, and surely more often than the others.",
    )  # fmt: skip


def _name(one: Any) -> str:
    mode = f" ({short(one.get('mode'), 20)})" if one.get("mode") else ""
    chosen = ", as the case was scanned" if one.get("chosen") else ""
    return f"{short(one.get('method'), 40)}{mode}{chosen}"


def _answers(result: Any) -> Table:
    return Table(
        key="extra_answers", title="Most frequent answers of extra flags",
        columns=(Column(key="method", title="Method"), Column(key="answer", title="Answer"),
                 Column(key="count", title="Rows", kind="count")),
        rows=tuple(
            (_name(one), short(answer.get("answer")), count(answer.get("count")))
            for one in rows_of(result.get("detections"))
            for answer in rows_of(one.get("extra_answers"))[:3]
        ),
    )  # fmt: skip


def _classes(told: Any) -> Table:
    own, extra = told.get("target"), set(told.get("extra_named") or ())
    return Table(
        key="classes", title="Classes that stand out most",
        columns=(
            Column(key="class", title="Class"),
            Column(key="role", title="In this test"),
            Column(key="anomaly_index", title="Anomaly index", kind="number"),
            Column(key="success", title="Success", kind="share"),
            Column(key="content_success", title="On content", kind="share"),
        ),
        rows=tuple(
            (short(one.get("class")), _role(one.get("class"), own, extra),
             number(one.get("anomaly_index")), number(one.get("success")),
             number(one.get("content_success")))
            for one in rows_of(told.get("lines"))
        ),
        note=f"Planted class: {short(own)}, rank {told.get('rank') or 'none'} of "
        f"{told.get('n')}; named: {short(told.get('named')) or 'none'}. "
        f"{short(told.get('found_sentence'), 600)}",
    )  # fmt: skip


def _role(name: Any, own: Any, extra: set[Any]) -> str:
    if name == own:
        return "planted"
    return "above the cut, truth unknown" if name in extra else ""


def _planted(told: Any) -> tuple[str, ...]:
    items = [
        f"Trigger {short(told.get('trigger'))}, target {short(told.get('target'))}, in "
        f"{count(told.get('planted_rows')) or 0:,} of {count(told.get('rows')) or 0:,} copied "
        f"rows; seed {count(told.get('seed'))}."
    ]
    left = table_of(told.get("left_out"))
    if left:
        listed = ", ".join(f"{count(n) or 0:,} with {short(why, 60)}" for why, n in left.items())
        items.append(f"Rows that could not be copied: {listed}.")
    return tuple(items)


def _sure(source: Source) -> list[Sure]:
    return [
        Sure(run=source.run.id, what=f"self-test: planted rows that {_name(one)} flags",
             rate=rate_at(one.get("recall")), control="unplanted rows that it flags",
             control_rate=rate_at(one.get("extra_flags")))
        for one in rows_of(source.result.get("detections"))
        if one.get("chosen") and source.result.get("took")
    ]  # fmt: skip
