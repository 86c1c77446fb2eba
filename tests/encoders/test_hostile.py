"""Folders that would run code, fetch things or fill the memory are refused before they load."""

import json
import pickle
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import load_file

from forensics.encoders.loading import open_encoder
from forensics.errors import CheckpointError, ModelError
from tests.tiny_encoders import save_hf_clip, save_vit

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


class Evil:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_vit(tmp_path / "vit")


def change(folder: Path, part: str, **values: Any) -> None:
    record = json.loads((folder / CONFIG).read_text())
    (record["model_cfg"][part] if part else record["model_cfg"]).update(values)
    (folder / CONFIG).write_text(json.dumps(record))


def test_a_pickle_that_runs_code_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / WEIGHTS).unlink()
    mark = tmp_path / "mark"
    (folder / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps({"x": Evil(mark)}))
    with pytest.raises(CheckpointError, match="more than tensors"):
        open_encoder(str(folder), "cpu")
    assert not mark.exists()


def test_a_pickle_of_nothing_but_tensors_is_read(folder: Path) -> None:
    safe = open_encoder(str(folder), "cpu").encode_text(["red"])
    torch.save(load_file(folder / WEIGHTS), folder / "open_clip_pytorch_model.bin")
    (folder / WEIGHTS).unlink()
    assert torch.equal(open_encoder(str(folder), "cpu").encode_text(["red"]), safe)


@pytest.mark.parametrize(
    ("part", "values", "says"),
    [
        ("text_cfg", {"tokenizer_kwargs": {"trust_remote_code": True}}, "trust_remote_code"),
        ("text_cfg", {"tokenizer_kwargs": {"bpe_path": "/etc/passwd"}}, "bpe_path"),
        ("text_cfg", {"hf_model_name": "someone/with-code"}, "another place"),
        ("vision_cfg", {"timm_model_name": "hf-hub:someone/tower"}, "another place"),
        ("vision_cfg", {"width": 10**6}, "width is 1000000"),
        ("vision_cfg", {"layers": -1}, "layers is -1"),
        ("vision_cfg", {"image_size": "large"}, "image_size is large"),
        ("vision_cfg", {"width": 8192, "layers": 400}, "asks for"),
        ("vision_cfg", {"surprise": 1}, "cannot be loaded"),
        ("vision_cfg", {"layers": 4}, "cannot be loaded"),
    ],
)
def test_what_a_configuration_may_not_ask_for(
    folder: Path, part: str, values: dict[str, Any], says: str
) -> None:
    change(folder, part, **values)
    with pytest.raises(CheckpointError, match=says):
        open_encoder(str(folder), "cpu")


def test_a_tokenizer_with_code_of_its_own_is_refused(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    record = json.loads(path.read_text()) | {"auto_map": {"AutoTokenizer": ["evil.T", None]}}
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="auto_map"):
        open_encoder(str(folder), "cpu")


def test_preprocessing_that_makes_no_sense_is_refused(folder: Path) -> None:
    record = json.loads((folder / CONFIG).read_text())
    record["preprocess_cfg"]["resize_mode"] = "twirl"
    (folder / CONFIG).write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="makes no sense"):
        open_encoder(str(folder), "cpu")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model_cfg": {"embed_dim": 4}}'])
def test_a_damaged_configuration_is_refused(folder: Path, content: str) -> None:
    (folder / CONFIG).write_text(content)
    with pytest.raises(CheckpointError):
        open_encoder(str(folder), "cpu")


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match="holds no weights"):
        open_encoder(str(folder), "cpu")


def test_a_processor_that_does_not_fit_the_tower_is_refused(tmp_path: Path) -> None:
    folder = save_hf_clip(tmp_path / "clip")
    path = folder / "processor_config.json"
    record = json.loads(path.read_text())
    record["image_processor"]["crop_size"] = {"height": 40, "width": 40}
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="32 x 32 pixels"):
        open_encoder(str(folder), "cpu")


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    folder = save_hf_clip(tmp_path / "clip")
    path = folder / "config.json"
    record = json.loads(path.read_text())
    record["vision_config"]["num_hidden_layers"] = 4
    path.write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="weights are missing"):
        open_encoder(str(folder), "cpu")


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("openclip:ViT-B-32", "names no weights"),
        ("openclip:NoSuchThing/openai", "no architecture"),
        ("openclip:ViT-B-32/nobody", "no weights 'nobody'"),
        ("openclip:/no/such/folder", "no folder of open_clip"),
        ("hf:no/such", "cannot be reached"),
    ],
)
def test_names_that_lead_nowhere(uri: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        open_encoder(uri, "cpu")


def test_weights_that_are_not_at_hand_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> str:
        raise OSError("no network")

    monkeypatch.setattr(open_clip.factory, "download_pretrained", offline)
    with pytest.raises(ModelError, match="no network"):
        open_encoder("openclip:ViT-B-32/openai", "cpu")


def test_a_language_model_is_no_encoder(tiny_llava_folder: Path) -> None:
    with pytest.raises(ModelError, match="no CLIP-like encoder"):
        open_encoder(str(tiny_llava_folder), "cpu")
