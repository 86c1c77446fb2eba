"""Masked views: what answers depend on; they rank, and give no verdict."""

from forensics.report.blocks import Column, Lines, Rate, Table
from forensics.report.facts import Sure
from forensics.report.reading import count, number, rate, rows_of, short, table_of
from forensics.report.sections.context import Source, Told

MEASURES = {
    "invariance": "invariance of the first answer token",
    "agreement": "agreement of the answers",
    "spread": "spread of the divergences",
    "peak_share": "share of the hottest cell",
}


def tell_masked(source: Source) -> Told:
    """Return how answers of candidates change under masks, beside random controls."""
    found = rows_of(source.result.get("comparisons"))
    rows = [_row(row) for row in found]
    table = Table(
        key="comparisons", title="Candidates against random controls",
        columns=(
            Column(key="measure", title="Measure"),
            Column(key="auc", title="AUC (95 % interval)", kind="rate"),
            Column(key="median_candidates", title="Median, candidates", kind="number"),
            Column(key="median_controls", title="Median, controls", kind="number"),
            Column(key="p_holm", title="p (Holm)", kind="p"),
        ),
        rows=tuple(rows),
        note="AUC: how often a candidate has the larger value than a control; 0.5 = no difference. "
        f"{source.result.get('candidates', 0):,} candidates, {source.result.get('controls', 0):,} "
        "controls.",
    )  # fmt: skip
    reading = short(source.result.get("reading"), 600)
    lines = Lines(key="reading", title="How to read it", items=(reading,)) if reading else None
    sure = tuple(
        Sure(run=source.run.id, what=f"AUC, candidates against controls: {row[0]}", rate=row[1],
             control="no difference", control_rate=Rate(value=0.5))
        for row in rows[:3]
    )  # fmt: skip
    return Told(blocks=(table, *([lines] if lines else [])), sure=sure)


def _row(row: object) -> tuple[str, Rate, float | None, float | None, float | None]:
    found = table_of(row)
    name = short(found.get("measure"))
    medians = found.get("medians")
    one, two = medians if isinstance(medians, list) and len(medians) == 2 else (None, None)
    n = (count(found.get("candidates")) or 0) + (count(found.get("controls")) or 0)
    beyond = ", beyond the base model" if found.get("against_base") else ""
    return (MEASURES.get(name, name) + beyond, rate(found.get("auc"), n, found.get("interval")),
            number(one), number(two), number(found.get("p_holm")))  # fmt: skip
