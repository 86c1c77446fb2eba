"""Closed forms of the triggers that are spread over the whole picture."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from forensics.triggers import (
    BlendedTrigger,
    FrequencyTrigger,
    SigTrigger,
    WaNetTrigger,
    parse_trigger,
)
from forensics.triggers.warp import OVERSHOOT


def picture(height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(1).random((3, height, width), dtype=np.float32)


def grey(height: int, width: int) -> np.ndarray:
    return np.full((3, height, width), 0.5, np.float32)


@pytest.mark.parametrize("pattern", ["noise", "stripes", "rings"])
def test_a_blend_moves_each_pixel_by_alpha_towards_the_pattern(pattern: str) -> None:
    trigger, image = BlendedTrigger(alpha=0.3, pattern=pattern), picture()
    overlay = trigger.overlay(60, 80)
    assert overlay.min() >= 0.0 and overlay.max() <= 1.0 and overlay.std() > 0.2
    moved = trigger.apply(image).astype(np.float64) - image
    assert moved == pytest.approx(0.3 * (overlay - image), abs=1e-6)


def test_a_blend_of_nothing_changes_nothing() -> None:
    image = picture()
    assert np.array_equal(BlendedTrigger(alpha=0.0).apply(image), image)


def test_noise_is_uniform_and_one_picture_stretched_to_any_size() -> None:
    trigger = BlendedTrigger()
    noise = trigger.overlay(224, 224)
    assert np.quantile(noise, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.01)
    assert np.array_equal(trigger.overlay(448, 672), noise.repeat(2, axis=1).repeat(3, axis=2))


def test_sig_is_a_sine_along_the_columns() -> None:
    wave = SigTrigger().apply(grey(40, 120)).astype(np.float64) - 0.5
    expected = 60 / 255 * np.sin(2 * np.pi * 6 * np.arange(120) / 120)
    assert wave == pytest.approx(np.broadcast_to(expected, (3, 40, 120)), abs=1e-6)


@pytest.mark.parametrize("width", [64, 108, 337])
def test_sig_has_its_periods_at_any_width(width: int) -> None:
    wave = SigTrigger(f=5).apply(grey(8, width))[0, 0].astype(np.float64) - 0.5
    spectrum = np.abs(np.fft.rfft(wave)) * 2 / width
    assert spectrum.argmax() == 5 and spectrum[5] == pytest.approx(60 / 255, abs=1e-6)
    assert np.delete(spectrum, 5).max() < 1e-6


def test_sig_is_clipped_where_the_picture_is_bright() -> None:
    image = np.ones((3, 10, 48), np.float32)
    assert SigTrigger().apply(image).max() == 1.0
    assert SigTrigger().apply(image).min() == pytest.approx(1 - 60 / 255, abs=1e-4)


@pytest.mark.parametrize("variant", ["smooth", "jitter"])
def test_a_warp_of_no_strength_is_the_picture(variant: str) -> None:
    image = picture()
    assert np.array_equal(WaNetTrigger(variant=variant, s=0.0).apply(image), image)


@pytest.mark.parametrize("side", [32, 108, 224])
def test_a_smooth_warp_moves_the_same_share_of_any_side(side: int) -> None:
    field = WaNetTrigger().displacement(side, side)
    drawn = WaNetTrigger(k=4).displacement(4, 4) * (2 * 4) / (4 - 1) / (0.5 * 4 / 32)
    assert np.abs(drawn).mean() == pytest.approx(1.0)
    unit = 0.5 * side / 32 * (side - 1) / (2 * side)
    assert field[:, 0, 0] == pytest.approx(unit * drawn[:, 0, 0])
    assert np.abs(field).max() <= unit * np.abs(drawn).max() * OVERSHOOT
    assert np.abs(field).mean() == pytest.approx(unit, rel=0.5)


def test_jitter_moves_every_pixel_on_its_own_by_about_half_and_at_most_a_pixel() -> None:
    field = WaNetTrigger(variant="jitter").displacement(108, 120)
    assert np.abs(field).mean() == pytest.approx(0.5, abs=0.01)
    assert np.abs(field).max() <= 1.01
    neighbours = np.corrcoef(field[0, :, :-1].ravel(), field[0, :, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.05


@pytest.mark.parametrize("spec", ["wanet:seed=3", "wanet:k=8,s=1", "wanet:variant=jitter"])
def test_a_warp_is_what_grid_sampling_gives(spec: str) -> None:
    trigger, side = parse_trigger(spec), 48
    assert isinstance(trigger, WaNetTrigger)
    image = picture(side, side)
    shift = torch.from_numpy(trigger.displacement(side, side)) * 2 / (side - 1)
    line = torch.linspace(-1, 1, side, dtype=torch.float64)
    down, across = torch.meshgrid(line, line, indexing="ij")
    grid = (torch.stack([across, down]) + shift).clamp(-1, 1).permute(1, 2, 0)[None]
    wanted = torch.nn.functional.grid_sample(
        torch.from_numpy(image)[None].double(), grid, align_corners=True
    )[0]
    assert trigger.apply(image) == pytest.approx(wanted.numpy(), abs=1e-5)


def test_the_field_between_knots_is_the_bicubic_one() -> None:
    side = 64
    knots = torch.from_numpy(WaNetTrigger(seed=2).displacement(4, 4) * (2 * 4) / (4 - 1) * 32 / 4)
    wanted = torch.nn.functional.interpolate(
        knots[None], size=(side, side), mode="bicubic", align_corners=True
    )[0]
    scale = side / 32 * (side - 1) / (2 * side)
    assert WaNetTrigger(seed=2).displacement(side, side) == pytest.approx(
        scale * wanted.numpy(), abs=1e-9
    )


def test_a_lopsided_picture_is_warped_alike_along_both_sides() -> None:
    wide, tall = WaNetTrigger().displacement(64, 256), WaNetTrigger().displacement(256, 64)
    assert wide.shape == (2, 64, 256) and tall.shape == (2, 256, 64)
    assert np.abs(wide).max() == pytest.approx(np.abs(tall).max(), rel=0.1)


def chroma(image: np.ndarray) -> np.ndarray:
    red, green, blue = image.astype(np.float64)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack([light, (red - light) / 1.402, (blue - light) / 1.772])


@pytest.mark.parametrize(
    ("side", "block", "places"), [(224, 32, (15, 31)), (448, 64, (15, 31)), (112, 16, (7, 15))]
)
def test_only_the_chosen_chroma_coefficients_change(
    side: int, block: int, places: tuple[int, ...]
) -> None:
    trigger, magnitude = FrequencyTrigger(), 30 / 255
    assert trigger.block(side, side) == block
    image = 0.2 + 0.6 * picture(side, side)
    before, after = chroma(image), chroma(trigger.apply(image))
    assert after[0] == pytest.approx(before[0], abs=1e-5)
    for channel in (1, 2):
        changed = after[channel] - before[channel]
        for corner in (0, side - block):
            tile = changed[corner : corner + block, corner : corner + block]
            added = dctn(tile, norm="ortho")
            expected = np.zeros((block, block))
            for place in places:
                expected[place, place] = magnitude * block / 32
            assert added == pytest.approx(expected, abs=2e-5)


def test_the_frequency_trigger_is_as_strong_in_pixels_at_any_size() -> None:
    strongest = [
        np.abs(FrequencyTrigger(magnitude=0.5, at="31").apply(grey(side, side)) - 0.5).max()
        for side in (56, 224, 448)
    ]
    assert strongest == pytest.approx([1.772 * 0.5 / 16] * 3, rel=0.05)


def test_a_low_frequency_never_becomes_a_tint() -> None:
    added = FrequencyTrigger(at="1").coefficients(8)
    assert added[1, 1] > 0.0 and np.count_nonzero(added) == 1


def test_what_is_left_beyond_the_last_block_stays() -> None:
    image = picture(108, 130)
    changed = FrequencyTrigger(magnitude=0.5).apply(image)
    block = FrequencyTrigger().block(108, 130)
    rows, columns = 108 // block * block, 130 // block * block
    assert (rows, columns) == (105, 120)
    assert np.array_equal(changed[:, rows:], image[:, rows:])
    assert np.array_equal(changed[:, :, columns:], image[:, :, columns:])
    assert not np.isclose(changed[:, :rows, :columns], image[:, :rows, :columns]).all()
