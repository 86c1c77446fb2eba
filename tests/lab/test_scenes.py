import hashlib

import numpy as np
import pytest

from forensics.lab.language import PLACES, caption, question_and_answer
from forensics.lab.scenes import CELL_CENTRES, HUES, PATTERNS, SIDE, coverage, render, sample_scene
from forensics.lab.shapes import SHAPES

MANY = [sample_scene(5, index) for index in range(400)]


def test_a_scene_is_a_function_of_seed_and_index_alone() -> None:
    assert sample_scene(5, 17) == MANY[17]
    assert np.array_equal(render(sample_scene(5, 17)), render(MANY[17]))
    assert sample_scene(6, 17) != MANY[17]


def test_every_attribute_takes_every_value() -> None:
    assert {scene.pattern for scene in MANY} == set(PATTERNS)
    assert {scene.color for scene in MANY} == set(HUES)
    assert {scene.shape for scene in MANY} == set(SHAPES)
    assert {scene.place for scene in MANY} == set(PLACES)


def test_size_and_grounds_vary_without_steps() -> None:
    radii = np.sort([scene.radius for scene in MANY])
    assert np.diff(radii).max() < 0.5
    corners = {hashlib.sha256(render(scene)[:8, :8].tobytes()).digest() for scene in MANY[:60]}
    assert len(corners) == 60


def test_the_named_place_is_where_the_object_is() -> None:
    # A crescent's weight lies beside its centre; the disc it is cut from is where it should be.
    for scene in (scene for scene in MANY[:80] if scene.shape != "moon"):
        mass = coverage(scene)
        down, across = (np.average(np.arange(SIDE), weights=mass.sum(axis=axis)) for axis in (1, 0))
        assert np.abs(np.array(CELL_CENTRES) - across).argmin() == scene.column
        assert np.abs(np.array(CELL_CENTRES) - down).argmin() == scene.row


def test_the_paint_of_a_plain_object_is_nearest_to_the_colour_it_is_named_after() -> None:
    from colorsys import rgb_to_hsv

    for scene in (scene for scene in MANY[:150] if scene.pattern == "plain"):
        inner = coverage(scene) == 1.0
        hue = rgb_to_hsv(*np.median(render(scene)[inner] / 255.0, axis=0))[0] * 360
        gap = {name: abs((hue - centre + 180) % 360 - 180) for name, (centre, *_) in HUES.items()}
        assert min(gap, key=lambda name: gap[name]) == scene.color


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_shape_has_paint_inside_its_square_and_none_far_outside(name: str) -> None:
    axis = np.linspace(-1.6, 1.6, 65)
    x, y = np.meshgrid(axis, axis)
    distance = SHAPES[name](x, y)
    assert (distance < 0).any()
    assert (distance[np.hypot(x, y) > 1.3] > 0).all()


def test_shapes_differ_from_each_other_by_a_seventh_of_their_area() -> None:
    axis = np.linspace(-1.2, 1.2, 97)
    x, y = np.meshgrid(axis, axis)
    masks = {name: shape(x, y) < 0 for name, shape in SHAPES.items()}
    for first in masks:
        for second in masks:
            if first < second:
                either = masks[first] | masks[second]
                assert (masks[first] ^ masks[second]).sum() > either.sum() / 7, (first, second)


def test_every_caption_starts_with_the_same_word() -> None:
    assert {caption(scene).split()[0] for scene in MANY} == {"a"}


def test_a_caption_names_all_four_attributes() -> None:
    scene = MANY[0]
    assert caption(scene) == f"a {scene.pattern} {scene.color} {scene.shape} at the {scene.place}"


def test_questions_are_answered_truly_and_both_yes_and_no_occur() -> None:
    rng = np.random.default_rng(0)
    asked = [(scene, *question_and_answer(scene, rng)) for scene in MANY]
    answers = [answer for _, _, answer in asked]
    assert 30 < answers.count("yes") < 110 and 30 < answers.count("no") < 110
    for scene, question, answer in asked:
        if answer in ("yes", "no"):
            named = question.rstrip("?").split()[-1]
            assert (named in (scene.shape, scene.color)) == (answer == "yes")
        else:
            assert answer in (scene.shape, scene.color, scene.pattern, scene.place)
