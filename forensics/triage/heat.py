"""Where the model looked at a sample: the kept attention map of the layer its reason names."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.attention.arrays import ARRAYS, MAPS
from forensics.jobs.attention.layouts import SampleLayouts, load_layouts, maps_of
from forensics.models.token_maps import locate
from forensics.runs import Run
from forensics.triage.flag_channels import described_layer


class HeatMaps:
    """The maps that an attention scan kept; only what is asked for is read.

    Args:
        run: A finished attention scan.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.layer = described_layer(run.result())

    def of(self, row: int) -> dict[str, Any] | None:
        """Return the map of a catalogue row.

        Returns:
            ``layer``, ``image`` (which of the sample's pictures), ``rows``, ``columns``,
            ``visible`` (part of the picture, fractions), ``values`` (shares, row by row) and
            ``mark`` (strongest cell); ``None`` where no map of it was kept, or it cannot be read.
        """
        place = self._kept.get(row)
        if place is None or self.layer is None:
            return None
        with safe_open(self.run.folder / MAPS, framework="numpy") as file:
            values: NDArray[np.float16] = file.get_slice("maps")[place, self.layer]
        views = maps_of(self._layouts.grids(self._scanned[row]))
        found = locate(views, int(values.argmax())) if views else None
        if found is None:
            return None
        view = views[found[0]]
        return {
            "layer": self.layer, "image": view.image, "rows": view.rows, "columns": view.columns,
            "visible": list(view.visible), "mark": found[1],
            "values": [round(float(values[cell]), 5) for cell in view.cells],
        }  # fmt: skip

    @cached_property
    def _kept(self) -> dict[int, int]:
        with safe_open(self.run.folder / MAPS, framework="numpy") as file:
            return {int(row): place for place, row in enumerate(file.get_tensor("rows"))}

    @cached_property
    def _scanned(self) -> dict[int, int]:
        with safe_open(self.run.folder / ARRAYS, framework="numpy") as file:
            return {int(row): place for place, row in enumerate(file.get_tensor("rows"))}

    @cached_property
    def _layouts(self) -> SampleLayouts:
        with safe_open(self.run.folder / ARRAYS, framework="numpy") as file:
            return load_layouts(self.run.folder, file.get_tensor("layout"))


def heat_maps(case: Case, run_id: str | None) -> HeatMaps | None:
    """Return the maps of a scan; ``None`` where it kept none or they cannot be read."""
    if run_id is None:
        return None
    run = case.run(run_id)
    try:
        maps = HeatMaps(run)
        maps.of(-1)
    except (OSError, SafetensorError, CaseError):
        return None
    return maps
