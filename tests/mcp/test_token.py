"""Where the token comes from, and who may know it."""

import stat
from pathlib import Path

import pytest

from forensics.errors import InputError, OptionError
from forensics.mcp.token import VARIABLE, find_token, is_same

TOKEN = "x" * 40


def test_a_new_token_is_long_and_different_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (one, new), (two, _) = find_token(None), find_token(None)
    assert new and one != two and len(one) >= 40


def test_a_file_is_made_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    made, told = find_token(file)
    assert not told and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert find_token(file) == (made, False)
    file.chmod(0o640)
    with pytest.raises(OptionError, match="chmod 600"):
        find_token(file)


def test_the_environment_names_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, f" {TOKEN}\n")
    assert find_token(None) == (TOKEN, False)
    for bad in ("", "short", "y" * 31, "z" * 40 + " z", "é" * 40):
        monkeypatch.setenv(VARIABLE, bad)
        with pytest.raises(OptionError, match="32 or more"):
            find_token(None)
    with pytest.raises(InputError, match="cannot be written"):
        find_token(tmp_path / "no" / "folder")


@pytest.mark.parametrize("given", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\udcff" * 40])
def test_only_the_same_token_is_the_same(given: str) -> None:
    assert is_same(TOKEN, TOKEN) and not is_same(given, TOKEN)
