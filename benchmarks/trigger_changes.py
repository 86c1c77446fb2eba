"""How much each kind of trigger changes a picture: the table of docs/attacks.md.

Fifty lab scenes of one seed, stamped and stored as bytes, as planting stores them:

    python benchmarks/trigger_changes.py
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from PIL import Image

from forensics.lab.drawing import draw_scenes
from forensics.triggers import WaNetTrigger, parse_trigger, stamp_image

SCENES: Final = 50
SEED: Final = 11
TRIGGERS: Final = (
    "patch",
    "patch:place=dual",
    "patch:place=multi",
    "blended",
    "blended:pattern=stripes",
    "blended:pattern=rings",
    "sig",
    "wanet",
    "wanet:variant=jitter",
    "frequency",
    "frequency:magnitude=60/255",
)


def main() -> None:
    """Print the table, and how far the smooth warp moves pixels."""
    with TemporaryDirectory() as folder:
        pictures = draw(Path(folder) / "scenes")
    print("| trigger | mean change | largest | pixels changed |\n|---|---|---|---|")
    for spec in TRIGGERS:
        mean, largest, share = measure(spec, pictures)
        print(f"| {spec} | {mean:.1f} | {largest:.0f} | {100 * share:.1f} % |")
    height, width = next(iter(pictures.values())).size[::-1]
    moved = WaNetTrigger().displacement(height, width)
    print(
        f"\nwanet moves pixels by {np.abs(moved).mean():.1f} px along each axis on average, by "
        f"{np.hypot(*moved).max():.1f} px at most."
    )


def draw(folder: Path) -> dict[str, Image.Image]:
    """Draw the scenes; return them by name."""
    data = draw_scenes(folder, SCENES, SEED)
    names = [str(row["image"]) for row in json.loads(data.read_text(encoding="utf-8"))]
    return {name: Image.open(folder / name).convert("RGB") for name in names}


def measure(spec: str, pictures: dict[str, Image.Image]) -> tuple[float, float, float]:
    """Return mean and largest change in 1/255, and the share of pixels that change."""
    trigger, means, largest, shares = parse_trigger(spec), [], 0.0, []
    for name, picture in pictures.items():
        stamped = stamp_image(trigger, picture, name)
        change = np.abs(np.asarray(stamped, dtype=float) - np.asarray(picture, dtype=float))
        means.append(change.mean())
        largest = max(largest, float(change.max()))
        shares.append(change.any(axis=2).mean())
    return float(np.mean(means)), largest, float(np.mean(shares))


if __name__ == "__main__":
    main()
