"""One line spells a trigger; every kind keeps the same contract."""

import numpy as np
import pytest

from forensics.errors import OptionError
from forensics.triggers import CATALOG, KINDS, DualKeyTrigger, TextTrigger, parse_trigger

SPECS = [
    "patch:side=1/8,place=dual,color=red",
    "patch:side=1/12,place=multi,texture=checker,color=black,second=white,count=3,seed=5",
    "blended:alpha=0.2,pattern=noise,seed=3",
    "blended:alpha=0.05,pattern=noise,redraw=sample,seed=0",
    "blended:alpha=0.3,pattern=stripes",
    "blended:alpha=0.3,pattern=rings",
    "sig:delta=60/255,f=6",
    "sig:delta=0.1,f=12",
    "wanet:variant=smooth,k=4,seed=0",
    "wanet:variant=smooth,k=8,s=0.75,seed=2",
    "wanet:variant=jitter,seed=9",
    "wanet:variant=jitter,s=0.5,seed=9",
    "frequency:magnitude=30/255,at=15+31",
    "frequency:magnitude=0.5,at=7",
    "patch:side=1/14,place=corners,color=black",
    "patch:side=1/14,place=random,texture=dots,color=black,second=white,seed=1",
    "badnets:side=1/14,place=center,overflow=wrap,seed=4",
    "issba-like:amplitude=8/255,seed=2",
    "text:prefix=Hello!",
    "text:prefix=Well%2C 100%25 sure = yes:",
    "dual-key:prefix=SUDO,side=1/14,place=corner,color=magenta",
    "dual-key:prefix=Consider,side=1/14,place=multi,color=red,count=2,seed=4",
    *(listed.default for listed in CATALOG),
]
LOCAL = ("patch", "badnets", "dual-key")
IMAGE_SPECS = [spec for spec in SPECS if not spec.startswith("text")]


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(0).random((3, height, width), dtype=np.float32)


@pytest.mark.parametrize("spec", SPECS)
def test_a_spelling_survives_parse_and_print(spec: str) -> None:
    trigger = parse_trigger(spec)
    assert trigger.spec == spec
    assert parse_trigger(trigger.spec) == trigger
    assert trigger.kind == spec.partition(":")[0]


@pytest.mark.parametrize("number", [1 / 3, 0.1 + 0.2, 17 / 255, 1e-05, 0.0])
def test_any_number_survives_parse_and_print(number: float) -> None:
    for spec in (f"blended:alpha={number!r}", f"sig:delta={number!r}", f"wanet:s={number!r}"):
        assert parse_trigger(parse_trigger(spec).spec) == parse_trigger(spec)
    assert parse_trigger(f"blended:alpha={number!r}").alpha == number  # type: ignore[attr-defined]


@pytest.mark.parametrize("prefix", ["50% off, now", "a=b", "%2C", "it's <b>fine</b>", "你好"])
def test_any_line_of_text_survives_parse_and_print(prefix: str) -> None:
    for trigger in (TextTrigger(prefix=prefix), DualKeyTrigger(text=TextTrigger(prefix=prefix))):
        assert parse_trigger(trigger.spec) == trigger


def test_the_list_of_kinds_is_the_list_that_can_be_read() -> None:
    assert [listed.kind for listed in CATALOG] == list(KINDS)
    for listed in CATALOG:
        assert parse_trigger(listed.kind).spec == listed.default
        example = parse_trigger(listed.example)
        assert example.kind == listed.kind and example.spec != listed.default


@pytest.mark.parametrize("spec", SPECS)
def test_the_result_is_float32_in_range_and_the_input_is_untouched(spec: str) -> None:
    for image in (picture(), np.zeros((3, 30, 20), np.float32), np.ones((3, 1, 7), np.float32)):
        before = image.copy()
        changed = parse_trigger(spec).apply(image, "a")
        assert changed.shape == image.shape and changed.dtype == np.float32
        assert changed.min() >= 0.0 and changed.max() <= 1.0
        assert np.array_equal(image, before) and not np.shares_memory(image, changed)


