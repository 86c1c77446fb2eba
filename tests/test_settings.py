"""Settings: one small file, variables that win, and who really follows them."""

import os
from pathlib import Path

import pytest
from PIL import Image

from forensics import settings
from forensics.case.people import account, acting_as
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import ImageRef
from forensics.errors import DataError, OptionError
from forensics.models.uri import parse_model_uri


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "settings.json"
    monkeypatch.setenv(settings.VARIABLE, str(path))
    for name in settings.NAMES:
        monkeypatch.delenv(settings.variable(name), raising=False)
    return path


def test_without_a_file_the_defaults_hold() -> None:
    assert settings.current() == settings.Settings()
    assert set(settings.sources().values()) == {"default"}


def test_what_is_saved_holds_at_once_and_only_its_owner_can_read_it(file: Path) -> None:
    assert settings.save({"device": "cpu", "megapixels": 3}).megapixels == 3
    assert settings.current().device == "cpu"
    assert file.stat().st_mode & 0o777 == 0o600
    assert settings.sources()["device"] == "file"
    settings.save({"megapixels": None})
    assert settings.current() == settings.Settings(device="cpu")


@pytest.mark.parametrize(("name", "value", "words"), [
    ("device", "gpu", "auto, cpu"), ("device", 3, "text"), ("megapixels", 0, "whole number"),
    ("megapixels", "12", "whole number"), ("megapixels", True, "whole number"),
    ("theme", "blue", "auto, light"), ("reviewer", "a\x1b[31m", "visible"),
    ("roots", ["data"], "no folder"), ("roots", ["/no/such/folder"], "no folder"),
    ("roots", "/data", "list"), ("port", 1, "no setting"),
])  # fmt: skip
def test_a_wrong_value_is_refused_and_nothing_is_written(
    file: Path, name: str, value: object, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        settings.save({"theme": "dark", name: value})
    assert not file.exists()


def test_the_environment_wins_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.save({"device": "cuda", "theme": "dark"})
    monkeypatch.setenv("TRIGGERLENS_DEVICE", "cpu")
    assert settings.current() == settings.Settings(device="cpu", theme="dark")
    assert settings.sources()["device"] == "environment"
    with pytest.raises(OptionError, match="TRIGGERLENS_DEVICE is set"):
        settings.save({"device": "auto"})
    monkeypatch.setenv("TRIGGERLENS_MEGAPIXELS", "many")
    with pytest.raises(OptionError, match="TRIGGERLENS_MEGAPIXELS: Megapixels must be"):
        settings.current()


def test_a_file_that_is_damaged_or_that_others_may_write_is_refused(file: Path) -> None:
    settings.save({"theme": "dark"})
    file.chmod(0o666)
    with pytest.raises(OptionError, match="Others may write"):
        settings.current()
    file.chmod(0o600)
    file.write_text("{")
    with pytest.raises(OptionError, match="holds no settings"):
        settings.current()


def test_a_root_that_vanished_later_breaks_nothing_but_what_lay_there(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    settings.save({"roots": [str(gone)]})
    gone.rmdir()
    assert settings.current().roots == (str(gone),)


def test_pictures_over_the_limit_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (1100, 1000)).save(tmp_path / "p.png")
    ref = ImageRef(root=tmp_path, path="p.png")
    assert open_image(ref).size == (1100, 1000)
    settings.save({"megapixels": 1})
    with pytest.raises(DataError, match="over the limit of 1,000,000"):
        open_image(ref)


def test_data_and_models_outside_the_roots_are_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        (folder / "a").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "a" / "p.png")
    (inside / "link").symlink_to(outside)
    settings.save({"roots": [str(inside)]})
    assert open_dataset(f"imagefolder:{inside}").path == inside
    assert parse_model_uri(str(inside)).folder == inside
    for place in (outside, inside / "link", inside / ".." / "out"):
        with pytest.raises(OptionError, match="outside the folders"):
            open_dataset(f"imagefolder:{place}")
        with pytest.raises(OptionError, match="outside the folders"):
            parse_model_uri(str(place))


def test_the_audit_trail_names_who_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "machine")
    assert account() == "machine"
    settings.save({"reviewer": "Ana"})
    assert account() == "Ana"
    with acting_as("ben"):
        assert account() == "ben"
        with acting_as(None):
            assert account() == "ben"
    assert account() == "Ana"


def test_the_device_of_the_settings_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from forensics.errors import ModelError
    from forensics.models.device import pick_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert pick_device().type == "cuda"
    settings.save({"device": "cpu"})
    assert pick_device().type == "cpu"
    assert pick_device("cuda:1").index == 1  # what is asked for goes before
    settings.save({"device": "cuda:1"})
    with pytest.raises(ModelError, match="no such device"):
        pick_device()


def test_a_warm_worker_follows_a_changed_device() -> None:
    from forensics.worker.models import ModelCache

    loaded: list[str] = []
    cache = ModelCache(load=lambda uri: loaded.append(settings.current().device) or uri)
    for device in ("auto", "auto", "cpu"):
        settings.save({"device": device})
        assert cache.get("model") == "model"
    assert loaded == ["auto", "cpu"]
    assert os.environ.get("TRIGGERLENS_DEVICE") is None
