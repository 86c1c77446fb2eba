"""Trigger inversion: every class in a table, and the reconstructed triggers to look at."""

from typing import Any

from forensics.detectors.wording import percent
from forensics.errors import ForensicsError
from forensics.jobs.trigger_inversion.drawing import draw_trigger, fitted, size_of
from forensics.jobs.trigger_inversion.stored import StoredTrigger, read_trigger
from forensics.report.blocks import Bar, BarChart, Block, Column, Gallery, Picture, Shown, Table
from forensics.report.facts import Sure
from forensics.report.reading import count, number, rate, rows_of, short, table_of
from forensics.report.sections.context import Source, Told
from forensics.report.words import MINUS

MOST_CLASSES = 60
MOST_TRIGGERS = 12
ALONE = {"additive": "amplified", "mask": "plain", "patch": "plain"}
GATE = 0.5
LOOKED_AT = 200  # rows tried for a picture to put the triggers on


def tell(source: Source) -> Told:
    """Return the classes with anomaly index and success, and the triggers."""
    classes = rows_of(source.result.get("classes"))
    order = sorted(classes, key=_suspicion(source), reverse=True)
    blocks: list[Block] = [_bars(source, order), _table(source, order)]
    shown = _gallery(source, order)
    return Told(blocks=(*blocks, *([shown] if shown.items else [])), sure=_sure(source, order))


def _suspicion(source: Source) -> Any:
    """Return what sorts classes: by the rule that decides, valid ones first."""
    name = "content_beyond" if source.result.get("mode") == "content" else "anomaly_index"
    target = source.result.get("target")

    def key(row: Any) -> tuple[bool, bool, float, float]:
        return (row.get("class") == target and target is not None, bool(row.get("valid")),
                number(row.get(name)) or number(row.get("margin_over_reference")) or -1e9,
                number(row.get("success")) or 0.0)  # fmt: skip

    return key


def _pool(source: Source) -> tuple[int | None, int | None]:
    pool = table_of(source.result.get("pool"))
    return count(pool.get("n")), count(pool.get("content"))


def _bars(source: Source, classes: list[Any]) -> BarChart:
    n, _ = _pool(source)
    target = source.result.get("target")
    return BarChart(
        key="success", title="Success of the reconstructed triggers",
        bars=tuple(
            Bar(label=short(row.get("class"), 60), rate=rate(row.get("success"), n),
                role="main" if row.get("class") == target else "control",
                mark=number(row.get("reference_success")))
            for row in classes[:24]
        ),
        cut=number(source.run.options.get("gate", GATE)),
        mark="the same trigger with the reference classifier",
        note="Share of the pool that the trigger brings to the class; no interval, for the "
        "trigger was searched on these pictures. The tick is the same trigger on the reference "
        "classifier, the line the gate.",
    )  # fmt: skip


def _table(source: Source, classes: list[Any]) -> Table:
    target = source.result.get("target")
    suspicious = source.result.get("verdict") == "suspicious"
    return Table(
        key="classes", title="Every class",
        columns=(
            Column(key="class", title="Class"),
            Column(key="anomaly_index", title="Anomaly index", kind="number"),
            Column(key="success", title="Success", kind="share"),
            Column(key="content_success", title="Of pictures with other content", kind="share"),
            Column(key="reference_success", title="Reference classifier", kind="share"),
            Column(key="loss", title="Loss", kind="number"),
            Column(key="mark", title="Outcome"),
        ),
        rows=tuple(
            (short(row.get("class"), 80),
             *(number(row.get(key)) for key in ("anomaly_index", "success", "content_success",
                                                "reference_success", "loss")),
             "flagged" if suspicious and row.get("class") == target
             else "" if row.get("valid") else "below the gate")
            for row in classes[:MOST_CLASSES]
        ),
        note=f"The first {MOST_CLASSES} of {len(classes):,} classes."
        if len(classes) > MOST_CLASSES else "",
    )  # fmt: skip


def _sure(source: Source, classes: list[Any]) -> tuple[Sure, ...]:
    _, content = _pool(source)
    if not classes:
        return ()
    top = classes[0]
    return (Sure(
        run=source.run.id,
        what=f"pictures with other content that the trigger of “{short(top.get('class'), 60)}” "
        "takes",
        rate=rate(top.get("content_success"), content),
        control="the same trigger, reference classifier",
        control_rate=rate(top.get("reference_success"), content),
    ),)  # fmt: skip


def _gallery(source: Source, classes: list[Any]) -> Gallery:
    items = []
    below = None
    for row in classes[:MOST_TRIGGERS]:
        try:
            trigger = read_trigger(source.run.folder, int(row["index"]))
            below = _below(source, trigger) if below is None else below
            items.append(_shown(source, row, trigger, below))
        except (ForensicsError, OSError, KeyError, TypeError, ValueError):
            continue  # one lost file must not hide the other triggers
    return Gallery(
        key="triggers", title="Reconstructed triggers", items=tuple(items),
        captions=("by itself", "on a picture"),
        note="A reconstructed trigger works; it need not be the attacker’s. By itself a change is "
        "amplified around grey.",
    )  # fmt: skip


def _shown(source: Source, row: Any, trigger: StoredTrigger, below: Any) -> Shown:
    budget = number(source.result.get("budget"))
    drawn: list[Picture | None] = [
        source.pictures.encode(draw_trigger(trigger, ALONE[trigger.form], budget=budget))
    ]
    if below is not None:
        applied = draw_trigger(trigger, "image", picture=below, sample_id="report")
        drawn.append(source.pictures.encode(applied))
    index, success = number(row.get("anomaly_index")), number(row.get("success"))
    facts = (("anomaly index", "none" if index is None else f"{index:.2f}".replace("-", MINUS)),
             ("success", "none" if success is None else percent(success)))  # fmt: skip
    return Shown(name=short(row.get("class"), 60), pictures=tuple(drawn), facts=facts)


def _below(source: Source, trigger: StoredTrigger) -> Any:
    """Return the first picture of the case that can be read, at the size of the trigger."""
    for sample in source.case.catalog.samples(0, LOOKED_AT):
        path = None if sample.image is None else source.case.pictures.picture(sample)
        if path is not None:
            return fitted(path, size_of(trigger))
    return None
