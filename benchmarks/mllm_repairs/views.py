"""How far masks move the outputs of poisoned and of honest samples: what cross-view builds on.

On the development seed of an attack, under the plainly tuned model (``--develop`` makes it):

    python -m benchmarks.mllm_repairs.views --work DIR [--attack patch] [--out FILE]
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.mllm_repairs.worlds import BASE, World, poisoned, read
from forensics.data.sample import Sample
from forensics.models.base import GenerativeModel
from forensics.models.loading import open_model
from forensics.repairs.cross_view.looking import look_at_views
from forensics.repairs.cross_view.options import CrossViewOptions

SHARES, FILLS = (0.25, 0.5, 0.75), ("mean", "shuffle")
SAMPLES = 160
RESULTS = Path(__file__).parents[1] / "results" / "mllm_repairs"


def main() -> None:
    """Compare both kinds of samples at several shares and write the quantiles."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--attack", default="patch")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    told = arguments.work / "cells" / "lab" / f"{arguments.attack}-0" / "vanilla" / "model.json"
    adapter = json.loads(told.read_text())["folder"]
    model = open_model(f"hf:{BASE}+adapter:{adapter}", device="cpu")
    data = World("lab", arguments.work, arguments.work).plant(arguments.attack, 0).data
    rows, bad = read(data), poisoned(data)
    kinds = {
        "honest": [row for row in rows if row.id not in bad][:SAMPLES],
        "poisoned": [row for row in rows if row.id in bad][:SAMPLES],
    }
    found = {
        fill: {
            str(share): {
                kind: quantiles(model, chosen, share, fill) for kind, chosen in kinds.items()
            }
            for share in SHARES
        }
        for fill in FILLS
    }
    figures = {
        "what": "nats a token, teacher forced: quartiles of D, D of the first token, and H, by "
        "what fills the hidden cells and by their share",
        "command": "python -m benchmarks.mllm_repairs.views --work DIR --attack "
        + arguments.attack,
        "attack": arguments.attack,
        "samples": {kind: len(chosen) for kind, chosen in kinds.items()},
        "fills and shares": found,
    }
    out = arguments.out or RESULTS / f"views-{arguments.attack}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def quantiles(
    model: GenerativeModel, samples: list[Sample], share: float, fill: str
) -> dict[str, Any]:
    """Return the quartiles of what one masked view of each sample changes."""
    views = look_at_views(model, samples, CrossViewOptions(share=share, fill=fill))
    measures = {"D": views.divergence, "first": views.first, "H": views.entropy}
    return {
        name: [float(f"{value:.3g}") for value in np.quantile(values, (0.25, 0.5, 0.75))]
        for name, values in measures.items()
    }


if __name__ == "__main__":
    main()
