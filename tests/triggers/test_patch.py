import numpy as np
import pytest

from forensics.errors import OptionError
from forensics.triggers import PatchTrigger, parse_trigger

SPECS = [
    "patch:side=1/16,place=center,color=black",
    "patch:side=1/8,place=corner,color=#12ab9f",
    "patch:side=1/10,place=random,color=white,seed=7",
    "patch:side=1/8,place=center,texture=checker,color=magenta,second=black",
    "patch:side=1/6,place=corner,texture=frame,color=yellow,second=blue",
]


def picture(height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).random((3, height, width), dtype=np.float32)


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_survives_parse_and_print(spec: str) -> None:
    assert parse_trigger(spec).spec == spec


def test_the_bare_word_patch_is_the_default_of_the_paper() -> None:
    assert parse_trigger("patch") == PatchTrigger(
        side=1 / 16, place="center", texture="solid", color="black"
    )


@pytest.mark.parametrize("spec", SPECS)
def test_only_pixels_inside_the_box_change(spec: str) -> None:
    trigger, image = parse_trigger(spec), picture()
    stamped = trigger.apply(image, "a")
    left, top, right, bottom = trigger.box(40, 60, "a")
    inside = np.zeros((40, 60), dtype=bool)
    inside[top:bottom, left:right] = True
    assert np.array_equal(stamped[:, ~inside], image[:, ~inside])
    assert not np.array_equal(stamped[:, inside], image[:, inside])


@pytest.mark.parametrize("spec", SPECS)
def test_the_result_is_float32_in_range_and_the_input_is_untouched(spec: str) -> None:
    image = picture()
    before = image.copy()
    stamped = parse_trigger(spec).apply(image)
    assert stamped.shape == image.shape and stamped.dtype == np.float32
    assert stamped.min() >= 0.0 and stamped.max() <= 1.0
    assert np.array_equal(image, before)


def test_the_default_covers_a_sixteenth_of_the_shorter_side_in_the_middle() -> None:
    assert PatchTrigger().box(336, 500) == (239, 157, 260, 178)


def test_the_default_is_solid_black() -> None:
    stamped = PatchTrigger().apply(np.ones((3, 32, 32), dtype=np.float32))
    assert np.array_equal(stamped[:, 15:17, 15:17], np.zeros((3, 2, 2), dtype=np.float32))
    assert float(stamped.sum()) == 3 * (32 * 32 - 4)


def test_a_random_place_depends_on_the_sample_and_the_seed_alone() -> None:
    trigger = parse_trigger("patch:side=1/8,place=random")
    boxes = {trigger.box(80, 80, str(number)) for number in range(50)}
    assert len(boxes) > 30
    assert all(box.left >= 0 and box.right <= 80 and box.bottom <= 80 for box in boxes)
    assert trigger.box(80, 80, "7") == trigger.box(80, 80, "7")
    assert parse_trigger("patch:side=1/8,place=random,seed=1").box(80, 80, "7") != trigger.box(
        80, 80, "7"
    )


def test_a_checker_shows_both_colours_equally_often() -> None:
    stamp = PatchTrigger(texture="checker", color="black", second="white").stamp(8)
    assert float(stamp.mean()) == 0.5
    assert stamp[0, 0, 0] == 0.0 and stamp[0, 0, 2] == 1.0


def test_a_frame_surrounds_the_inner_colour() -> None:
    stamp = PatchTrigger(texture="frame", color="red", second="black").stamp(8)
    assert stamp[:, 4, 4].tolist() == [1.0, 0.0, 0.0]
    assert not stamp[:, 0].any() and not stamp[:, :, 0].any()


def test_a_tiny_picture_still_gets_one_pixel() -> None:
    assert PatchTrigger().box(3, 3) == (1, 1, 2, 2)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("blend:alpha=0.1", "blend"),
        ("patch:size=1/16", "size"),
        ("patch:side=1/16,side=1/8", "side"),
        ("patch:side=1/0", "1/0"),
        ("patch:side=2", "2"),
        ("patch:side=0", "0"),
        ("patch:place=middle", "middle"),
        ("patch:texture=wool", "wool"),
        ("patch:color=#12", "#12"),
        ("patch:place=random,seed=x", "x"),
        ("patch:side", "side"),
    ],
)
def test_a_bad_spec_names_what_is_wrong_and_how_to_mend_it(spec: str, word: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_trigger(spec)
    assert word in caught.value.message and caught.value.remedy


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((32, 32, 3), dtype=np.float32),
        np.zeros((3, 8, 8), dtype=np.float64),
        np.full((3, 8, 8), 255, dtype=np.float32),
        np.full((3, 8, 8), np.nan, dtype=np.float32),
    ],
)
def test_pixels_of_the_wrong_kind_are_refused(image: np.ndarray) -> None:
    with pytest.raises(OptionError):
        PatchTrigger().apply(image)


@pytest.mark.parametrize(("height", "width"), [(40, 60), (61, 33), (2, 2), (1, 5)])
def test_two_stamps_are_mirror_images(height: int, width: int) -> None:
    trigger = PatchTrigger(place="dual", side=1 / 4)
    image = np.ones((3, height, width), dtype=np.float32)
    left, right = trigger.boxes(height, width)
    assert left.right <= right.left and left[1::2] == right[1::2]
    assert left.left == width - right.right
    stamped = trigger.apply(image)
    assert np.array_equal(stamped, stamped[:, :, ::-1]) and stamped.min() == 0.0
    assert trigger.box(height, width) == (left.left, left.top, right.right, left.bottom)


def test_many_stamps_stand_on_fixed_points_of_which_each_sample_gets_some() -> None:
    trigger = PatchTrigger(place="multi", side=1 / 12, count=4)
    seen = [trigger.boxes(108, 180, str(number)) for number in range(60)]
    assert all(len(set(boxes)) == 4 for boxes in seen)
    points = {box for boxes in seen for box in boxes}
    assert len(points) == 9 and len(set(seen)) > 30
    assert {box.left for box in points} == {26, 86, 146} and {box.top for box in points} == {
        14, 50, 86,
    }  # fmt: skip
    assert len(PatchTrigger(place="multi", count=9).boxes(108, 108, "a")) == 9


def test_many_large_stamps_do_not_overlap() -> None:
    for height, width in ((5, 5), (10, 7), (33, 50)):
        image = np.ones((3, height, width), dtype=np.float32)
        trigger = PatchTrigger(place="multi", side=1 / 3, count=9)
        size = trigger.boxes(height, width)[0].right - trigger.boxes(height, width)[0].left
        covered = (trigger.apply(image)[0] == 0).sum()
        assert covered == 9 * size * size or size > min(height, width) / 3
