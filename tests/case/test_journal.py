import sqlite3
import threading

import pytest

from forensics.case import Journal
from forensics.errors import CaseError
from tests.case.making import HOSTILE, make_case


def test_the_audit_trail_says_who_did_what_when_with_which_version(tmp_path):
    case = make_case(tmp_path)
    case.journal.record("move-cut", who="ada", tau=0.5, run="20261121-081530-bye-3f2a")
    created, moved = case.journal.entries()
    assert (created.what, created.detail["model"]) == ("create", str(tmp_path / "model"))
    assert (moved.who, moved.detail["tau"], moved.version) == ("ada", 0.5, "0.1.0")
    assert moved.at > created.at and moved.at.endswith("+00:00")
    assert [entry.id for entry in case.journal.entries("move-cut")] == [moved.id]


def test_the_latest_decision_of_a_sample_holds_and_can_be_taken_back(tmp_path):
    journal = Journal(tmp_path / "case.sqlite")
    journal.decide("s1", "flag", note=HOSTILE, by="ada")
    journal.decide("s2", "keep")
    journal.decide("s2", "unsure")
    journal.decide("s3", "keep")
    journal.decide("s3", "")
    held = Journal(tmp_path / "case.sqlite").decisions()
    assert {sample: made.verdict for sample, made in held.items()} == {"s1": "flag", "s2": "unsure"}
    assert held["s1"].note == HOSTILE
    with pytest.raises(CaseError, match="no verdict"):
        journal.decide("s1", "'; DROP TABLE decisions; --")


def test_many_writers_lose_nothing(tmp_path):
    def write(name):
        journal = Journal(tmp_path / "case.sqlite")
        for step in range(10):
            journal.record("step", who=name, step=step)

    Journal(tmp_path / "case.sqlite").record("first")
    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Journal(tmp_path / "case.sqlite").entries("step")) == 40


def test_a_newer_or_damaged_database_is_refused_in_words(tmp_path):
    path = tmp_path / "case.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(CaseError, match="schema 7"):
        Journal(path).entries()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(CaseError, match="cannot be used"):
        Journal(path).entries()
