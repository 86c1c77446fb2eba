"""Reconstructed triggers on disk: what is read back stamps pictures as every trigger does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from forensics.errors import CaseError, OptionError
from forensics.jobs.trigger_inversion.stored import (
    read_trigger,
    trigger_path,
    write_tensor_file,
    write_triggers,
)
from forensics.triggers import parse_trigger, stamp_pixels

SIDE, SEEDS = 12, 2
RNG = np.random.default_rng(0)
TENSORS: dict[str, dict[str, Any]] = {
    "additive": {"delta": RNG.uniform(-4 / 255, 4 / 255, (SEEDS, 3, SIDE, SIDE))},
    "mask": {
        "mask": RNG.random((SEEDS, SIDE, SIDE)),
        "pattern": RNG.random((SEEDS, 3, SIDE, SIDE)),
    },
    "patch": {"patch": RNG.random((SEEDS, 3, 4, 4))},
}


def stored(folder: Path, form: str, seed: int = 1) -> Any:
    write_triggers(folder, 7, TENSORS[form], {"form": form, "side": str(4 / SIDE)})
    return read_trigger(folder, 7, seed)


@pytest.mark.parametrize("form", TENSORS)
def test_a_stored_trigger_stamps_pixels(tmp_path: Path, form: str) -> None:
    trigger = stored(tmp_path, form)
    assert trigger.form == form
    pixels = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    marked = stamp_pixels(trigger, pixels, ("a", "b", "c"))
    assert marked.shape == pixels.shape and not torch.equal(marked, pixels)
    assert float(marked.min()) >= 0 and float(marked.max()) <= 1
    np.testing.assert_array_equal(marked, stamp_pixels(trigger, pixels, ("a", "b", "c")))
    none = stamp_pixels(trigger.scaled(0.0), pixels, ("a", "b", "c"))
    np.testing.assert_allclose(none, torch.round(pixels * 255) / 255, atol=1e-6)


def test_forms_do_what_they_say(tmp_path: Path) -> None:
    image = np.full((3, SIDE, SIDE), 0.5, np.float32)
    delta = stored(tmp_path, "additive").apply(image) - image
    np.testing.assert_allclose(delta, TENSORS["additive"]["delta"][1], atol=1e-4)
    twice = stored(tmp_path, "additive").scaled(2.0).apply(image) - image
    np.testing.assert_allclose(twice, 2 * delta, atol=1e-4)
    mask, pattern = (TENSORS["mask"][name][0] for name in ("mask", "pattern"))
    shown = stored(tmp_path, "mask", seed=0).apply(image)
    np.testing.assert_allclose(shown, (1 - mask) * 0.5 + mask * pattern, atol=2e-3)
    patch = stored(tmp_path, "patch")
    (box,) = patch.boxes(SIDE, SIDE, "id")
    stamped = patch.apply(image, "id")
    inside = stamped[:, box.top : box.bottom, box.left : box.right]
    np.testing.assert_allclose(inside, TENSORS["patch"]["patch"][1], atol=1e-3)
    assert (stamped != image).any(axis=0).sum() == 16
    assert len({patch.boxes(SIDE, SIDE, str(n)) for n in range(20)}) > 5
    with pytest.raises(OptionError):
        patch.scaled(5.0)


def test_the_tensor_file_is_what_the_spelling_names(tmp_path: Path) -> None:
    trigger = stored(tmp_path, "additive")
    write_tensor_file(tmp_path, 7, 1, {"delta": TENSORS["additive"]["delta"][1]}, {"class": "x"})
    again = parse_trigger(trigger.spec)
    image = np.full((3, SIDE, SIDE), 0.5, np.float32)
    np.testing.assert_allclose(again.apply(image), trigger.apply(image), atol=1e-4)


@pytest.mark.parametrize(
    "tensors",
    [
        {"other": np.zeros((1, 3, 2, 2))},
        {"delta": np.zeros((3, 2, 2))},
        {"delta": np.full((1, 3, 2, 2), np.nan)},
        {"patch": np.full((1, 3, 2, 2), 2.0)},
        {"delta": np.zeros((1, 3, 2, 2), np.int64)},
        {"mask": np.zeros((1, 2, 2))},
    ],
)
def test_foreign_files_are_refused(tmp_path: Path, tensors: Any) -> None:
    trigger_path(tmp_path, 0).parent.mkdir()
    save_file(tensors, trigger_path(tmp_path, 0))
    with pytest.raises(CaseError):
        read_trigger(tmp_path, 0)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    stored(tmp_path, "patch")
    with pytest.raises(CaseError, match="seeds 0 to 1"):
        read_trigger(tmp_path, 7, 2)
    with pytest.raises(CaseError, match="cannot be read"):
        read_trigger(tmp_path, 8)
    trigger_path(tmp_path, 7).write_bytes(b"no trigger")
    with pytest.raises(CaseError, match="cannot be read"):
        read_trigger(tmp_path, 7)
