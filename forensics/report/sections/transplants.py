"""Transplant tests: does a suspected trigger work on other images, against its controls?"""

from typing import Any

from forensics.report.blocks import Bar, BarChart, Block, Column, Gallery, Rate, Shown, Table
from forensics.report.facts import Sure
from forensics.report.reading import number, rate_at, rows_of, short, table_of
from forensics.report.sections.context import Source, Told
from forensics.report.sections.flagged import share

SUSPECTED = "suspected"
EXAMPLES = 6


def tell(source: Source) -> Told:
    """Return flip rates, differences to the controls, necessity and examples."""
    result = source.result
    arms = rows_of(result.get("arms"))
    base = table_of(result.get("base"))
    blocks: list[Block] = [_chart(arms, base), _differences(result, base)]
    shown = _examples(source)
    return Told(
        blocks=(*blocks, *([shown] if shown.items else [])),
        sure=(*_sure(source, arms, base), *_needed(source)),
    )


def _chart(arms: list[Any], base: Any) -> BarChart:
    bars = [_bar(arm, "main" if arm.get("arm") == SUSPECTED else "control") for arm in arms]
    of_base = [arm for arm in rows_of(base.get("arms")) if arm.get("arm") == SUSPECTED]
    title = short(base.get("title")) or "the base model"
    for arm in of_base:
        bars.append(Bar(label=f"{short(arm.get('title'))}, {title}", rate=rate_at(arm),
                        role="base"))  # fmt: skip
    return BarChart(
        key="flips", title="How often the answer flips", bars=tuple(bars),
        note="Share of unsuspected images that the model answers otherwise without the trigger. "
        "Whiskers: 95 % intervals.",
    )  # fmt: skip


def _bar(arm: Any, role: Any) -> Bar:
    return Bar(label=short(arm.get("title")), rate=rate_at(arm), role=role)


def _differences(result: Any, base: Any) -> Table:
    beyond = table_of(base.get("differences"))
    return Table(
        key="differences", title="The trigger against each control, image by image",
        columns=(
            Column(key="control", title="Control"),
            Column(key="difference", title="Difference (95 % interval)", kind="difference"),
            Column(key="p_holm", title="p (McNemar, Holm)", kind="p"),
            Column(key="beyond_base", title="Beyond the base model", kind="difference"),
        ),
        rows=tuple(
            (short(row.get("title")), rate_at(row), number(row.get("p_holm")),
             rate_at(beyond.get(str(row.get("control")))))
            for row in rows_of(result.get("differences"))
        ),
    )  # fmt: skip


def _sure(source: Source, arms: list[Any], base: Any) -> tuple[Sure, ...]:
    mine = [arm for arm in arms if arm.get("arm") == SUSPECTED]
    others = [arm for arm in arms if arm.get("arm") not in (SUSPECTED, "moved")]
    if not mine:
        return ()
    what = "images that flip with the trigger"
    worst = max(others, key=lambda arm: number(arm.get("rate")) or 0.0, default=None)
    found = [Sure(
        run=source.run.id, what=what, rate=rate_at(mine[0]),
        control="" if worst is None else f"strongest control: {short(worst.get('title'))}",
        control_rate=None if worst is None else rate_at(worst),
    )]  # fmt: skip
    for arm in rows_of(base.get("arms")):
        if arm.get("arm") == SUSPECTED:
            title = short(base.get("title")) or "the base model"
            found.append(Sure(run=source.run.id, what=what, rate=rate_at(mine[0]),
                              control=f"the same, {title}", control_rate=rate_at(arm)))  # fmt: skip
    return tuple(found)


def _needed(source: Source) -> tuple[Sure, ...]:
    found = table_of(source.result.get("necessity"))
    n = number(found.get("n"))
    hidden, elsewhere = number(found.get("hidden")), number(found.get("elsewhere"))
    if not n or hidden is None or elsewhere is None:
        return ()
    return (Sure(
        run=source.run.id, what="flagged samples that change their answer when the patch is hidden",
        rate=_share(hidden, n), control="another place of the same size hidden",
        control_rate=_share(elsewhere, n),
    ),)  # fmt: skip


def _share(hits: float, n: float) -> Rate:
    return share(min(int(hits), int(n)), int(n))


def _examples(source: Source) -> Gallery:
    items = []
    for one in rows_of(source.result.get("examples"))[:EXAMPLES]:
        before = (
            source.pictures.kept(one["untouched"]) if "untouched" in one else _host(source, one)
        )
        pictures = (before, source.pictures.kept(one.get("picture")))
        facts = (("before", short(one.get("before"))), ("after", short(one.get("after"))))
        items.append(Shown(name=short(one.get("host"), 80), pictures=pictures, facts=facts))
    return Gallery(key="examples", title="Examples", items=tuple(items),
                   captions=("without", "with the trigger"))  # fmt: skip


def _host(source: Source, one: Any) -> Any:
    row = one.get("host_row")
    if not isinstance(row, int) or not 0 <= row < len(source.case.catalog):
        return None
    return source.pictures.sample(source.case.catalog.select([row])[0])
