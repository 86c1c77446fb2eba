"""Variants: named sets of options that start as easily as a method's defaults."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from forensics.api import running
from forensics.api.methods import repair as repair_case
from forensics.cli.repair import repair
from forensics.errors import OptionError
from forensics.options import build_options, options_to_dict
from forensics.registry import find_method, load_object, methods

VARIANTS = [(spec, one) for spec in methods().values() for one in spec.variants]


@pytest.mark.parametrize(("spec", "variant"), VARIANTS, ids=lambda one: one.name)
def test_a_variant_sets_known_options_to_something_else(spec: Any, variant: Any) -> None:
    kind = load_object(spec.options)
    plain, changed = (options_to_dict(build_options(kind, values))
                      for values in ({}, spec.variant(variant.name)))  # fmt: skip
    differ = {name for name, value in plain.items() if changed[name] != value}
    assert differ == set(variant.options)
    assert variant.title and variant.words


def test_these_methods_have_some() -> None:
    named = {(spec.name, one.name) for spec, one in VARIANTS}
    assert named == {("cross-view", "held-back"), ("filter-retune", "decided")}


def test_an_unknown_variant_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(OptionError, match="no variant 'none'") as refused:
        find_method("cross-view").variant("none")
    assert "held-back" in (refused.value.remedy or "")


def test_flags_that_are_given_go_before_the_variants(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = []

    def stop(case: Any, spec: Any, values: dict[str, Any]) -> None:
        asked.append(values)
        raise OptionError("seen", remedy="")

    case = SimpleNamespace(manifest=SimpleNamespace(kind="multimodal-llm"))
    monkeypatch.setattr(running, "open_case", lambda _: case)
    monkeypatch.setattr(running, "_new", stop)
    words = ["cross-view", "--case", str(tmp_path), "--variant", "held-back", "--share", "0.5"]
    CliRunner().invoke(repair, words)
    own = find_method("cross-view").variant("held-back")
    assert asked == [own | {"share": 0.5}] and own["share"] == 0.75
    with pytest.raises(OptionError, match="seen"):
        repair_case(tmp_path, "cross-view", variant="held-back", share=0.5)
    assert asked[1] == asked[0]
    assert CliRunner().invoke(repair, ["filter-retune", "--variant", "x"]).exit_code == 2
