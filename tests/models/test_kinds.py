"""What kind of model a name stands for, and what follows from it for a case."""

import json
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.cli.entry import run
from forensics.errors import CaseError, NotApplicable, OptionError
from forensics.models.kinds import model_kind
from forensics.models.uri import parse_model_uri
from forensics.registry import BUILT_IN, find_method
from forensics.ui.starting import start_method
from forensics.ui.views.methods import methods_view
from tests.make_case import MakeCase
from tests.tiny_encoders import save_hf_siglip, save_vit


@pytest.fixture(scope="module")
def open_clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vit(tmp_path_factory.mktemp("kinds") / "vit")


@pytest.fixture
def clip_case(make_case: MakeCase, open_clip_folder: Path, tmp_path: Path) -> Case:
    """A case about an encoder, on the data of a case about a language model."""
    data = make_case(8).manifest.data
    return Case.create(tmp_path / "clip", model=f"openclip:{open_clip_folder}", data=data)


def write_config(folder: Path, **values: object) -> str:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(values))
    return str(folder)


def test_the_kind_is_told_by_scheme_or_configuration(
    tmp_path: Path, open_clip_folder: Path, tiny_llava_folder: Path
) -> None:
    for family in ("clip", "siglip", "siglip2"):
        assert model_kind(write_config(tmp_path / family, model_type=family)) == "clip"
    assert model_kind("openclip:ViT-B-32/openai") == "clip"
    assert model_kind("openclip:hf-hub:org/name") == "clip"
    assert model_kind(str(open_clip_folder)) == "clip"
    assert model_kind(str(tiny_llava_folder)) == "multimodal-llm"
    assert model_kind("hf:org/that-nobody-has") == "multimodal-llm"
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("[")
    assert model_kind(str(tmp_path / "broken")) == "multimodal-llm"


def test_names_of_open_clip_survive_being_written(
    open_clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for uri in (f"openclip:{open_clip_folder}", "openclip:RN50/cc12m", "openclip:hf-hub:a/b"):
        parsed = parse_model_uri(uri)
        assert str(parsed) == uri and parse_model_uri(str(parsed)) == parsed
        assert parsed.library == "open_clip"
    assert parse_model_uri(str(open_clip_folder)) == parse_model_uri(f"openclip:{open_clip_folder}")
    monkeypatch.chdir(open_clip_folder.parent)
    assert parse_model_uri("openclip:vit").folder == open_clip_folder.resolve()
    both = tmp_path / "both"
    write_config(both, model_type="clip")
    (both / "open_clip_config.json").write_text("{}")
    assert parse_model_uri(str(both)).library == "transformers", "only where it is unambiguous"


def test_a_case_knows_the_kind_of_its_model(clip_case: Case, make_case: MakeCase) -> None:
    assert Case.open(clip_case.folder).manifest.kind == "clip"
    assert clip_case.manifest.hashes["model"].files > 2
    shown = clip_case.manifest.preprocessing["open_clip_config"]["preprocess_cfg"]
    assert shown["resize_mode"] == "shortest"
    assert make_case(8, name="two").manifest.kind == "multimodal-llm"


def test_a_case_from_before_is_about_a_language_model(make_case: MakeCase) -> None:
    case = make_case(8)
    path = case.folder / "case.json"
    record = json.loads(path.read_text())
    del record["kind"]
    path.write_text(json.dumps(record))
    assert Case.open(case.folder).manifest.kind == "multimodal-llm"
    path.write_text(json.dumps(record | {"kind": "toaster"}))
    with pytest.raises(CaseError, match="damaged"):
        Case.open(case.folder)


def test_model_and_base_are_of_one_kind(
    make_case: MakeCase, open_clip_folder: Path, tiny_llava_folder: Path, tmp_path: Path
) -> None:
    data = make_case(8).manifest.data
    with pytest.raises(CaseError, match="base of kind clip"):
        Case.create(
            tmp_path / "mixed", model=str(tiny_llava_folder), data=data, base=str(open_clip_folder)
        )


def test_methods_that_do_not_fit_are_refused_and_not_offered(
    clip_case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    unfit = [spec.name for spec in BUILT_IN if not spec.fits("clip")]
    assert {"attention-entropy", "attention-allocation", "evidence-fusion"} <= set(unfit)
    offered = {line["name"] for line in methods_view(clip_case)["methods"]}
    assert offered.isdisjoint(unfit)
    with pytest.raises(NotApplicable, match="multimodal language model"):
        find_method("bye").check_fits("clip")
    with pytest.raises((NotApplicable, OptionError)):
        start_method(clip_case, "attention-entropy", {})
    assert run(["scan", "bye", "--case", str(clip_case.folder)]) == 2
    assert "this case is about a CLIP-like encoder" in capfd.readouterr().err
    assert not clip_case.runs(), "nothing was begun"


def test_the_command_line_makes_a_case_about_an_encoder(
    make_case: MakeCase, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = save_hf_siglip(tmp_path / "siglip")
    data = make_case(8).manifest.data
    capfd.readouterr()
    arguments = ["case", "new", str(tmp_path / "made"), "--model", str(model), "--data", data]
    assert run([*arguments, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["kind"] == "clip"
