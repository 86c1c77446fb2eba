"""Scans that decide from other measurements: allocation, evidence fusion, or another package's."""

from forensics.jobs.evidence_fusion.told import candidate_rows, channel_rows, drop_one_rows
from forensics.report.blocks import Bar, BarChart, Block, Column, Histogram, Rate, Table
from forensics.report.reading import count, number, rows_of, short, table_of
from forensics.report.sections.attention import sure_of
from forensics.report.sections.context import Source, Told
from forensics.report.sections.flagged import flagged_blocks
from forensics.report.sections.scores import Scores, read_scores, score_histogram


def tell_any(source: Source) -> Told:
    """Return what can be shown of any scan that flags: its score and its flagged samples."""
    return _told(source, [])


def tell_allocation(source: Source) -> Told:
    """Return what attention allocation shows: the heads, the score, flagged samples."""
    heads = rows_of(source.result.get("heads"))
    if not heads:
        return _told(source, [])
    kept = ("layer", "head", "components", "separation_score", "clarity", "votes")
    titles = ("Layer", "Head", "Components", "Separation score", "Clarity", "Votes")
    return _told(source, [Table(
        key="heads", title="Late heads, the best separated first",
        columns=tuple(
            Column(key=key, title=title,
                   kind="text" if key == "votes" else "number" if "s" in key else "count")
            for key, title in zip(kept, titles, strict=True)
        ),
        rows=tuple(
            (*(count(row.get(key)) for key in kept[:3]),
             *(number(row.get(key)) for key in kept[3:5]), "yes" if row.get("votes") else "no")
            for row in heads
        ),
    )])  # fmt: skip


def tell_fusion(source: Source) -> Told:
    """Return what evidence fusion shows: channels, answers out of place, what each one adds."""
    blocks: list[Block] = [_channels(source), _candidates(source), _without(source)]
    return _told(source, blocks)


def _told(source: Source, first: list[Block]) -> Told:
    scores = read_scores(source)
    blocks = list(first)
    if scores is not None:
        drawn = _histogram(source, scores)
        blocks += [drawn] if drawn else []
        written = scores.reasons
        reason = None if written is None else (lambda place: str(written[place] or ""))
        blocks += flagged_blocks(source, scores, reason)
    return Told(blocks=tuple(blocks), sure=sure_of(source) if scores is not None else ())


def _histogram(source: Source, scores: Scores) -> Histogram | None:
    return score_histogram(
        scores.scores, scores.flagged, key="scores", title="Score of every sample", unit="",
        note=f"{'High' if scores.higher else 'Low'} scores are the suspicious ones. "
        f"{short(source.result.get('score'))}".strip(),
    )  # fmt: skip


def _channels(source: Source) -> BarChart:
    bars = [
        Bar(
            label=row["title"], rate=Rate(value=number(row.get("separation"))),
            role="main" if row["state"] == "spoke" else "control",
            mark=number(row.get("natural_highest")), note=short(row["says"]),
        )
        for row in channel_rows(source.result)
    ]  # fmt: skip
    values = [value for bar in bars for value in (bar.rate.value, bar.mark) if value is not None]
    return BarChart(
        key="channels", title="What each kind of evidence says", bars=tuple(bars), unit="number",
        top=max([1.0, *values]), mark="the highest of natural groups of this set",
        note="Distance of the suspected answer’s samples from others that were asked the same, in "
        "standard deviations. The tick is the highest of natural groups in this data set.",
    )  # fmt: skip


def _candidates(source: Source) -> Table:
    return Table(
        key="candidates", title="Answers out of place",
        columns=(
            Column(key="answer", title="Answer"),
            Column(key="count", title="Samples", kind="count"),
            Column(key="share", title="Share of its questions", kind="share"),
            Column(key="ordinary_share", title="Highest other share", kind="share"),
            Column(key="p_natural", title="p, natural groups", kind="p"),
            Column(key="p_permutation", title="p, permutations", kind="p"),
            Column(key="outcome", title="Outcome"),
        ),
        rows=tuple(
            (short(row["answer"]), count(row["count"]), number(row["share"]),
             number(row["ordinary_share"]), number(row["p_natural"]),
             number(row["p_permutation"]), row["outcome"])
            for row in candidate_rows(source.result)
        ),
        note="" if table_of(source.result.get("evidence")).get("candidates")
        else "No answer is out of place.",
    )  # fmt: skip


def _without(source: Source) -> Table:
    return Table(
        key="drop_one", title="What would be flagged without each kind of evidence",
        columns=(
            Column(key="without", title="Left out"),
            Column(key="flagged", title="Flagged", kind="count"),
            Column(key="answer", title="Answer"),
            Column(key="changes", title="Changes the decision"),
        ),
        rows=tuple(
            (row["title"], count(row["flagged"]), short(row["answer"]),
             "yes" if row["changes"] else "no")
            for row in drop_one_rows(source.result)
        ),
    )  # fmt: skip
