import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from forensics.errors import CheckpointError, ModelError
from forensics.models.loading import open_model
from forensics.models.uri import parse_model_uri, split_adapter


class WritesAFile:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.path), "w"))


@pytest.fixture
def folder(tiny_llava_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llava_folder, tmp_path / "model"))


def test_a_pickle_that_would_write_a_file_is_refused_and_not_run(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "model.safetensors").unlink()
    bait = tmp_path / "bait"
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump({"weight": WritesAFile(bait)}, file)
    with pytest.raises(CheckpointError, match="holds more than tensors"):
        open_model(str(folder), device="cpu")
    assert not bait.exists()


def test_the_same_pickle_in_torch_s_own_format_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    bait = tmp_path / "bait"
    torch.save({"weight": WritesAFile(bait)}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="holds more than tensors"):
        open_model(str(folder), device="cpu")
    assert not bait.exists()


def test_a_bin_file_of_plain_tensors_loads(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    loaded = open_model(str(folder), device="cpu").module.state_dict()
    assert torch.equal(
        loaded["lm_head.weight"],
        weights.get("lm_head.weight", weights.get("language_model.lm_head.weight")),
    )


def test_a_config_that_brings_code_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="auto_map"):
        open_model(str(folder), device="cpu")


def test_truncated_safetensors_are_a_clear_error(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        open_model(str(folder), device="cpu")


def test_missing_weights_are_not_filled_with_random_numbers(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(name for name in weights if "q_proj" in name))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="weights are missing"):
        open_model(str(folder), device="cpu")


def test_an_unknown_family_names_the_supported_ones(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="llava"):
        open_model(str(folder), device="cpu")


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_a_broken_config_is_a_clear_error(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        open_model(str(folder), device="cpu")


def test_a_folder_without_weights_is_a_clear_error(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="no weights"):
        open_model(str(folder), device="cpu")


def test_a_lora_adapter_is_merged_into_the_base(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    base = open_model(str(folder), device="cpu").module
    tuned = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"]))
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.fill_(0.1)
    tuned.save_pretrained(tmp_path / "adapter")
    plain = open_model(str(folder), device="cpu").module.state_dict()
    merged = open_model(f"hf:{folder}+adapter:{tmp_path / 'adapter'}", device="cpu")
    name = "model.language_model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(plain[name], merged.module.state_dict()[name])
    assert set(plain) == set(merged.module.state_dict())


def test_an_adapter_must_be_safetensors(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter" / "adapter_model.bin").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"adapter_model\.safetensors"):
        open_model(f"hf:{folder}+adapter:{tmp_path / 'adapter'}", device="cpu")


def test_model_names_are_taken_apart(tmp_path: Path) -> None:
    assert parse_model_uri("hf:org/name@main").revision == "main"
    assert parse_model_uri(str(tmp_path)).folder == tmp_path.resolve()
    with pytest.raises(ModelError, match="does not exist"):
        parse_model_uri("/no/such/folder")
    with pytest.raises(ModelError, match="empty"):
        parse_model_uri(" ")
    with pytest.raises(ModelError, match="names no weights"):
        parse_model_uri("openclip:ViT-B-32")


def test_an_adapter_is_taken_off_a_name_and_the_revision_stays(tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    base.mkdir()
    adapter.mkdir()
    assert split_adapter(f"hf:org/name@v1+adapter:{adapter}") == ("hf:org/name@v1", adapter)
    assert split_adapter(f"hf:{base}+adapter:{adapter}") == (str(base), adapter)
    assert split_adapter("hf:org/name") == ("hf:org/name", None)
