"""What a repair of a language model leaves opens without this program and says the same."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from forensics.case import Case
from forensics.cli.entry import run as command
from forensics.data.images import open_image
from forensics.models.base import PromptBatch, prompt_of
from forensics.models.loading import open_model
from forensics.ui.repair_export import zip_repair
from tests.language_repair_case import make_repair_case, repair_options

PLAIN = Path(__file__).with_name("plain_llava.py")
METHODS = [("filter-retune", "lora"), ("cross-view", "full")]


@pytest.fixture(scope="module")
def made(tiny_llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exported")
    make_repair_case(root, tiny_llava_folder)
    return root


def flags(root: Path) -> list[str]:
    given = repair_options(root)
    return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}",
                                                               str(value))]  # fmt: skip


def asked(uri: str, case: Case, inputs: Path) -> torch.Tensor:
    """Ask a model here what it is asked elsewhere; write the inputs down."""
    model = open_model(uri, device="cpu")
    samples = list(case.catalog)[:3]
    batch: PromptBatch = model.collate(
        [prompt_of(sample, [open_image(sample.images[0])]) for sample in samples]
    )
    np.savez(inputs, **{name: value.numpy() for name, value in batch.inputs.items()})
    with torch.no_grad():
        return torch.as_tensor(model.module(**batch.inputs).logits)


@pytest.mark.parametrize(("repair", "method"), METHODS)
def test_the_export_opens_with_plain_libraries_and_answers_the_same(
    repair: str, method: str, made: Path, tiny_llava_folder: Path, tmp_path: Path
) -> None:
    case = Case.open(made / "case")
    asking = ["repair", repair, "--case", str(case.folder), "--method", method, *flags(made)]
    assert command(asking) == 0
    out = tmp_path / "taken"
    assert command(["export", "checkpoint", "--case", str(case.folder), "--to", str(out)]) == 0
    whole = method == "full"
    uri = str(out) if whole else f"hf:{tiny_llava_folder}+adapter:{out}"
    inputs, logits = tmp_path / "inputs.npz", tmp_path / "logits.npy"
    expected = asked(uri, case, inputs)
    base = "-" if whole else str(tiny_llava_folder)
    run = [sys.executable, str(PLAIN), base, str(out), str(inputs), str(logits)]
    done = subprocess.run(run, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert np.allclose(np.load(logits), expected.numpy(), atol=1e-5)
    assert not torch.allclose(asked(str(tiny_llava_folder), case, inputs), expected, atol=1e-3)
    look_at_the_note(case, json.loads((out / "provenance.json").read_text()), repair, out)


def look_at_the_note(case: Case, note: dict[str, object], repair: str, out: Path) -> None:
    run = case.runs(repair)[0]
    result = run.result()
    what = "a LoRA adapter" if repair == "filter-retune" else "all weights"
    assert str(note["what"]).startswith(f"{what} of a multimodal language model")
    assert ("(reconstruction" in str(note["what"])) == (repair == "cross-view")
    assert str(note["open_with"]).startswith("peft" if repair == "filter-retune" else "transf")
    assert note["base"] == case.manifest.base
    assert note["samples"] == result["samples"] and note["start"] == result["start"]
    assert note["sha256"].keys() == {p.name for p in out.iterdir()} - {"provenance.json"}  # type: ignore[attr-defined]
    measured = note["measured"]
    assert isinstance(measured, dict) and measured["after"] == result["after"]
    assert "detect" not in json.dumps(note).replace("detectors", "").lower()


def test_a_download_holds_the_adapter_and_its_provenance(made: Path) -> None:
    case = Case.open(made / "case")
    path = zip_repair(case, case.runs("filter-retune")[0].id)
    try:
        with zipfile.ZipFile(path) as packed:
            names = set(packed.namelist())
    finally:
        path.unlink()
    assert names >= {f"repaired/{name}" for name in ("adapter_model.safetensors",
                     "adapter_config.json", "provenance.json")}  # fmt: skip
