from dataclasses import dataclass, field

import pytest

from forensics.detectors.options.attention_entropy import AttentionEntropyOptions
from forensics.errors import OptionError
from forensics.options import build_options, describe_options, options_to_dict
from forensics.registry import load_object, methods


@dataclass(frozen=True, kw_only=True)
class Demo:
    size: int = field(default=4, metadata={"help": "How many.", "min": 1, "max": 9})
    share: float = field(default=0.5, metadata={"min": 0.0})
    mode: str = field(default="a", metadata={"choices": ("a", "b")})
    limit: int | None = None
    fast: bool = False


def test_fields_are_described_with_type_default_and_range() -> None:
    size, share, mode, limit, fast = describe_options(Demo)
    assert (size.kind, size.default, size.minimum, size.maximum) == (int, 4, 1, 9)
    assert (share.kind, mode.choices, fast.kind) == (float, ("a", "b"), bool)
    assert (limit.kind, limit.default, limit.flag) == (int, None, "--limit")


def test_loose_values_become_typed_ones_and_none_keeps_the_default() -> None:
    made = build_options(Demo, {"size": "7", "share": 1, "limit": None})
    assert made == Demo(size=7, share=1.0)
    assert options_to_dict(made)["size"] == 7


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 0}, "at least 1"),
        ({"size": 10}, "at most 9"),
        ({"size": "many"}, "must be int"),
        ({"share": float("nan")}, "at least"),
        ({"mode": "c"}, "one of a, b"),
        ({"colour": 1}, "Unknown option 'colour'"),
    ],
)
def test_bad_values_say_which_option_and_why(values: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build_options(Demo, values)


@pytest.mark.parametrize("name", sorted(methods()))
def test_every_method_has_options_with_help_and_a_job(name: str) -> None:
    spec = methods()[name]
    described = describe_options(load_object(spec.options))
    assert described and all(option.help for option in described)
    assert callable(load_object(spec.job))


def test_the_published_rule_is_the_default() -> None:
    options = AttentionEntropyOptions()
    assert (options.mode, options.tau, options.init) == ("root", 2.0, "k-means")
    assert not options.high_side_guard
