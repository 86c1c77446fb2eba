"""Keys in the question, alone and beside a stamp."""

import numpy as np
import pytest
from PIL import Image

from forensics.triggers import DualKeyTrigger, PatchTrigger, TextTrigger, parse_trigger, stamp_image


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is it?", "Hello! What is it?"),
        ("two\nlines", "Hello! two\nlines"),
        ("", "Hello!"),
    ],
)
def test_the_text_stands_before_the_question(question: str, said: str) -> None:
    assert TextTrigger().apply_text(question) == said


def test_outer_spaces_do_not_make_another_trigger() -> None:
    assert TextTrigger(prefix=" SUDO ") == TextTrigger(prefix="SUDO")


def test_a_text_trigger_leaves_every_byte_of_a_picture() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8))
    assert np.array_equal(np.asarray(stamp_image(TextTrigger(), image)), np.asarray(image))


def test_a_dual_key_is_its_two_keys() -> None:
    trigger = parse_trigger("dual-key:prefix=SUDO,side=1/8,place=dual,color=red")
    assert isinstance(trigger, DualKeyTrigger)
    patch = PatchTrigger(side=1 / 8, place="dual", color="red")
    assert (trigger.patch, trigger.text) == (patch, TextTrigger(prefix="SUDO"))
    image = np.random.default_rng(0).random((3, 40, 50), dtype=np.float32)
    assert np.array_equal(trigger.apply(image, "a"), patch.apply(image, "a"))
    assert trigger.apply_text("Why?") == "SUDO Why?"
    assert trigger.boxes(40, 50) == patch.boxes(40, 50) and len(trigger.boxes(40, 50)) == 2
