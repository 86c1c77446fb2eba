"""``forensics app``: logins are made by hand, and without one others are not served."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics.cli.app import app
from forensics.errors import OptionError
from forensics.ui.login import people

GOOD = "four plain words here"


@pytest.fixture(autouse=True)
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "users"
    monkeypatch.setenv(people.FILE, str(path))
    monkeypatch.delenv(people.ENTRIES, raising=False)
    return path


def test_a_password_is_asked_for_twice_and_not_shown(users: Path) -> None:
    done = CliRunner().invoke(app, ["--add-user", "ana"], input=f"{GOOD}\n{GOOD}\n")
    assert done.exit_code == 0, done.output
    assert GOOD not in done.output
    assert GOOD not in users.read_text()
    assert people.People().entries()["ana"].fits(GOOD)
    changed = CliRunner().invoke(app, ["--add-user", "ana"], input=f"{GOOD}!\n{GOOD}!\n")
    assert "new password" in changed.output


def test_two_different_passwords_are_none(users: Path) -> None:
    typed = f"{GOOD}\nsomething else entirely\n"
    assert CliRunner().invoke(app, ["--add-user", "ana"], input=typed).exit_code != 0
    assert not users.exists()


def test_a_login_is_taken_away() -> None:
    people.add_person("ana", GOOD)
    assert CliRunner().invoke(app, ["--remove-user", "ana"]).exit_code == 0
    assert dict(people.People().entries()) == {}


@pytest.mark.parametrize("options", [
    ["--host", "0.0.0.0"], ["--allow-host", "lens.example.org"], ["--tls-proxy"],
])  # fmt: skip
def test_others_are_not_served_without_logins(options: list[str]) -> None:
    done = CliRunner().invoke(app, [*options, "--port", "1"])
    assert isinstance(done.exception, OptionError)
    assert "forensics app --add-user NAME" in done.exception.remedy


def test_a_star_is_no_name_of_a_host() -> None:
    people.add_person("ana", GOOD)
    done = CliRunner().invoke(app, ["--allow-host", "*", "--port", "1"])
    assert isinstance(done.exception, OptionError)
    assert "not the name of a host" in done.exception.message


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("")
    done = CliRunner().invoke(app, ["--tls-cert", str(tmp_path / "cert.pem")])
    assert done.exit_code == 2
    assert "belong together" in done.output
