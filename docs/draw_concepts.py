"""Draw the pictures of concepts.md from a finished scan of the demo `vlm-patch`.

forensics demo vlm-patch --case DIR && forensics scan bye --case DIR
python docs/draw_concepts.py --case DIR
"""

import argparse
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

from forensics.case import Case
from forensics.data.images import open_image
from forensics.detectors.attention_entropy import AttentionEntropyOptions
from forensics.jobs.attention.arrays import load_arrays, load_maps
from forensics.jobs.attention.result import ScanDecision, decide_case

PICTURES = Path(__file__).parent / "pictures"
KEPT, FLAGGED, INK = "#56b4e9", "#d55e00", "#18202c"


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", type=Path, required=True)
    case = Case.open(parser.parse_args().case)
    run = next(run for run in case.runs() if run.method == "attention-entropy")
    matplotlib.use("agg")
    matplotlib.rcParams.update({"font.size": 10, "text.color": INK, "font.family": "sans-serif"})
    arrays = load_arrays(run.folder)
    said = decide_case(case, arrays, AttentionEntropyOptions())
    layer = int(np.nanargmax(said.fits.separation_root))
    draw_collapse(case, run, arrays, said, layer)
    draw_groups(arrays.entropy[:, layer], said, layer)


def draw_collapse(case: Case, run: Any, arrays: Any, said: ScanDecision, layer: int) -> None:
    """Draw one kept and one flagged sample beside where the model looks."""
    kept = load_maps(run.folder)
    flagged = np.zeros(len(arrays.rows), bool)
    flagged[np.asarray(said.chosen.flagged)] = True
    place = {int(row): at for at, row in enumerate(arrays.rows)}
    figure, panels = plt.subplots(1, 4, figsize=(9, 2.75), layout="constrained")
    for start, wanted in ((0, False), (2, True)):
        at = next(i for i, row in enumerate(kept.rows) if flagged[place[int(row)]] == wanted)
        row = int(kept.rows[at])
        sample = next(iter(case.catalog.select(np.array([row]))))
        picture = np.asarray(open_image(sample.images[0]))
        side = int(np.sqrt(kept.maps.shape[2]))
        shares = kept.maps[at, layer].astype(float).reshape(side, side)
        panels[start].imshow(picture)
        panels[start].set_title("flagged" if wanted else "kept", color=FLAGGED if wanted else INK)
        panels[start].set_xlabel(f"“{sample.answer}”", fontsize=8)
        panels[start + 1].imshow(shares, cmap="viridis", vmin=0)
        panels[start + 1].set_title(f"where layer {layer} looks")
        entropy = float(arrays.entropy[place[row], layer])
        panels[start + 1].set_xlabel(f"entropy {entropy:.2f}, peak {shares.max():.0%}", fontsize=9)
    for panel in panels:
        panel.set(xticks=[], yticks=[])
    figure.savefig(PICTURES / "concept-collapse.png", dpi=130)


def draw_groups(entropy: Any, said: ScanDecision, layer: int) -> None:
    """Draw the entropies of a layer over the whole set, with the cut between both groups."""
    low = np.zeros(len(entropy), bool)
    low[np.asarray(said.chosen.flagged)] = True
    figure, panel = plt.subplots(figsize=(7.2, 2.6), layout="constrained")
    edges = np.linspace(np.nanmin(entropy), np.nanmax(entropy), 70)
    panel.hist(entropy[~low], edges, color=KEPT, label=f"{(~low).sum():,} kept")
    panel.hist(
        entropy[low], edges, color=FLAGGED, hatch="///", edgecolor="white",
        label=f"{low.sum():,} flagged",
    )  # fmt: skip
    panel.set_xlabel(f"entropy of attention over the picture, layer {layer}, nats")
    panel.set_ylabel("samples")
    panel.set_title(
        f"separation {float(said.fits.separation_root[layer]):.2f} (gate 2)", fontsize=10
    )
    panel.legend(frameon=False)
    panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURES / "concept-groups.png", dpi=130)


if __name__ == "__main__":
    main()
