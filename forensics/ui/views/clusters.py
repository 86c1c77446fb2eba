"""The Clusters tab: what a map shows, what a selection holds, and pages of its samples."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.data.sample import Sample
from forensics.runs import Run, State
from forensics.runs.plain import plain
from forensics.ui.sample_map import SampleMap, TextColumn
from forensics.ui.views.gallery import short
from forensics.ui.views.map_colours import cluster_codes, text_codes

SCORE_TITLES: Final = {
    "cosine": ("Picture–caption cosine", "low: the caption does not fit", "low"),
    "k_distance": ("Distance to neighbour k", "high: in a sparse place", "high"),
    "density_ratio": ("Density ratio", "high: sparser than its neighbours", "high"),
    "spectral": ("Spectral signature", "high: far out in its class", "high"),
    "spectral_signed": ("Spectral signature, signed", "both ends are far out in its class", "both"),
}
COLUMNS_OF: Final = {"answer": "answers", "label": "labels", "source": "sources"}
_TOLD: Final = 5  # answers, labels and groups that a selection names
_CHOSEN: Final = ("features", "neighbours", "min_dist", "metric", "seed", "clusterer",
                  "cluster_on", "k", "max_samples")  # fmt: skip


def map_line(run: Run) -> dict[str, Any]:
    """Return a run of the method in one line of the list of maps."""
    state = run.status().state
    result = run.result() if state is State.FINISHED else {}
    return {
        "run": run.id,
        "state": state.value,
        "created": run.created,
        "n": result.get("n"),
        "features": (result.get("features") or {}).get("kind", run.options.get("features")),
        "excluded": result.get("excluded", 0),
    }


def map_view(found: SampleMap, flags: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the summary that the tab starts from.

    Args:
        found: The map.
        flags: Runs whose flags can colour it: ``run``, ``label``, ``created``, ``legend``.
    """
    result = found.run.result()
    view = {
        "run": found.run.id,
        "created": found.run.created,
        "n": found.count,
        "failed": result.get("failed", 0),
        "failures": result.get("failures", []),
        "excluded": len(found.excluded),
        "sentence": result.get("sentence", ""),
        "limits": result.get("not_covered", []),
        "features": result.get("features", {}),
        "drawn": result.get("map", {}),
        "metric": result.get("metric"),
        "seconds": result.get("seconds"),
        "options": {name: found.run.options.get(name) for name in _CHOSEN},
        "named_by": result.get("named_by", "answer"),
        "said": said(found),
        "groups": result.get("clusters", []),
        "scores": [_score(name, values) for name, values in found.scores.items()
                   if np.isfinite(values).any()],
        "categories": categories(found),
        "flags": list(flags),
        "has_truth": found.case.has_truth,
    }  # fmt: skip
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def said(found: SampleMap) -> str:
    """Return what the text of a sample is called: beside a CLIP's picture stands a caption."""
    return "caption" if found.case.manifest.kind == "clip" else "answer"


def categories(found: SampleMap) -> dict[str, Any]:
    """Return the legends of what can colour the points besides flags and scores."""
    legends = {"cluster": cluster_codes(found.cluster)[1]}
    for name, attribute in COLUMNS_OF.items():
        column: TextColumn = getattr(found, attribute)
        if len(column.texts) > 1 or (column.texts and name == "answer"):
            nothing = said(found) if name == "answer" else name
            legends[name] = text_codes(column, f"no {nothing}")[1]
    return legends


def _score(name: str, values: NDArray[np.float32]) -> dict[str, Any]:
    low, high = np.nanquantile(values[np.isfinite(values)].astype(np.float64), (0.02, 0.98))
    title, meaning, side = SCORE_TITLES[name]
    return {"name": name, "title": title, "meaning": meaning, "side": side,
            "low": float(low), "high": float(high)}  # fmt: skip


def point_bytes(found: SampleMap, names: Sequence[str]) -> bytes:
    """Pack ``n, scores | row int32 | x float32 | y float32 | cluster int32 | score float32 ...``.

    Each part has n values; scores are in the order of ``names``.
    """
    parts = [
        np.array([found.count, len(names)], dtype="<u4"),
        found.rows.astype("<i4"),
        found.xy[:, 0].astype("<f4"),
        found.xy[:, 1].astype("<f4"),
        found.cluster.astype("<i4"),
        *(found.scores[name].astype("<f4") for name in names),
    ]
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def selection_view(found: SampleMap, name: str, places: NDArray[np.int64]) -> dict[str, Any]:
    """Say what a selection holds, and how it differs from all other points.

    Returns:
        ``selection``, ``n``, ``total``; ``answers``, ``labels``, ``groups``: the commonest among
        the selected, each with ``text``, ``count``, ``share`` and ``elsewhere`` (share among all
        other points); ``scores``: median inside and elsewhere.
    """
    chosen = np.zeros(found.count, dtype=np.bool_)
    chosen[places] = True
    view = {
        "selection": name,
        "n": len(places),
        "total": found.count,
        "answers": _commonest(found.answers, places),
        "labels": _commonest(found.labels, places),
        "groups": _commonest(found.groups, places),
        "scores": [
            {"name": score, "title": SCORE_TITLES[score][0], "inside": _median(values[chosen]),
             "elsewhere": _median(values[~chosen])}
            for score, values in found.scores.items() if np.isfinite(values).any()
        ],
    }  # fmt: skip
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def sample_items(
    found: SampleMap, places: NDArray[np.int64], pictures: Sequence[str | None]
) -> list[dict[str, Any]]:
    """Return points with their texts, for gallery, table and hover; texts are cut.

    Args:
        found: The map.
        places: Places on the map.
        pictures: Where each picture is served.
    """
    samples = found.samples(places)
    items = [
        _item(found, int(place), sample, picture)
        for place, sample, picture in zip(places, samples, pictures, strict=True)
    ]
    plain_items: list[dict[str, Any]] = plain(items)
    return plain_items


def _item(found: SampleMap, place: int, sample: Sample, picture: str | None) -> dict[str, Any]:
    return {
        "row": int(found.rows[place]),
        "place": place,
        "id": short(sample.id),
        "question": short(sample.question),
        "answer": short(sample.answer),
        "label": short(sample.label),
        "source": sample.source.rpartition("/")[2],
        "line": sample.line,
        "picture": picture,
        "cluster": int(found.cluster[place]),
        "scores": {name: float(values[place]) for name, values in found.scores.items()},
    }


def _commonest(column: TextColumn, places: NDArray[np.int64]) -> list[dict[str, Any]]:
    size = len(column.texts)
    whole = np.bincount(column.codes[column.codes >= 0], minlength=size)
    chosen = column.codes[places]
    inside = np.bincount(chosen[chosen >= 0], minlength=size)
    told, others = int(inside.sum()), int(whole.sum() - inside.sum())
    order = np.argsort(-inside, kind="stable")[:_TOLD]
    return [
        {
            "text": short(column.texts[i]),
            "count": int(inside[i]),
            "share": inside[i] / told,
            "elsewhere": (whole[i] - inside[i]) / others if others else None,
        }
        for i in order
        if inside[i]
    ]


def _median(values: NDArray[np.float32]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None
