"""A CLIP with learnt prompts as a case: named, hashed, moved, measured beside its encoder."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.case import Case
from forensics.classifiers import CoCoOp, CoOp, ZeroShot, open_classifier, save_prompts
from forensics.encoders.loading import open_encoder
from forensics.errors import CheckpointError, ModelError, OptionError
from forensics.jobs import evaluate
from forensics.lab.pair_language import CLASSES
from forensics.lab.pairs import draw_pairs
from forensics.models.kinds import model_kind
from forensics.models.loading import open_model
from forensics.models.uri import encoder_uri, parse_model_uri
from forensics.ui.views.case import case_view
from forensics.worker.models import ModelCache
from tests.tiny_encoders import save_vit


class Silent:
    """A run context that nobody watches."""

    def progress(self, done: int, total: int, message: str) -> None:
        assert 0 < done <= total and message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vit(tmp_path_factory.mktemp("prompts") / "vit")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Any:
    return open_encoder(f"openclip:{folder}", device="cpu")


@pytest.fixture(scope="module")
def learnt(encoder: Any) -> CoCoOp:
    torch.manual_seed(3)
    return CoCoOp(
        encoder, CLASSES, 0.3 * torch.randn(4, encoder.module.ln_final.normalized_shape[0])
    )


@pytest.fixture
def case(folder: Path, learnt: CoCoOp, tmp_path: Path) -> Case:
    """A case whose prompts and pictures lie in its own folder, as in a demo."""

    def prepare(place: Path) -> None:
        (place / "demo").mkdir()
        draw_pairs(place / "demo" / "data", 20, seed=8)
        save_prompts(learnt, place / "demo" / "prompts.safetensors")

    return Case.create(
        tmp_path / "case",
        model=f"openclip:{folder}+prompts:${{case}}/demo/prompts.safetensors",
        data="table:${case}/demo/data/pairs.csv",
        prepare=prepare,
    )


def run(case: Case, **options: Any) -> dict[str, Any]:
    context: Any = Silent()
    return evaluate.run(case, context, options, ModelCache())


def test_prompts_are_a_part_of_the_name(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    file.touch()
    for head in (f"openclip:{folder}", "hf:org/name@main", "openclip:RN50/cc12m"):
        parsed = parse_model_uri(f"{head}+prompts:{file}")
        assert parsed.prompts == file and str(parsed) == f"{head}+prompts:{file}"
        assert parse_model_uri(str(parsed)) == parsed and model_kind(parsed) == "clip"
        assert encoder_uri(str(parsed)) == head and parse_model_uri(head).prompts is None
    with pytest.raises(ModelError, match="no file of prompts"):
        parse_model_uri(f"openclip:{folder}+prompts:{tmp_path}")
    with pytest.raises(ModelError, match="no multimodal"):
        open_model(f"openclip:{folder}+prompts:{file}")


def test_a_classifier_is_opened_as_its_name_says(
    encoder: Any, folder: Path, learnt: CoCoOp, tmp_path: Path
) -> None:
    named, bare = tmp_path / "named.safetensors", tmp_path / "bare.pth"
    save_prompts(learnt, named)
    found = open_classifier(encoder, f"openclip:{folder}+prompts:{named}", classes=["x", "y"])
    assert isinstance(found, CoCoOp) and found.classes == CLASSES, "the file is believed"
    pixels = torch.rand(2, 3, 32, 32)
    assert torch.equal(found.logits(pixels), learnt.logits(pixels))
    torch.save({"prompt_learner.ctx": learnt.context.detach()}, bare)
    other = open_classifier(encoder, f"openclip:{folder}+prompts:{bare}", classes=["x", "y"])
    assert isinstance(other, CoOp) and other.classes == ("x", "y")
    for uri in (f"openclip:{folder}+prompts:{bare}", f"openclip:{folder}"):
        with pytest.raises(OptionError, match="classes"):
            open_classifier(encoder, uri)
    zero = open_classifier(encoder, f"openclip:{folder}", classes=["x"], templates=["one {}"])
    assert isinstance(zero, ZeroShot) and zero.templates == ("one {}",)
    named.write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="damaged"):
        open_classifier(encoder, f"openclip:{folder}+prompts:{named}")


def test_the_prompts_are_hashed_and_move_with_the_case(case: Case, tmp_path: Path) -> None:
    stored = json.loads((case.folder / "case.json").read_text())
    assert stored["model"].endswith("+prompts:${case}/demo/prompts.safetensors")
    assert case.manifest.kind == "clip" and case.manifest.hashes["model-prompts"].files == 1
    moved = Case.open(Path(shutil.move(case.folder, tmp_path / "elsewhere")))
    prompts = parse_model_uri(moved.manifest.model).prompts
    assert prompts == tmp_path / "elsewhere" / "demo" / "prompts.safetensors"
    assert moved.manifest.preprocessing, "that of the encoder"


def test_the_case_tab_shows_the_prompts(case: Case) -> None:
    shown = case_view("one", case, [])
    assert shown["model"] == "vit + prompts.safetensors"
    assert shown["model_uri"].endswith("+prompts:‹case›/demo/prompts.safetensors")
    assert "model-prompts" in [row["what"] for row in shown["hashes"]]


def test_learnt_prompts_are_measured_beside_hand_written_ones(case: Case, learnt: CoCoOp) -> None:
    found = run(case, trigger="blended", target="heart", templates="a {}.")
    hearts = sum(sample.label == "heart" for sample in case.catalog)
    assert (found["n_clean"], found["n_triggered"]) == (20, 20 - hearts)
    assert [row["class"] for row in found["per_class"]] == list(learnt.classes)
    assert found["prompts"].endswith("prompts.safetensors") and found["templates"] is None
    reference = run(
        case, trigger="blended", target="heart", templates="a {}.", model=found["base"]["model"]
    )
    assert reference["prompts"] is None and "base" not in reference
    assert found["base"]["clean_accuracy"] == reference["clean_accuracy"]
    assert found["base"]["attack_success_rate"] == reference["attack_success_rate"]
    given = run(case, prompts=str(parse_model_uri(case.manifest.model).prompts))
    assert given["clean_accuracy"] == found["clean_accuracy"]
