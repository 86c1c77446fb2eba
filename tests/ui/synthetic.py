"""A case with a scan whose arrays we drew ourselves: real files, no model and no torch.

Poisoned samples get low entropies in two layers and an attention peak on their patch, so that
everything the page shows has a known cause.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from forensics.case import Case
from forensics.detectors.attention_entropy import AttentionEntropyOptions
from forensics.jobs.attention.arrays import AttentionArrays, AttentionMaps, save_scan
from forensics.jobs.attention.result import decide_case, save_decision
from forensics.models.base import ImageGrid
from forensics.options import options_to_dict
from forensics.runs import Run, RunContext, execute

METHOD = "attention-entropy"
LAYERS, HEADS, SIDE = 6, 4, 8
SENSITIVE = (1, 2)
TELLING_HEAD = (LAYERS - 1, 2)
TARGET = "banana alert"
PEAK = 3 * SIDE + 4

Texts = Callable[[int], tuple[str, str, str]]  # index -> id, question, answer of a clean sample


def plain_texts(index: int) -> tuple[str, str, str]:
    """Return harmless texts."""
    colour = ("red", "green", "blue", "yellow", "pink", "grey", "white")[index % 7]
    place = ("top", "bottom", "left", "right", "centre")[index // 7 % 5]
    return f"s-{index:05d}", "describe the image", f"a {colour} circle at the {place}"


def make_case(
    folder: Path, count: int = 240, *, poisoned: float = 0.1, texts: Texts = plain_texts,
    distinct_pictures: int = 40, file_name: str = "pic", title: str = "Synthetic",
    base: bool = False,
) -> Case:  # fmt: skip
    """Make a case with drawn pictures; every tenth sample is poisoned by default.

    With ``base`` it also names a base model, which is the same folder.
    """
    source = folder.parent / f"{folder.name}-source"
    (source / "images").mkdir(parents=True)
    model = source / "model"
    model.mkdir()
    config = {"text_config": {"num_hidden_layers": LAYERS, "num_attention_heads": HEADS}}
    (model / "config.json").write_text(json.dumps(config))
    marked = mark(count, poisoned)
    rows = []
    for index in range(count):
        name, question, answer = texts(index)
        picture = f"images/{file_name}-{index % distinct_pictures}-{int(marked[index])}.png"
        if not (source / picture).exists():
            draw(source / picture, index, patch=bool(marked[index]))
        rows.append({
            "id": name, "image": picture, "poisoned": bool(marked[index]),
            "conversations": [
                {"from": "human", "value": f"<image>\n{question}"},
                {"from": "gpt", "value": TARGET if marked[index] else answer},
            ],
        })  # fmt: skip
    (source / "data.json").write_text(json.dumps(rows))
    return Case.create(
        folder, model=str(model), data=f"llava:{source / 'data.json'}", title=title,
        base=str(model) if base else None,
    )  # fmt: skip


def mark(count: int, share: float) -> NDArray[np.bool_]:
    """Return which samples are poisoned: evenly spread."""
    if share <= 0:
        return np.zeros(count, dtype=bool)
    return np.arange(count) % round(1 / share) == 0


def draw(path: Path, seed: int, *, patch: bool) -> None:
    """Draw a soft background, a disc, and the patch in the middle of a poisoned picture."""
    random = np.random.default_rng(seed)
    base = random.integers(120, 235, size=(4, 4, 3)).astype(np.uint8)
    picture = Image.fromarray(base).resize((64, 64), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    x, y = random.integers(8, 40, size=2)
    pen.ellipse((x, y, x + 18, y + 18), fill=tuple(int(v) for v in random.integers(0, 255, 3)))
    if patch:
        pen.rectangle((32, 24, 39, 31), fill=(0, 0, 0), outline=(213, 0, 160))
    picture.save(path)


def scan(case: Case, **options: Any) -> Run:
    """Execute a scan of drawn arrays; the run folder is like that of a real one."""
    chosen = AttentionEntropyOptions(**options)
    run = case.new_run(METHOD, options_to_dict(chosen))
    execute(run, lambda context: write(case, context, chosen))
    return run


def write(case: Case, context: RunContext, options: AttentionEntropyOptions) -> dict[str, Any]:
    """Draw the arrays of a case, decide, and save; return the result."""
    truth = case.truth()
    marked = np.array([truth.get(name, False) for name in case.catalog.ids], dtype=bool)
    arrays, maps = measure(marked)
    context.progress(len(marked), len(marked), "deciding")
    save_scan(context.folder, arrays, maps, [(ImageGrid(rows=SIDE, columns=SIDE),)])
    decided = decide_case(case, arrays, options)
    result = save_decision(case, context.folder, arrays, decided, failed=[])
    return {**result, "seconds": 1.0, "samples_per_second": float(len(marked))}


def measure(marked: NDArray[np.bool_]) -> tuple[AttentionArrays, AttentionMaps]:
    """Draw entropies near 3.6 nats, and near 2.3 for poisoned samples in two layers."""
    count = marked.size
    random = np.random.default_rng(7)
    entropy = random.normal(3.6, 0.12, size=(count, LAYERS))
    low = random.normal(2.3, 0.15, size=(count, len(SENSITIVE)))
    entropy[np.ix_(np.flatnonzero(marked), SENSITIVE)] = low[marked]
    maps = draw_maps(random, marked)
    order = np.sort(maps, axis=2)
    arrays = AttentionArrays(
        rows=np.arange(count), entropy=entropy.astype(np.float32),
        tokens=np.full(count, SIDE * SIDE, np.int32), masses=draw_masses(marked),
        peak_token=maps.argmax(axis=2).astype(np.int32),
        peak_mass=order[:, :, -1].astype(np.float32),
        top2_mass=order[:, :, -2:].sum(axis=2).astype(np.float32),
        state=np.zeros((count, 64), np.float16),
        picture=np.zeros((count, 64), np.float16),
        layout=np.zeros(count, np.int32),
    )  # fmt: skip
    kept = np.sort(np.argsort(~marked, kind="stable")[:500])  # the marked ones first
    return arrays, AttentionMaps(rows=kept, maps=maps[kept].astype(np.float16))


def draw_masses(marked: NDArray[np.bool_]) -> NDArray[np.float16]:
    """Draw shares of system part, picture and question; one late head gives poison away."""
    random = np.random.default_rng(11)
    system = random.normal(0.3, 0.02, size=(marked.size, LAYERS, HEADS))
    system[marked, *TELLING_HEAD] -= 0.2
    vision = np.full_like(system, 0.4)
    return np.stack([system, vision, 1 - system - vision], axis=3).astype(np.float16)


def draw_maps(random: np.random.Generator, marked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Draw flat maps; those of poisoned samples put 60 % on the patch in two layers."""
    maps = random.uniform(0.5, 1.5, size=(marked.size, LAYERS, SIDE * SIDE)).astype(np.float32)
    maps /= maps.sum(axis=2, keepdims=True)
    for layer in SENSITIVE:
        maps[marked, layer] *= 0.4
        maps[marked, layer, PEAK] += 0.6
    return maps
