"""What is kept of passwords, and where."""

import hashlib
import os
from pathlib import Path

import pytest

from forensics.errors import OptionError
from forensics.ui.login import passwords, people
from forensics.ui.login.passwords import make_entry, read_entry

QUICK = (2**4, 1, 1)
GOOD = "four plain words here"


@pytest.fixture(autouse=True)
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "users"
    monkeypatch.setenv(people.FILE, str(path))
    monkeypatch.delenv(people.ENTRIES, raising=False)
    monkeypatch.setattr(passwords.make_entry, "__defaults__", (QUICK,))
    return path


def test_what_is_kept_is_scrypt_of_the_password_and_nothing_else_fits() -> None:
    entry = read_entry(str(make_entry("ana", GOOD)))
    expected = hashlib.scrypt(GOOD.encode(), salt=entry.salt, n=16, r=1, p=1, dklen=32)
    assert entry.key == expected
    assert entry.fits(GOOD)
    assert not any(entry.fits(text) for text in ("", GOOD + " ", GOOD.upper(), str(entry)))
    assert GOOD not in str(entry)


def test_the_cost_is_what_owasp_asks_for() -> None:
    assert passwords.COST == (32768, 8, 3)


def test_two_entries_of_one_password_differ() -> None:
    assert make_entry("ana", GOOD).key != make_entry("ana", GOOD).key


def test_letters_fit_however_they_were_typed() -> None:
    assert make_entry("ana", "Zürich im März").fits("Zu\u0308rich im Ma\u0308rz")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "../x", "a" * 61, "-a", "a\nb"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="name of a login"):
        make_entry(name, GOOD)


@pytest.mark.parametrize("password", ["", "nine long", "x" * 1025])
def test_a_password_is_neither_short_nor_endless(password: str) -> None:
    with pytest.raises(OptionError, match="10 to 1,024"):
        make_entry("ana", password)


@pytest.mark.parametrize("line", [
    "ana", "ana:secret", "ana:scrypt$16$1$1$!$!", "ana:scrypt$15$1$1$c2FsdHNhbHRzYWx0c2FsdA==$aw==",
    "ana:scrypt$1073741824$8$1$c2FsdHNhbHRzYWx0c2FsdA==$" + "A" * 43 + "=",
    "ana:md5$16$1$1$c2FsdHNhbHRzYWx0c2FsdA==$" + "A" * 43 + "=",
])  # fmt: skip
def test_a_damaged_line_is_refused_and_not_repeated(line: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_entry(line)
    assert "secret" not in str(caught.value)


def test_a_login_is_added_changed_and_taken_away(users: Path) -> None:
    book = people.People()
    assert dict(book.entries()) == {}
    assert people.add_person("ana", GOOD)
    assert people.add_person("ben", GOOD)
    assert users.stat().st_mode & 0o777 == 0o600
    assert not people.add_person("ana", "another set of words")
    assert book.entries()["ana"].fits("another set of words")
    people.remove_person("ana")
    assert set(book.entries()) == {"ben"}
    with pytest.raises(OptionError, match="has no login"):
        people.remove_person("ana")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(users: Path, mode: int) -> None:
    people.add_person("ana", GOOD)
    users.chmod(mode)
    with pytest.raises(OptionError, match=f"chmod 600 {users}"):
        people.People().entries()


def test_a_file_that_went_bad_lets_nobody_in(users: Path) -> None:
    book = people.People()
    people.add_person("ana", GOOD)
    assert "ana" in book.entries()
    users.chmod(0o644)
    for _ in range(2):  # not from memory the second time either
        with pytest.raises(OptionError):
            book.entries()


def test_a_folder_or_a_pipe_is_no_file_of_logins(users: Path) -> None:
    users.mkdir(parents=True)
    with pytest.raises(OptionError):
        people.People().entries()


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    people.add_person("ana", GOOD)
    entries = f"{make_entry('cleo', GOOD)}  {make_entry('dan', GOOD)}"
    monkeypatch.setenv(people.ENTRIES, entries)
    assert set(people.People().entries()) == {"cleo", "dan"}
    assert os.environ[people.ENTRIES] == entries
