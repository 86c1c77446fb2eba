"""Repairs of a real, tiny LLaVA: where they start, what they leave, what survives a stop."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from forensics.case import Case
from forensics.errors import Cancelled, CaseError, InputError, ModelError
from forensics.jobs.language_repair import cross_view, filter_retune
from forensics.jobs.language_repair.fresh_start import adding_parts, check_start, part_digests
from forensics.models.loading import open_model
from forensics.runs import QuietContext
from forensics.tuning.options import TuneOptions
from forensics.tuning.trainable import make_trainable
from forensics.worker.models import ModelCache
from tests.language_repair_case import RECIPE, make_repair_case, repair_options


@pytest.fixture(scope="module")
def made(tiny_llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case about a tuned adapter, with a scan that flags some of its 16 samples."""
    root = tmp_path_factory.mktemp("language")
    make_repair_case(root, tiny_llava_folder)
    return root


@pytest.fixture
def case(made: Path) -> Case:
    return Case.open(made / "case")


@pytest.fixture
def options(made: Path) -> dict[str, Any]:
    return repair_options(made)


class Stopping(QuietContext):
    """Stops once a message was told so many times; keeps all messages."""

    def __init__(self, folder: Path, at: str = "", times: int = 1) -> None:
        super().__init__(folder)
        self.at, self.left, self.messages = at, times, list[str]()

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.messages.append(message)
        if self.at and self.at in message:
            self.left -= 1
            if self.left == 0:
                raise Cancelled("enough")


def repaired(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "repaired" / "adapter_model.safetensors")


def test_a_filtered_tuning_starts_from_the_base_and_never_sees_what_was_flagged(
    case: Case, options: dict[str, Any], tmp_path: Path, tiny_llava_folder: Path
) -> None:
    before = {path: path.read_bytes() for path in case.folder.glob("*.parquet")}
    result = filter_retune.run(case, QuietContext(tmp_path), options, ModelCache())
    out = (tmp_path / "left_out.txt").read_text().split()
    assert 0 < len(out) < 16 and result["samples"]["left_out"] == len(out)
    assert result["samples"]["n"] == result["samples"]["used"] == 16 - len(out)
    assert result["scan"] == result["samples"]["scan"] == case.runs("attention-entropy")[0].id
    parts = {row["part"]: row for row in result["start"]["parts"]}
    assert all(row["as_base"] for row in parts.values())
    touched = {name for name, row in parts.items() if row["touched"]}
    assert touched == {"language model", "projector", "output layer"}
    assert result["start"]["base_files"] == case.manifest.hashes["base"].sha256
    model = open_model(f"hf:{tiny_llava_folder}+adapter:{tmp_path / 'repaired'}", device="cpu")
    assert model.family == "llava"
    assert result["before"]["n_clean"] == result["after"]["n_clean"] == 6
    assert result["after"]["minus_before"]["clean_accuracy"]["n"] == 6
    assert set(result["switch"]) == {"before", "after", "learnt", "mask"}
    assert result["switch"]["learnt"] is False, "nothing was tuned with masks"
    floor = result["reference"]
    assert (floor["n_clean"], floor["n_triggered"]) == (6, 6) and "base" in floor["title"]
    assert before == {path: path.read_bytes() for path in case.folder.glob("*.parquet")}


def test_what_a_page_draws_is_kept_of_both_models(
    case: Case, options: dict[str, Any], tmp_path: Path
) -> None:
    result = filter_retune.run(case, QuietContext(tmp_path), options, ModelCache())
    told = result["comparison"]
    arrays = load_file(tmp_path / told["file"])
    shown = len(told["examples"])
    assert shown == 3  # different true answers
    assert arrays["pictures"].shape == arrays["triggered"].shape == (shown, 3, 192, 192)
    for state in ("before", "after"):
        assert arrays[f"views.{state}.divergence"].shape == (8,)
        maps = arrays[f"attention.{state}.plain"].float()
        assert maps.shape == (shown, 3, 16)
        assert torch.allclose(maps.sum(dim=2), torch.ones(shown, 3), atol=1e-2)
        for example in told["examples"]:
            cells = example["states"][state]["triggered"]["cells"]
            assert len(cells["hidden"]) == cells["rows"] * cells["columns"] // 4
    assert not list(tmp_path.glob("look-*"))


