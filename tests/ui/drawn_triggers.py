"""A finished trigger inversion whose numbers and triggers we drew ourselves, in the real layout."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from safetensors.numpy import save_file

from forensics.case import Case
from forensics.runs import Run, RunContext, execute

METHOD = "trigger-inversion"
BUDGET = 4 / 255
SEEDS, STEPS, SIDE = 3, 32, 32
HOSTILE = ("<img src=x onerror=alert(1)>", "${alert(2)}")


def clip_case(root: Path, model: Path, classes: list[str], count: int = 24) -> Case:
    """Make a case about a tiny CLIP with drawn pictures and labels."""
    source = root / "pictures"
    source.mkdir(parents=True)
    lines = ["image\tlabel"]
    for k in range(count):
        draw(source / f"p{k:03d}.png", k)
        lines.append(f"pictures/p{k:03d}.png\t{classes[k % len(classes)]}")
    (root / "data.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Case.create(root / "case", model=f"openclip:{model}", data=f"table:{root / 'data.tsv'}",
                       title="Tiny CLIP")  # fmt: skip


def draw(path: Path, seed: int) -> None:
    """Draw a soft background and a disc."""
    random = np.random.default_rng(seed)
    base = random.integers(90, 235, size=(4, 4, 3)).astype(np.uint8)
    picture = Image.fromarray(base).resize((64, 64), Image.Resampling.BICUBIC)
    x, y = random.integers(8, 36, size=2)
    tone = tuple(int(value) for value in random.integers(0, 255, 3))
    ImageDraw.Draw(picture).ellipse((x, y, x + 20, y + 20), fill=tone)
    picture.save(path)


def write_inversion(
    case: Case, names: list[str], *, form: str = "additive", planted: int | None = 1,
    side: int = SIDE, **options: Any,
) -> Run:  # fmt: skip
    """Save a finished run; the class ``planted`` stands out.

    Args:
        case: About a CLIP.
        names: Of all classes.
        form: ``additive``, ``mask`` or ``patch``.
        planted: Index of the class that stands out; ``None``: none does.
        side: Of the triggers, in pixels.
        **options: Of the run.
    """
    given = {"form": form, "method": "inspector", "budget": BUDGET, "gate": 0.5, "cut": 2.0,
             "classes": "|".join(names)} | options  # fmt: skip
    run = case.new_run(METHOD, given)
    execute(run, lambda context: _write(context, names, form, planted, side))
    return run


def _write(
    context: RunContext, classes: list[str], form: str, planted: int | None, side: int
) -> dict[str, Any]:
    random = np.random.default_rng(3)
    entries = [_entry(random, name, k, k == planted, form) for k, name in enumerate(classes)]
    loss = np.stack([_curve(random, entry) for entry in entries])
    save_file({"loss": loss}, context.folder / "convergence.safetensors")
    (context.folder / "triggers").mkdir()
    for k in range(len(classes)):
        save_file(_tensors(k, form, side), context.folder / "triggers" / f"{k:04d}.safetensors")
    target = None if planted is None else classes[planted]
    top = max((e["anomaly_index"] for e in entries if e["valid"]), default=0.0)
    return {
        "verdict": "no evidence" if target is None else "suspicious",
        "reason": "no class stands out" if target is None else "a class stands out",
        "sentence": "No class that passes the gate stands out." if target is None else
        f"Suspicious, toward “{target}”. A change of at most 4/255 a pixel turns 96 % of 1,000 "
        "unrelated pictures into it; the next class reaches 21 %.",
        "evidence": {"gate": 0.5, "valid classes": 0 if target is None else 1},
        "reconstruction": True, "form": form, "budget": BUDGET, "seeds": SEEDS, "cut": 2.0,
        "cut_calibrated": None if target is None else {"value": 3.9, "models": 24},
        "target": target, "score": top,
        "pool": {"n": 1000, "content": 812, "source": "the case's data"},
        "not_covered": ["triggers in the text"], "classes": entries, "seconds": 84.2,
        "steps": STEPS, "n": len(classes),
    }  # fmt: skip


def _entry(
    random: np.random.Generator, name: str, index: int, planted: bool, form: str
) -> dict[str, Any]:
    success = 0.96 if planted else float(random.uniform(0.0, 0.25))
    loss = -8.2 if planted else float(random.normal(4.0, 0.9))
    anomaly = 6.8 if planted else float(random.normal(0.0, 1.0))
    own = {"l1": float(random.uniform(20, 90))} if form == "mask" else {}
    own |= {"side": 1 / 14} if form == "patch" else {}
    return own | {
        "class": name, "index": index, "loss": loss, "success": success,
        "content_success": success * 0.97, "reference_success": 0.04,
        "margin_over_reference": success * 0.97 - 0.04, "anomaly_index": anomaly,
        "valid": success >= 0.5, "stopped_at": None if index % 3 else 20,
        "seeds": [
            {"seed": k, "loss": loss + 0.3 * k, "success": max(0.0, success - 0.02 * k),
             "content_success": max(0.0, success * 0.97 - 0.02 * k),
             "anomaly_index": anomaly - 0.2 * k}
            for k in range(SEEDS)
        ],
    }  # fmt: skip


def _curve(random: np.random.Generator, entry: dict[str, Any]) -> NDArray[np.float16]:
    steps = np.arange(STEPS) / (STEPS - 1)
    start = 5.0 + random.normal(0, 0.3, (SEEDS, 1))
    curve = start + (entry["loss"] - start) * (1 - np.exp(-4 * steps))
    curve += random.normal(0, 0.15, curve.shape)
    if entry["stopped_at"]:
        curve[:, entry["stopped_at"] :] = np.nan
    return curve.astype(np.float16)


def _tensors(index: int, form: str, side: int) -> dict[str, NDArray[np.float16]]:
    random = np.random.default_rng(int(hashlib.sha256(b"%d" % index).hexdigest()[:8], 16))
    if form == "additive":
        delta = random.choice([-BUDGET, BUDGET, BUDGET / 2], (SEEDS, 3, side, side))
        return {"delta": delta.astype(np.float16)}
    if form == "patch":
        return {"patch": random.uniform(0, 1, (SEEDS, 3, 6, 6)).astype(np.float16)}
    rows, columns = np.mgrid[0:side, 0:side]
    mask = np.exp(-((rows - 10 - index) ** 2 + (columns - 20) ** 2) / 40)
    return {"mask": np.repeat(mask[None], SEEDS, axis=0).astype(np.float16),
            "pattern": random.uniform(0, 1, (SEEDS, 3, side, side)).astype(np.float16)}  # fmt: skip
