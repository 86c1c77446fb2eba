"""The attention scan: separability of every layer, the score with its cut, flagged samples."""

from collections.abc import Callable

import numpy as np

from forensics.errors import ForensicsError
from forensics.export.scan import explain
from forensics.jobs.attention.arrays import load_arrays
from forensics.report.blocks import Block, Histogram, LayerChart, Lines, Series
from forensics.report.facts import Sure
from forensics.report.reading import count, number, rate, rows_of, short, table_of
from forensics.report.sections.context import Source, Told
from forensics.report.sections.flagged import flagged_blocks, share
from forensics.report.sections.scores import (
    Scores,
    first_failures,
    mixture_of,
    read_scores,
    score_histogram,
)

MEASURES = {
    "root": ("separation_root", "Paper’s formula (root)"),
    "code": ("separation_code", "Authors’ code (code)"),
    "guarded": ("separation_within", "Among like questions (guarded)"),
}
LOST = "The arrays of this scan are not at hand, so reasons of single samples are missing."


def tell(source: Source) -> Told:
    """Return what the report shows of an attention scan."""
    scores = read_scores(source)
    reason, lost = _reasons(source)
    blocks: list[Block | None] = [_layers(source), _histogram(source, scores)]
    if scores is not None:
        blocks += flagged_blocks(source, scores, reason)
    failures = first_failures(source.result)
    notes = tuple(note for note in (failures, lost) if note)
    if notes:
        blocks.append(Lines(key="notes", title="Notes", items=notes))
    return Told(blocks=tuple(block for block in blocks if block), sure=sure_of(source))


def sure_of(source: Source) -> tuple[Sure, ...]:
    """Return how many are flagged, and what they are taught beside the others."""
    run, evidence = source.run.id, table_of(source.result.get("evidence"))
    told = [Sure(run=run, what="samples flagged", rate=rate(
        evidence.get("share"), evidence.get("scanned", source.result.get("n")),
        evidence.get("share_interval")))]  # fmt: skip
    common = table_of(evidence.get("common_answer"))
    marked, rest = count(evidence.get("flagged")), count(common.get("rest"))
    hits, scanned = count(common.get("flagged")), count(evidence.get("scanned"))
    if None not in (marked, rest, hits, scanned):
        answer = short(common.get("answer"), 60)
        told.append(Sure(
            run=run, what=f"flagged samples that are taught “{answer}”",
            rate=share(hits or 0, marked or 0), control="samples that are not flagged",
            control_rate=share(rest or 0, (scanned or 0) - (marked or 0)),
        ))  # fmt: skip
    return tuple(told)


def _layers(source: Source) -> LayerChart | None:
    layers = rows_of(source.result.get("layers"))
    if not layers:
        return None
    mode = str(source.result.get("mode"))
    used = table_of(table_of(source.result.get("modes")).get(mode)).get("layers")
    return LayerChart(
        key="layers", title="Separability of every layer",
        series=tuple(
            Series(key=name, label=label, values=tuple(number(row.get(field)) for row in layers))
            for name, (field, label) in MEASURES.items()
            if any(number(row.get(field)) is not None for row in layers)
        ),
        gate=number(source.result.get("tau")),
        used=tuple(found for found in map(count, used or ()) if found is not None),
        note="How far apart the two groups of entropies lie, in standard deviations. Layers "
        "counted from 0. A layer is used where it passes the gate.",
    )  # fmt: skip


def _histogram(source: Source, scores: Scores | None) -> Histogram | None:
    if scores is None:
        return None
    mode = str(source.result.get("mode"))
    decided = table_of(table_of(source.result.get("modes")).get(mode))
    if np.isfinite(scores.scores).any():
        return score_histogram(
            scores.scores, scores.flagged, key="entropy", cut=decided.get("cut"),
            title="Entropy of attention, the score that decides", unit=str(decided.get("unit", "")),
            components=mixture_of(decided.get("mixture")),
            note="Low = attention gathered on few image tokens. Samples left of the cut are "
            "flagged.",
        )  # fmt: skip
    return _strongest_layer(source, scores)


def _strongest_layer(source: Source, scores: Scores) -> Histogram | None:
    """Draw the layer that separates best where none passes the gate, for there is no score."""
    layers = rows_of(source.result.get("layers"))
    values = [number(row.get("separation_root")) for row in layers]
    best = max((v, i) for i, v in enumerate(values) if v is not None) if any(values) else None
    try:
        arrays = load_arrays(source.run.folder)
    except (OSError, ForensicsError):
        return None
    if best is None or arrays.entropy.shape[0] != scores.flagged.size:
        return None
    return score_histogram(
        arrays.entropy[:, best[1]].astype(np.float64), scores.flagged, key="entropy",
        title=f"Entropy of attention in layer {best[1]}, which separates best", unit="nat",
        components=mixture_of({key: layers[best[1]].get(key)
                               for key in ("weights", "means", "sigmas")}),
        note="No layer passes the gate, so there is no score and no cut.",
    )  # fmt: skip


def _reasons(source: Source) -> tuple[Callable[[int], str] | None, str]:
    try:
        found = explain(source.case, source.run)[1]
    except (OSError, ForensicsError):
        return None, LOST
    return lambda place: str(found.reason(place)), ""
