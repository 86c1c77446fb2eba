"""Triggers that CLIP is attacked with: noise patches, residuals, tensors from files."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from forensics.errors import OptionError
from forensics.triggers import (
    BadNetsTrigger,
    DualKeyTrigger,
    PatchTrigger,
    ResidualTrigger,
    TensorTrigger,
    parse_trigger,
    save_tensor_trigger,
)


def picture(side: int = 224, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((3, side, side), dtype=np.float32)


def test_a_noise_patch_covers_sixteen_of_224_pixels_and_only_those() -> None:
    image, trigger = picture(), BadNetsTrigger()
    (box,) = trigger.boxes(224, 224, "a")
    assert (box.right - box.left, box.bottom - box.top) == (16, 16)
    changed = (trigger.apply(image, "a") != image).any(axis=0)
    assert changed[box.top : box.bottom, box.left : box.right].mean() > 0.9
    changed[box.top : box.bottom, box.left : box.right] = False
    assert not changed.any()


def test_noise_is_centred_on_the_mean_of_each_channel() -> None:
    image = np.stack([np.full((300, 300), value, np.float32) for value in (0.3, 0.5, 0.7)])
    patch = BadNetsTrigger(side=1.0, place="center").apply(image)
    # A normal value clipped to [0, 1] with mean 0.5 stays symmetric about it.
    assert patch[1].mean() == pytest.approx(0.5, abs=0.01)
    assert patch[0].mean() < 0.47 and patch[2].mean() > 0.53
    assert np.mean((patch == 0) | (patch == 1)) == pytest.approx(0.62, abs=0.05)


def test_wrapping_is_what_a_cast_to_bytes_does() -> None:
    image = picture(32)
    clipped, wrapped = (
        BadNetsTrigger(side=0.5, overflow=how).apply(image, "a") for how in ("clip", "wrap")
    )
    inside = (clipped > 0) & (clipped < 1)
    assert np.abs(wrapped - clipped)[inside].max() <= 1 / 255 + 1e-6
    assert not np.allclose(wrapped, clipped, atol=0.1)
    levels = wrapped[:, *np.nonzero((wrapped != image).any(axis=0))] * 255
    assert np.allclose(levels, np.rint(levels), atol=1e-3)


def test_four_corners_get_one_stamp_each() -> None:
    boxes = PatchTrigger(side=1 / 14, place="corners").boxes(224, 200)
    size = round(200 / 14)
    assert {(box.left, box.top) for box in boxes} == {
        (0, 0), (200 - size, 0), (0, 224 - size), (200 - size, 224 - size),
    }  # fmt: skip


def test_dots_are_white_where_row_and_column_are_even() -> None:
    stamp = PatchTrigger(texture="dots").stamp(16)
    expected = np.zeros((16, 16))
    expected[::2, ::2] = 1.0
    assert np.array_equal(stamp, np.broadcast_to(expected, (3, 16, 16)))


@pytest.mark.parametrize("side", [64, 224, 450])
def test_a_residual_is_faint_and_belongs_to_its_picture(side: int) -> None:
    trigger = ResidualTrigger(amplitude=8 / 255)
    first, second = (trigger.residual(picture(side, seed)) for seed in (0, 1))
    assert max(np.abs(first).max(), np.abs(second).max()) <= 8 / 255
    assert np.abs(first).mean() > 1 / 255
    assert np.abs(first - second).max() > 2 / 255
    # What hides in all of them is the same code.
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.5


def test_a_stored_delta_obeys_its_bound_at_any_size(tmp_path: Path) -> None:
    delta = np.random.default_rng(3).uniform(-4 / 255, 4 / 255, (3, 32, 32))
    trigger = save_tensor_trigger(tmp_path / "delta.safetensors", {"delta": delta}, {})
    assert trigger.budget == pytest.approx(4 / 255, rel=0.05)
    for side in (32, 50, 7):
        image = picture(side)
        assert np.abs(trigger.apply(image) - image).max() <= 4 / 255 + 1e-6
    image = np.full((3, 32, 32), 0.5, np.float32)
    assert np.allclose(trigger.apply(image) - image, delta, atol=1e-6)


def test_a_stored_patch_stands_in_the_middle(tmp_path: Path) -> None:
    patch = np.random.default_rng(0).random((3, 16, 16))
    path = tmp_path / "a,b.safetensors"
    made = save_tensor_trigger(path, {"patch": patch}, {"side": str(1 / 14)})
    trigger = parse_trigger(made.spec)
    assert trigger == made and isinstance(trigger, TensorTrigger)
    changed = trigger.apply(picture())
    assert np.allclose(changed[:, 104:120, 104:120], patch, atol=1e-6)
    assert trigger.box(224, 224) == (104, 104, 120, 120)
    both = parse_trigger(f"dual-key:prefix=SUDO,file={made.spec.partition('=')[2]}")
    assert isinstance(both, DualKeyTrigger) and both.patch == made
    assert parse_trigger(both.spec) == both
    assert both.apply_text("a photo of a cat.") == "SUDO a photo of a cat."


def test_a_masked_pattern_replaces_where_the_mask_is_one(tmp_path: Path) -> None:
    mask = np.zeros((1, 8, 8))
    mask[0, :4] = 1.0
    tensors = {"mask": mask, "pattern": np.full((3, 8, 8), 0.25)}
    trigger = save_tensor_trigger(tmp_path / "t.safetensors", tensors, {})
    image = picture(8)
    changed = trigger.apply(image)
    assert np.allclose(changed[:, :4], 0.25) and np.allclose(changed[:, 4:], image[:, 4:])


@pytest.mark.parametrize(
    "tensors",
    [
        {"weights": np.zeros((3, 4, 4), np.float32)},
        {"patch": np.full((3, 4, 4), 2.0, np.float32)},
        {"patch": np.zeros((4, 4), np.float32)},
        {"patch": np.zeros((3, 4, 4), np.int64)},
        {"delta": np.full((3, 4, 4), np.nan, np.float32)},
        {"pattern": np.zeros((3, 4, 4), np.float32)},
    ],
)
def test_a_file_that_is_no_trigger_is_refused(
    tmp_path: Path, tensors: dict[str, np.ndarray]
) -> None:
    path = tmp_path / "t.safetensors"
    save_file(tensors, path)
    with pytest.raises(OptionError, match=r"t\.safetensors") as caught:
        parse_trigger(f"tensor:{path}")
    assert "safetensors" in caught.value.remedy


def test_a_damaged_file_and_a_bad_share_are_refused(tmp_path: Path) -> None:
    damaged, odd = tmp_path / "d.safetensors", tmp_path / "o.safetensors"
    damaged.write_bytes(b"\x80\x04 no tensors")
    save_file({"patch": np.zeros((3, 4, 4), np.float32)}, odd, metadata={"side": "huge"})
    for path in (damaged, odd):
        with pytest.raises(OptionError):
            TensorTrigger(file=str(path))