def test_without_a_base_it_refuses_and_says_why(
    made: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    adapter = next((made / "tuned").glob("adapter"))
    whole = open_model(
        f"hf:{Case.open(made / 'case').manifest.base}+adapter:{adapter}", device="cpu"
    )
    whole.module.save_pretrained(tmp_path / "whole")
    whole.processor.save_pretrained(tmp_path / "whole")
    case = Case.create(tmp_path / "case", model=str(tmp_path / "whole"),
                       data=f"llava:{made / 'data' / 'set.json'}")  # fmt: skip
    with pytest.raises(CaseError, match="would keep the backdoor") as caught:
        cross_view.run(case, QuietContext(tmp_path), options, ModelCache())
    assert "--base" in caught.value.remedy and "--start suspicious" in caught.value.remedy


def test_asked_to_it_goes_on_with_the_delivered_adapter(
    case: Case, options: dict[str, Any], made: Path, tmp_path: Path
) -> None:
    asked = {**options, "start": "suspicious", "epochs": 0.25, "learning_rate": 1e-7}
    result = filter_retune.run(case, QuietContext(tmp_path), asked, ModelCache())
    assert result["start"]["from"] == "suspicious"
    parts = {row["part"]: row for row in result["start"]["parts"]}
    assert not any(parts[name]["as_base"] for name in ("language model", "projector"))
    delivered = load_file(made / "tuned" / "adapter" / "adapter_model.safetensors")
    after = repaired(tmp_path)
    assert set(after) == set(delivered)
    assert all(torch.allclose(after[n].float(), delivered[n].float(), atol=1e-4) for n in after)


def test_a_whole_model_that_goes_on_is_compared_with_no_base(
    made: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    adapter, base = made / "tuned" / "adapter", Case.open(made / "case").manifest.base
    whole = open_model(f"hf:{base}+adapter:{adapter}", device="cpu")
    whole.module.save_pretrained(tmp_path / "whole")
    whole.processor.save_pretrained(tmp_path / "whole")
    case = Case.create(tmp_path / "case", model=str(tmp_path / "whole"), base=base,
                       data=f"llava:{made / 'data' / 'set.json'}")  # fmt: skip
    asked = {**options, "start": "suspicious", "epochs": 0.25, "drop": 0.25}
    result = filter_retune.run_random_drop(case, QuietContext(tmp_path), asked, ModelCache())
    parts = result["start"]["parts"]
    assert parts and all(row["touched"] is None and row["as_base"] is None for row in parts)
    assert result["reference"]["n_clean"] == 6


def test_an_adapter_that_adds_something_is_no_fresh_start(tiny_llava_folder: Path) -> None:
    model = open_model(str(tiny_llava_folder), device="cpu")
    module = make_trainable(model, TuneOptions(rank=4))
    base = part_digests(model, original=True)
    assert not adding_parts(model, module)
    check_start(part_digests(model, module), base, adding_parts(model, module))
    with torch.no_grad():
        copy = next(p for n, p in module.named_parameters() if "modules_to_save.default" in n)
        copy += 1.0
    with pytest.raises(ModelError, match="not the base"):
        check_start(part_digests(model, module), base, adding_parts(model, module))
    with torch.no_grad():
        copy -= 1.0
        next(p for n, p in module.named_parameters() if "lora_B" in n).add_(1.0)
    assert adding_parts(model, module) == {"language model"}
    with pytest.raises(ModelError, match="adapter"):
        check_start(base, base, adding_parts(model, module))


def test_another_base_on_disk_is_refused(
    made: Path, options: dict[str, Any], tmp_path: Path, tiny_llava_folder: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_llava_folder, base)
    case = Case.create(tmp_path / "case", model=f"hf:{base}+adapter:{made / 'tuned' / 'adapter'}",
                       base=str(base), data=f"llava:{made / 'data' / 'set.json'}")  # fmt: skip
    config = json.loads((base / "generation_config.json").read_text())
    (base / "generation_config.json").write_text(json.dumps(config, indent=7))
    with pytest.raises(CaseError, match="not the one that the case was made with"):
        filter_retune.run_random_drop(case, QuietContext(tmp_path), options, ModelCache())


def test_a_stopped_repair_goes_on_and_ends_the_same(
    case: Case, options: dict[str, Any], tmp_path: Path
) -> None:
    def run(name: str, at: str = "", times: int = 1) -> Stopping:
        (tmp_path / name).mkdir(exist_ok=True)
        context = Stopping(tmp_path / name, at, times)
        if at:
            with pytest.raises(Cancelled):
                cross_view.run(case, context, options, ModelCache())
        else:
            cross_view.run(case, context, options, ModelCache())
        return context

    run("whole")
    run("parts", "step 3 of 6")
    on = run("parts", "answering")  # the first answers after the tuning: those before are kept
    assert next(m for m in on.messages if m.startswith("step")).startswith("step 3 of 6")
    last = run("parts")
    assert not [m for m in last.messages if m.startswith("step")]
    whole, parts = repaired(tmp_path / "whole"), repaired(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_cross_view_measures_gamma_on_what_was_delivered_and_speaks_of_no_finding(
    case: Case, options: dict[str, Any], tmp_path: Path
) -> None:
    chosen = {**options, "weight": 1.0, "begin": 0.3, "ramp": 0.0}
    result = cross_view.run(case, QuietContext(tmp_path), chosen, ModelCache())
    assert result["samples"]["left_out"] == 0 and result["scan"] is None
    gamma = json.loads((tmp_path / "gamma.json").read_text())
    assert gamma["samples"] == 16 and result["objective"]["gamma"] == gamma["gamma"] > 0
    losses = result["losses"]
    assert len(losses["divergence"]) == result["steps"] == 6
    assert [value is None for value in losses["regulariser"]] == [True, True] + [False] * 4
    text = json.dumps({k: v for k, v in result.items() if k != "comparison"}).lower()
    assert not any(word in text for word in ("detect", "suspicious sample", "verdict", "flagged"))


def test_cross_view_can_leave_flagged_samples_out(
    case: Case, options: dict[str, Any], tmp_path: Path
) -> None:
    scan = case.runs("attention-entropy")[0].id
    chosen = {**options, "run": scan, "gamma": 0.5, "separation": "clipped", "clip": 1.0}
    result = cross_view.run(case, QuietContext(tmp_path), chosen, ModelCache())
    assert result["scan"] == scan and result["samples"]["left_out"] > 0


def test_a_random_part_is_the_same_for_a_seed(
    case: Case, options: dict[str, Any], tmp_path: Path
) -> None:
    out = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        chosen = {**options, "drop": 0.25, "seed": seed, "epochs": 0.25}
        filter_retune.run_random_drop(case, QuietContext(tmp_path / name), chosen, ModelCache())
        out.append((tmp_path / name / "left_out.txt").read_text().split())
    assert out[0] == out[1] != out[2] and len(out[0]) == 4


def test_without_test_samples_it_says_what_is_missing(case: Case, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model was trained on"):
        filter_retune.run(case, QuietContext(tmp_path), RECIPE, ModelCache())
