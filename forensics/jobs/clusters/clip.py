"""Features of a CLIP case: embeddings of pictures and captions, and where the tower looks."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.feature_columns import standardise, unit_rows
from forensics.detectors.options.clusters import ClustersOptions
from forensics.errors import DataError, JobFailed, NotApplicable
from forensics.jobs.clusters.source import TITLES, Features
from forensics.jobs.subject import model_under_suspicion
from forensics.runs import RunContext, State
from forensics.worker.models import ModelCache

FEATURES: Final = "features.safetensors"
_SHARD: Final = 512
_EMBEDDED: Final = ("image", "text", "pair")
_ATTENDED: Final = ("entropy", "attention")

Arrays = dict[str, NDArray[Any]]


def clip_features(
    case: Case,
    context: RunContext,
    models: ModelCache,
    options: ClustersOptions,
    rows: NDArray[np.int64],
) -> Features:
    """Embed pictures and captions, by shards that survive a stop, or take an earlier run's.

    The arrays are kept in the run as ``features.safetensors``: ``rows [n]``, ``image`` and ``text``
    ``[n, d]`` float16 unit vectors (NaN where a picture cannot be read or there is no caption),
    and, where they were asked for, ``entropy [n, layer]`` (mean over heads, nats, of the pooling
    token's attention on the patches) and ``attention [n, layer * head]`` (its share on patches).

    Raises:
        NotApplicable: The encoder has no such features.
        JobFailed: No sample could be read.
    """
    kind = "image" if options.features == "auto" else options.features
    if kind not in (*_EMBEDDED, *_ATTENDED):
        raise NotApplicable(
            f"A CLIP-like encoder gives no {TITLES[kind]}.",
            remedy=f"Choose one of {', '.join((*_EMBEDDED, *_ATTENDED))}.",
        )
    names = ("image", "text", *([kind] if kind in _ATTENDED else ()))
    begun = bool(context.finished_shards())
    found = None if options.rescan or begun else _earlier(case, rows, names)
    if found is None:
        arrays = _measure(case, context, models, options, rows, names)
        context.save_arrays(FEATURES, arrays)
    source, arrays = found or (context.folder.name, arrays)
    return _features(kind, arrays, source, found is None)


def _features(kind: str, arrays: Arrays, source: str, measured: bool) -> Features:
    parts = [arrays[name] for name in (("image", "text") if kind == "pair" else (kind,))]
    read = np.all([np.isfinite(part).all(axis=1) for part in parts], axis=0)
    if not read.any():
        raise JobFailed(
            "No sample could be read.", remedy="Captions need answers, pictures need files."
        )
    values = [part[read].astype(np.float32) for part in parts]
    unit = kind in _EMBEDDED
    scaled = [unit_rows(part) if unit else standardise(part) for part in values]
    return Features(
        kind=kind,
        title=TITLES[kind],
        rows=np.asarray(arrays["rows"], dtype=np.int64)[read],
        values=np.concatenate(scaled, axis=1),
        metric="cosine" if unit else "euclidean",
        source=source,
        measured=measured,
        failures=[
            {"row": int(row), "reason": "Its picture cannot be read, or it has no caption."}
            for row in arrays["rows"][~read][:100]
        ],
        failed=int((~read).sum()),
        pair=(arrays["image"][read], arrays["text"][read]),
    )


def _earlier(
    case: Case, rows: NDArray[np.int64], names: Sequence[str]
) -> tuple[str, Arrays] | None:  # fmt: skip
    for run in case.runs("clusters"):
        if run.status().state is not State.FINISHED or not run.path(FEATURES).is_file():
            continue
        arrays = run.arrays(FEATURES)
        place = np.searchsorted(arrays["rows"], rows)
        inside = place < len(arrays["rows"])
        covered = inside.all() and (arrays["rows"][place] == rows).all()
        if covered and all(name in arrays for name in names):
            return run.id, {name: arrays[name][place] for name in ("rows", *names)}
    return None


def _measure(
    case: Case,
    context: RunContext,
    models: ModelCache,
    options: ClustersOptions,
    rows: NDArray[np.int64],
    names: Sequence[str],
) -> Arrays:
    encoder = models.encoder(model_under_suspicion(case))
    starts = range(0, len(rows), _SHARD)
    for index, start in enumerate(starts):
        stop = min(start + _SHARD, len(rows))
        if index not in context.finished_shards():
            parts = []
            for low in range(start, stop, options.batch_size):
                batch = rows[low : min(low + options.batch_size, stop)]
                parts.append(_embed(encoder, case.catalog.select(batch), names))
                context.progress(low + len(batch), len(rows), "embedding pictures and captions")
            joined = {name: np.concatenate([part[name] for part in parts]) for name in names}
            context.commit_shard(index, joined, start=start, stop=stop)
    shards = [context.load_shard(index) for index in range(len(starts))]
    return {"rows": rows} | {
        name: np.concatenate([shard[name] for shard in shards]) for name in names
    }


def _embed(encoder: Any, samples: Sequence[Sample], names: Sequence[str]) -> Arrays:
    """Embed a batch; what cannot be read is NaN."""
    import torch

    pictures, seen = [], []
    for place, sample in enumerate(samples):
        try:
            if sample.image is not None:
                pictures.append(open_image(sample.image))
                seen.append(place)
        except DataError:
            continue  # told as a failed row: NaN stays in its place
    told = [place for place, sample in enumerate(samples) if sample.answer]
    found: Arrays = {}
    with torch.inference_mode():
        if pictures:
            pixels = encoder.pixels(pictures)
            found["image"] = _scatter(encoder.encode_image(pixels), seen, len(samples))
            found |= _attend(encoder, pixels, seen, len(samples), names)
        if told:
            texts = [str(samples[place].answer) for place in told]
            found["text"] = _scatter(encoder.encode_text(texts), told, len(samples))
    return _complete(found, len(samples), int(encoder.width), names)


def _attend(
    encoder: Any, pixels: Any, seen: list[int], count: int, names: Sequence[str]
) -> Arrays:  # fmt: skip
    if not set(_ATTENDED) & set(names):
        return {}
    maps = encoder.attend(pixels).maps.float()
    if "attention" in names:
        return {"attention": _scatter(maps.sum(-1).flatten(1), seen, count)}
    share = maps / maps.sum(-1, keepdim=True)
    entropy = -(share * (share + 1e-8).log()).sum(-1).mean(-1)
    return {"entropy": _scatter(entropy, seen, count)}


def _scatter(values: Any, places: list[int], count: int) -> NDArray[np.float16]:
    wide = np.full((count, values.shape[1]), np.nan, dtype=np.float16)
    wide[places] = values.float().cpu().numpy()
    return wide


def _complete(found: Arrays, count: int, width: int, names: Sequence[str]) -> Arrays:
    """Give a batch without a readable picture, or without captions, its rows of NaN."""
    missing = {name: np.full((count, width), np.nan, np.float16) for name in ("image", "text")}
    return {name: found[name] if name in found else missing[name] for name in names}
