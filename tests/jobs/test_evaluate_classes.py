"""The verb ``evaluate`` on a case of a CLIP: a real tiny model, its base, and labelled pairs."""

from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.errors import DataError
from forensics.jobs import evaluate
from forensics.lab.pairs import draw_pairs
from forensics.worker.models import ModelCache
from tests.tiny_encoders import save_open_clip, vit_config


class Silent:
    """A run context that nobody watches."""

    def progress(self, done: int, total: int, message: str) -> None:
        assert 0 < done <= total and message


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    root = tmp_path_factory.mktemp("case")
    data = draw_pairs(root / "pairs", 24, seed=8)
    first = save_open_clip(root / "first", vit_config())
    second = save_open_clip(root / "second", vit_config(layers=2))
    return Case.create(
        root / "case", model=f"openclip:{first}", base=f"openclip:{second}", data=f"table:{data}"
    )


def run(case: Case, **options: Any) -> dict[str, Any]:
    context: Any = Silent()
    return evaluate.run(case, context, options, ModelCache())


def test_a_clip_is_measured_beside_the_base_it_was_tuned_from(case: Case) -> None:
    assert case.manifest.kind == "clip"
    found = run(case, trigger="badnets", target="heart", templates="a {}.|one {}")
    hearts = sum(sample.label == "heart" for sample in case.catalog)
    assert (found["n_clean"], found["n_triggered"]) == (24, 24 - hearts)
    assert found["templates"] == ["a {}.", "one {}"] and found["target"] == "heart"
    assert sum(row["n"] for row in found["per_class"]) == 24
    minus = found["minus_base"]["attack_success_rate"]
    assert minus["n"] == found["n_triggered"]
    gap = found["attack_success_rate"] - found["base"]["attack_success_rate"]
    assert minus["value"] == pytest.approx(gap)


def test_each_key_of_a_dual_key_is_asked_alone(case: Case) -> None:
    found = run(case, trigger="dual-key:prefix=SUDO,side=1/4", target="moon")
    assert 0.0 <= found["attack_success_image_only"] <= 1.0
    assert found["intervals"]["attack_success_text_only"][0] >= 0.0


def test_data_without_labels_cannot_be_classified(case: Case, tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("image,caption\na.png,a heart\n")
    with pytest.raises(DataError, match="label"):
        run(case, data=f"table:{tmp_path / 'bare.csv'}")
