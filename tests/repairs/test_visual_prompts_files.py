"""Exported prompts open without this program, and give the same logits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from forensics.classifiers import ZeroShot
from forensics.encoders.loading import open_encoder
from forensics.encoders.pixels import normalised
from forensics.encoders.prompted import PromptedEncoder, VisualPrompts
from forensics.errors import CheckpointError, ModelError
from forensics.repairs.repulsive_prompts import LOADER
from forensics.repairs.repulsive_prompts.files import (
    export_visual_prompts,
    load_visual_prompts,
)
from forensics.repairs.repulsive_prompts.visual_prompts_loader import attach
from tests.encoders.towers import TOWERS
from tests.tiny_encoders import CLASSES, save_hf_clip, save_vit

ALONE = """
import sys
sys.modules["forensics"] = None  # importing it fails from here on
import torch
from safetensors.torch import load_file, save_file
from visual_prompts_loader import attach

folder = sys.argv[1]
given = load_file("given.safetensors")
if sys.argv[2] == "open_clip":
    import open_clip
    model = open_clip.create_model("local-dir:" + folder, require_pretrained=True).eval()
    encode = lambda pixels: model.encode_image(pixels, normalize=True)
else:
    from transformers import CLIPModel
    model = CLIPModel.from_pretrained(folder).eval()
    encode = lambda pixels: torch.nn.functional.normalize(
        model.get_image_features(pixel_values=pixels).pooler_output, dim=-1
    )
with torch.no_grad():
    plain = encode(given["pixels"])
    handles = attach(model, "visual-prompts.safetensors")
    repaired = encode(given["pixels"])
    for handle in handles:
        handle.remove()
    again = encode(given["pixels"])
    logits = model.logit_scale.exp() * repaired @ given["classes"].T
save_file({"plain": plain, "logits": logits, "again": again}, "found.safetensors")
try:
    import forensics
except ImportError:
    sys.exit(0)
