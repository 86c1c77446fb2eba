"""A small data set with real pictures, and a case about it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from forensics.case import Case

MakeCase = Callable[..., Case]


def case_maker(model: Path, folder: Path) -> MakeCase:
    """Make a case about n random pictures; ``change`` edits the rows before they are written."""

    def make(n: int = 40, change: Callable[[list[dict[str, object]], Path], None] | None = None,
             name: str = "one") -> Case:  # fmt: skip
        root = folder / name
        (root / "images").mkdir(parents=True)
        rng = np.random.default_rng(0)
        rows: list[dict[str, object]] = []
        for i in range(n):
            pixels = rng.integers(0, 255, (24, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "images" / f"{i}.png")
            turns = [
                {"from": "human", "value": f"<image>\nWhat is it{'?' * (i % 5)}"},
                {"from": "gpt", "value": f"thing {i % 3}"},
            ]
            rows.append({"id": f"s{i}", "image": f"images/{i}.png", "conversations": turns,
                         "poisoned": i % 4 == 0})  # fmt: skip
        if change is not None:
            change(rows, root)
        (root / "set.json").write_text(json.dumps(rows), encoding="utf-8")
        return Case.create(root / "case", model=str(model), data=f"llava:{root / 'set.json'}")

    return make
