"""Scans of pictures whose image tokens make different grids."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from forensics.case import Case
from forensics.errors import Cancelled, CaseError
from forensics.jobs.attention import scan as attention_scan
from forensics.jobs.attention.arrays import ARRAYS, join_maps, load_arrays, load_maps
from forensics.jobs.attention.layouts import (
    LAYOUTS,
    NONE,
    LayoutTable,
    load_layouts,
    pack_layouts,
    place_of,
    unpack_layouts,
)
from forensics.jobs.attention.measure import measure_prompts
from forensics.models.attention import record_attention
from forensics.models.base import ImageGrid, Prompt
from forensics.models.loading import open_model
from forensics.models.tiles import tiled
from forensics.models.token_maps import token_maps
from forensics.runs import QuietContext
from forensics.worker.models import ModelCache
from tests.tiny_families import save_family

FILES = (ARRAYS, "maps.safetensors", LAYOUTS, "scores.parquet", "flagged_ids.txt")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_family("qwen2_5_vl", tmp_path_factory.mktemp("models") / "qwen")


@pytest.fixture
def case(qwen: Path, tmp_path: Path) -> Case:
    """Forty pictures of five shapes; one is far too narrow, one is broken."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(40):
        width, height = (30 + 20 * (i % 5), 50)
        pixels = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize((3, 900)) if i == 6 else Image.fromarray(pixels)
        picture.save(tmp_path / f"{i}.png")
        told = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "a thing"}]
        rows.append({"id": f"s{i}", "image": f"{i}.png", "conversations": told})
    (tmp_path / "11.png").write_bytes(b"broken")
    (tmp_path / "set.json").write_text(json.dumps(rows))
    return Case.create(tmp_path / "case", model=str(qwen), data=f"llava:{tmp_path / 'set.json'}")


def scan(case: Case, folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    return attention_scan.run(case, QuietContext(folder), {"batch_size": 1}, ModelCache())


def digest(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def test_a_refused_and_a_broken_picture_are_named_and_the_rest_is_scanned(
    case: Case, tmp_path: Path
) -> None:
    result = scan(case, tmp_path / "run")
    assert [failure["row"] for failure in result["failures"]] == [6, 11]
    assert "aspect ratio" in result["failures"][0]["reason"]
    arrays, maps = load_arrays(tmp_path / "run"), load_maps(tmp_path / "run")
    layouts = load_layouts(tmp_path / "run", arrays.layout)
    assert len(layouts.layouts) == 5
    assert (arrays.layout[[6, 11]] == NONE).all() and layouts.grids(6) == ()
    assert layouts.where(6, 0) == ""
    measured = np.delete(np.arange(40), [6, 11])
    assert np.isfinite(arrays.entropy[measured]).all()
    for place in measured:
        assert sum(grid.tokens for grid in layouts.grids(place)) == arrays.tokens[place]
    assert maps.maps.shape == (38, 3, arrays.tokens.max())


def test_a_cancelled_scan_of_many_shapes_goes_on_to_the_same_bytes(
    case: Case, tmp_path: Path
) -> None:
    class Stops(QuietContext):
        def commit_shard(self, index: int, content: Any, **facts: Any) -> Any:
            shard = super().commit_shard(index, content, **facts)
            if index == 0:
                raise Cancelled("stop")
            return shard

    (tmp_path / "a").mkdir()
    with pytest.raises(Cancelled):
        attention_scan.run(case, Stops(tmp_path / "a"), {"batch_size": 1}, ModelCache())
    scan(case, tmp_path / "a")
    scan(case, tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_what_the_processor_refuses_is_measured_around(qwen: Path) -> None:
    model = open_model(str(qwen), device="cpu")
    fine, strip = Image.new("RGB", (40, 60)), Image.new("RGB", (3, 900))
    prompts = [Prompt((image,), "?") for image in (fine, strip, fine)]
    with record_attention(model) as recorder:
        parts, refused = measure_prompts(model, recorder, prompts)
    assert [places for places, _, _ in parts] == [[0], [2]]
    assert [place for place, _ in refused] == [1] and "aspect ratio" in refused[0][1]


def test_equal_layouts_are_kept_once_and_packed_ones_come_back() -> None:
    table = LayoutTable()
    square = [ImageGrid(rows=4, columns=4, visible=(0.1, 0, 0.9, 1))]
    nearly = [ImageGrid(rows=4, columns=4, visible=(0.1000001, 0, 0.9, 1))]
    tiles = tiled(2, 2, (4, 4), 0)
    assert [table.add(one) for one in (square, tiles, nearly, tiles)] == [0, 1, 0, 1]
    assert unpack_layouts(pack_layouts(table.layouts)) == table.layouts


def test_a_place_names_the_picture_where_there_are_several() -> None:
    one = token_maps([ImageGrid(rows=3, columns=3)])
    two = token_maps([ImageGrid(rows=3, columns=3), ImageGrid(rows=3, columns=3, image=1)])
    assert place_of(one, 8) == "at the bottom right"
    assert place_of(two, 9) == "at the top left of picture 2"
    assert place_of(one, 9) == ""


def test_narrow_maps_are_filled_with_zeros() -> None:
    narrow, wide = np.ones((1, 2, 3), np.float16), np.ones((2, 2, 5), np.float16)
    joined = join_maps([narrow, wide, np.empty((0, 2, 0), np.float16)])
    assert joined.shape == (3, 2, 5)
    assert joined[0].sum() == 6 and not joined[0, :, 3:].any()


def test_arrays_of_an_earlier_version_ask_for_a_new_scan(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"rows": np.arange(3)}, tmp_path / ARRAYS)
    with pytest.raises(CaseError, match="earlier version"):
        load_arrays(tmp_path)