sys.exit("forensics was there")
"""


def drawn(encoder: Any, first: int = 1) -> PromptedEncoder:
    from forensics.encoders.blocks import open_tower

    tower = open_tower(encoder)
    draw = torch.Generator().manual_seed(1)
    vectors = torch.randn(len(tower.blocks) - first, 5, tower.width, generator=draw)
    return PromptedEncoder(encoder, VisualPrompts(vectors=vectors, first=first))


def some_pixels() -> torch.Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("library", "save"), [("open_clip", save_vit), ("hf", save_hf_clip)])
def test_the_loader_gives_the_same_logits_where_we_are_not(
    library: str, save: Any, tmp_path: Path
) -> None:
    folder = save(tmp_path / "model")
    encoder = open_encoder(str(folder), "cpu")
    prompted = drawn(encoder)
    out = tmp_path / "export"
    export_visual_prompts(prompted.prompts, encoder, out, {"alpha": 2.0})
    classifier = ZeroShot(prompted, CLASSES)
    given = {
        "pixels": normalised(encoder, some_pixels()),
        "classes": classifier.vectors.contiguous(),
    }
    save_file(given, out / "given.safetensors")
    run = [sys.executable, "-c", ALONE, str(folder), library]
    done = subprocess.run(run, check=False, cwd=out, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with safe_open(out / "found.safetensors", framework="pt") as file, torch.no_grad():
        logits = classifier.logits(some_pixels())
        assert torch.allclose(file.get_tensor("logits"), logits, atol=1e-4)
        plain = encoder.encode_image(some_pixels())
        assert torch.allclose(file.get_tensor("plain"), plain, atol=1e-5)
        assert torch.equal(file.get_tensor("plain"), file.get_tensor("again"))
        assert not torch.allclose(ZeroShot(encoder, CLASSES).logits(some_pixels()), logits)


@pytest.mark.parametrize("name", TOWERS)
def test_the_loader_agrees_on_every_tower(name: str, tmp_path: Path) -> None:
    encoder = open_encoder(str(TOWERS[name](tmp_path / "model")), "cpu")
    prompted = drawn(encoder)
    path = export_visual_prompts(prompted.prompts, encoder, tmp_path / "export")
    with torch.no_grad():
        wanted, plain = prompted.encode_image(some_pixels()), encoder.encode_image(some_pixels())
        handles = attach(encoder.module, path)
        assert torch.allclose(encoder.encode_image(some_pixels()), wanted, atol=1e-5)
        for handle in handles:
            handle.remove()
        assert torch.equal(encoder.encode_image(some_pixels()), plain)
    assert float((wanted - plain).abs().max()) > 0.01


def test_a_file_says_what_it_belongs_to(tmp_path: Path) -> None:
    encoder = open_encoder(str(save_vit(tmp_path / "model")), "cpu")
    prompted = drawn(encoder)
    path = export_visual_prompts(prompted.prompts, encoder, tmp_path / "out", {"alpha": 2.0})
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
    assert (facts["first"], facts["prompts"], facts["width"], facts["blocks"]) == (
        "1",
        "5",
        "32",
        "3",
    )
    assert facts["tower"] == "VisionTransformer" and facts["library"] == "open_clip"
    assert json.loads(facts["provenance"]) == {"alpha": 2.0}
    assert facts["weights_sha256"] in (tmp_path / "out" / "README.md").read_text()
    assert (tmp_path / "out" / LOADER.name).read_text() == LOADER.read_text()
    again = load_visual_prompts(path, encoder)
    assert torch.equal(again.prompts.vectors, prompted.prompts.vectors)
    with pytest.raises(ModelError, match="in use"):
        export_visual_prompts(prompted.prompts, encoder, tmp_path / "out")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    encoder: Any = open_encoder(str(save_vit(tmp_path / "model")), "cpu")
    path = export_visual_prompts(drawn(encoder).prompts, encoder, tmp_path / "out")
    with torch.no_grad():
        encoder.module.visual.proj[0, 0] += 1e-3
    with pytest.raises(CheckpointError, match="other weights"):
        load_visual_prompts(path, encoder)
    with pytest.raises(ValueError, match="other weights"):
        attach(encoder.module, path)
    assert attach(encoder.module, path, check=False)


def test_rounded_weights_are_recognised_where_they_are_not_rounded(tmp_path: Path) -> None:
    folder = save_vit(tmp_path / "model")
    half: Any = open_encoder(str(folder), "cpu", precision="bfloat16")
    whole: Any = open_encoder(str(folder), "cpu")
    path = export_visual_prompts(drawn(whole).prompts, half, tmp_path / "half")
    assert load_visual_prompts(path, whole).encoder is whole
    assert load_visual_prompts(path, half).encoder is half
    for handle in attach(whole.module, path):
        handle.remove()
    path = export_visual_prompts(drawn(whole).prompts, whole, tmp_path / "whole")
    with pytest.raises(CheckpointError, match="other weights"):
        load_visual_prompts(path, half)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"precision": "int8"}, "other weights"),
        ({"version": "9"}, "no visual prompts"),
        ({"first": "two"}, "at which block"),
        ({"first": "0"}, "do not fit"),
        ({"prompts": torch.full((2, 5, 32), torch.nan)}, "no visual prompts"),
        ({"prompts": torch.zeros(2, 32)}, "no visual prompts"),
    ],
)
def test_damaged_files_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    encoder = open_encoder(str(save_vit(tmp_path / "model")), "cpu")
    path = export_visual_prompts(drawn(encoder).prompts, encoder, tmp_path / "out")
    with safe_open(path, framework="pt") as file:
        facts, vectors = file.metadata(), file.get_tensor("prompts")
    vectors = change.pop("prompts", vectors)
    save_file({"prompts": vectors}, path, metadata=facts | change)
    with pytest.raises(CheckpointError, match=message):
        load_visual_prompts(path, encoder)


def test_what_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    encoder = open_encoder(str(save_vit(tmp_path / "model")), "cpu")
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="damaged"):
        load_visual_prompts(tmp_path / "x.safetensors", encoder)
    with pytest.raises(CheckpointError, match="no file"):
        load_visual_prompts(tmp_path / "y.safetensors", encoder)