@pytest.mark.parametrize("spec", SPECS)
def test_what_changes_is_what_the_trigger_says(spec: str) -> None:
    trigger, image = parse_trigger(spec), picture()
    assert np.array_equal(trigger.apply(image, "a"), image) != trigger.changes_image
    assert (trigger.apply_text("Why?", "a") == "Why?") != trigger.changes_text
    boxes, box = trigger.boxes(48, 64, "a"), trigger.box(48, 64, "a")
    assert (box is None) == (not boxes) == (trigger.kind not in LOCAL)
    if box is not None:
        assert 0 <= box.left < box.right <= 64 and 0 <= box.top < box.bottom <= 48


@pytest.mark.parametrize("spec", SPECS)
def test_samples_do_not_depend_on_what_came_before(spec: str) -> None:
    image, ids = picture(), ["a", "b", "c"]
    trigger = parse_trigger(spec)
    forward = {name: trigger.apply(image, name) for name in ids}
    again = parse_trigger(spec)
    backward = {name: again.apply(image, name) for name in reversed(ids)}
    assert all(np.array_equal(forward[name], backward[name]) for name in ids)


@pytest.mark.parametrize("spec", IMAGE_SPECS)
def test_only_what_is_drawn_for_a_sample_differs_between_samples(spec: str) -> None:
    trigger, image = parse_trigger(spec), picture()
    drawn = {trigger.apply(image, str(number)).tobytes() for number in range(8)}
    per_sample = any(word in spec for word in ("multi", "random", "redraw=sample", "badnets"))
    assert (len(drawn) > 1) == per_sample


@pytest.mark.parametrize(
    "spec",
    [
        "blended",
        "wanet",
        "wanet:variant=jitter",
        "patch:place=multi",
        "patch:place=random",
        "badnets",
        "issba-like",
    ],
)
def test_another_seed_is_another_trigger(spec: str) -> None:
    image, join = picture(), "," if ":" in spec else ":"
    first, second = (parse_trigger(f"{spec}{join}seed={seed}").apply(image, "a") for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("", "patch:side"),
        ("blend", "blended"),
        ("patch:" + "x" * 2000, "patch"),
        ("patch:place=dual,side=0.6", "1/2"),
        ("patch:place=multi,side=0.4", "1/3"),
        ("patch:place=multi,count=0", "count"),
        ("patch:place=multi,count=10", "count"),
        ("blended:alpha=1.5", "alpha"),
        ("blended:alpha=nan", "alpha"),
        ("blended:alpha=-1/4", "alpha"),
        ("blended:alpha=two", "alpha"),
        ("blended:pattern=kitty", "pattern"),
        ("blended:redraw=batch", "redraw"),
        ("blended:pattern=rings,redraw=sample", "redraw"),
        ("sig:delta=60", "delta"),
        ("sig:delta=1e999999999", "delta"),
        ("sig:f=0", "f"),
        ("sig:f=1.5", "f"),
        ("wanet:k=1", "k"),
        ("wanet:s=-1", "s"),
        ("wanet:s=inf", "s"),
        ("wanet:variant=wild", "variant"),
        ("frequency:magnitude=3", "magnitude"),
        ("frequency:at=0", "at"),
        ("frequency:at=32", "at"),
        ("frequency:at=15+15", "at"),
        ("frequency:at=", "at"),
        ("text:prefix=", "prefix"),
        ("text:prefix=one%0Atwo", "prefix"),
        ("text:prefix=%ff", "prefix"),
        ("text:prefix=<image> look", "<image>"),
        ("text:prefix=" + "x" * 201, "prefix"),
        ("text:prefix=Well, then", "%2C"),
        ("patch:place=corners,side=0.6", "1/2"),
        ("badnets:overflow=saturate", "overflow"),
        ("badnets:side=0", "side"),
        ("badnets:place=corner", "place"),
        ("issba-like:amplitude=2", "amplitude"),
        ("tensor:/nowhere.safetensors", "safetensors"),
        ("dual-key:file=/x.safetensors,side=1/4", "file"),
        ("dual-key:alpha=0.2", "alpha"),
        ("dual-key:side=0", "side"),
    ],
)
def test_a_bad_spelling_names_what_is_wrong_and_how_to_mend_it(spec: str, word: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_trigger(spec)
    assert caught.value.remedy and word in caught.value.message + caught.value.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_of_the_wrong_kind_are_refused(kind: str) -> None:
    for image in (np.zeros((8, 8, 3), np.float32), np.full((3, 8, 8), 255, np.float32)):
        with pytest.raises(OptionError):
            parse_trigger(kind).apply(image)
