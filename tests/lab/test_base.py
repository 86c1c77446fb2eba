from pathlib import Path

import numpy as np
import pytest
import torch

from forensics.errors import DataError
from forensics.lab.base import BaseOptions, train_base
from forensics.lab.pool import ScenePool, attributes, patch_coverage
from forensics.lab.scenes import SIDE, coverage
from forensics.lab.shapes import SHAPES
from forensics.lab.vision_stage import _tiles

TINY = BaseOptions(scenes=16, vision_steps=3, caption_steps=3, caption_horizon=3, batch_size=8)


def test_a_trained_base_opens_with_plain_from_pretrained(tmp_path: Path) -> None:
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    messages: list[str] = []
    folder = train_base(tmp_path / "base", TINY, lambda done, total, text: messages.append(text))
    model = LlavaForConditionalGeneration.from_pretrained(folder)
    processor = AutoProcessor.from_pretrained(folder)
    assert sum(parameter.numel() for parameter in model.parameters()) < 2_500_000
    assert model.config.image_token_id == processor.tokenizer.convert_tokens_to_ids("<image>")
    assert [text.split(":")[0] for text in messages] == ["patches"] * 3 + ["captions"] * 3
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5_000_000


def test_a_folder_with_something_in_it_is_not_trained_into(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        train_base(tmp_path, TINY)


def test_every_scene_comes_once_before_any_comes_again() -> None:
    pool = ScenePool(20, seed=1)
    batches = list(pool.batches(5, 8, np.random.default_rng(0)))
    for first in (0, 4):
        assert sorted(np.concatenate(batches[first : first + 4])) == list(range(20))
    assert not np.array_equal(batches[0], batches[4])


def test_erasing_changes_about_half_of_the_copies_and_never_the_pool() -> None:
    pool = ScenePool(40, seed=1)
    before = pool.pictures.copy()
    erased = pool.erased(np.arange(40), np.random.default_rng(0))
    changed = (erased != before).any(axis=(1, 2, 3))
    assert 8 < changed.sum() < 32
    assert np.array_equal(pool.pictures, before)
    for picture, original in zip(erased[changed], before[changed], strict=True):
        rows, columns = np.nonzero((picture != original).any(axis=2))
        assert np.ptp(rows) < 12 and np.ptp(columns) < 12


def test_what_a_patch_shows_adds_up_to_the_drawn_object() -> None:
    pool = ScenePool(6, seed=2)
    cover = patch_coverage(pool.scenes)
    assert cover.shape == (6, 81) and cover.min() >= 0 and cover.max() <= 1
    for row, scene in zip(cover, pool.scenes, strict=True):
        assert row.sum() * 144 == pytest.approx(coverage(scene).sum(), rel=1e-5)
    assert [list(SHAPES)[row[0]] for row in attributes(pool.scenes)] == [
        scene.shape for scene in pool.scenes
    ]


def test_tiles_are_the_nine_means_of_a_patch() -> None:
    pixels = torch.rand(2, 3, SIDE, SIDE)
    tiles = _tiles(pixels, 81).reshape(2, 9, 9, 3, 3, 3)
    assert torch.allclose(tiles[1, 4, 2, 0, 1, 2], pixels[1, 0, 52:56, 32:36].mean(), atol=1e-6)
