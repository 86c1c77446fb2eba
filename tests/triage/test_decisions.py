"""What people decide: batches, notes, taking back, and how far two people agree."""

import sqlite3
from math import isnan

import pytest

from forensics.case import Journal
from forensics.case.standing import standing
from forensics.errors import CaseError
from forensics.statistics.agreement import agreement
from forensics.triage.summary import summarise

EVIL = '<img src=x onerror="alert(1)">${7*7}=HYPERLINK("x")'


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "case.sqlite")


def held(journal):
    return standing(journal.decisions_after(0))


def test_kappa_is_that_of_a_table_computed_by_hand():
    # 20 keep/keep, 5 keep/flag, 10 flag/keep, 15 flag/flag: raw 35/50, chance .5 * .6 + .5 * .4.
    first = ["keep"] * 25 + ["flag"] * 25
    second = ["keep"] * 20 + ["flag"] * 5 + ["keep"] * 10 + ["flag"] * 15
    found = agreement(first, second)
    assert (found.n, found.same, found.raw, found.chance) == (50, 35, 0.7, 0.5)
    assert found.kappa == pytest.approx(0.4, abs=1e-12)
    assert found.low < 0.7 < found.high


def test_kappa_is_undefined_where_only_one_verdict_was_given_and_negative_below_chance():
    assert isnan(agreement(["flag"] * 3, ["flag"] * 3).kappa)
    assert isnan(agreement([], []).raw)
    assert agreement(["keep", "flag"], ["flag", "keep"]).kappa == -1.0
    with pytest.raises(ValueError):
        agreement(["keep"], [])


def test_a_batch_is_one_action_and_taking_it_back_restores_what_held(journal):
    journal.decide("a", "flag", note="looks odd", by="ada")
    assert journal.decide_many(["a", "b", "c"], "keep", by="ada", thresholds={"x": 0.5}) == 3
    assert held(journal).verdicts() == {"a": "keep", "b": "keep", "c": "keep"}
    assert held(journal).opinions["a"]["ada"].note == "looks odd"  # a verdict keeps the note
    assert journal.undo("ada") == ["a", "b", "c"]
    assert held(journal).verdicts() == {"a": "flag"}
    assert journal.undo("ada") == ["a"]
    assert held(journal).verdicts() == {} and journal.undo("ada") == []
    told = [(entry.what, entry.detail["n"], entry.version) for entry in journal.entries()]
    assert told == [("decide", 1, "0.1.0"), ("decide", 3, "0.1.0"), ("undo", 3, "0.1.0"),
                    ("undo", 1, "0.1.0")]  # fmt: skip
    assert journal.entries("decide")[1].detail["thresholds"] == {"x": 0.5}
    assert len(journal.every_decision()) == 8  # appended, never deleted


def test_one_takes_back_only_ones_own_decisions(journal):
    journal.decide("a", "flag", by="ada")
    journal.decide("a", "keep", by="bob")
    assert journal.undo("ada") == ["a"]
    assert held(journal).verdicts() == {"a": "keep"}
    journal.decide("a", "unsure", by="ada")
    assert journal.undo("ada") == ["a"] and journal.undo("ada") == []
    assert held(journal).opinions["a"].keys() == {"bob"}


def test_two_people_who_differ_disagree_whoever_spoke_last(journal):
    journal.decide("a", "flag", by="ada")
    journal.decide("a", "keep", by="bob")
    assert held(journal).effective("a") == "disagreement"
    journal.decide("a", "flag", by="bob")
    assert held(journal).effective("a") == "flag"


def test_a_note_needs_no_verdict_and_a_verdict_must_be_one(journal):
    journal.decide_many(["a"], None, note=EVIL, by="ada")
    told = summarise(held(journal), 3)
    assert told.notes == (("a", "ada", EVIL),) and told.counts["undecided"] == 3
    journal.decide("a", "flag", by="ada")
    journal.decide_many(["a"], None, note="", by="ada")
    assert held(journal).opinions["a"]["ada"].note == ""
    assert held(journal).effective("a") == "flag"
    with pytest.raises(CaseError, match="no verdict"):
        journal.decide_many(["a", "b"], "suspicious", by="ada")
    assert "b" not in held(journal).opinions


def test_the_summary_counts_people_agreement_and_disagreements(journal):
    journal.decide_many(["a", "b", "c"], "flag", by="ada")
    journal.decide_many(["d"], "unsure", by="ada")
    journal.decide_many(["a", "b"], "flag", by="bob")
    journal.decide_many(["c", "d"], "keep", by="bob")
    told = summarise(held(journal), 10)
    assert told.counts == {"keep": 0, "flag": 2, "unsure": 0, "disagreement": 2, "undecided": 6}
    assert [(one.name, one.decided) for one in told.reviewers] == [("ada", 4), ("bob", 4)]
    (pair,) = told.pairs
    # By hand: 2 of 4 agree; chance (3 * 2 + 0 * 2 + 1 * 0) / 16 = 0.375; kappa = 0.125 / 0.625.
    assert (pair.agreement.n, pair.agreement.raw) == (4, 0.5)
    assert pair.agreement.kappa == pytest.approx(0.2)
    assert pair.table["flag"] == {"keep": 1, "flag": 2, "unsure": 0}
    assert told.disagreements == (("c", {"ada": "flag", "bob": "keep"}),
                                  ("d", {"ada": "unsure", "bob": "keep"}))  # fmt: skip
    assert "disagree on 2" in told.sentence and "kappa 0.20" in pair.sentence


def test_a_journal_of_the_first_release_is_read_and_goes_on(tmp_path):
    path = tmp_path / "case.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, at VARCHAR NOT NULL, who VARCHAR NOT NULL,"
            " what VARCHAR NOT NULL, detail JSON NOT NULL, version VARCHAR NOT NULL);"
            "CREATE TABLE decisions (id INTEGER PRIMARY KEY, sample VARCHAR NOT NULL, verdict "
            'VARCHAR NOT NULL, note VARCHAR NOT NULL, "by" VARCHAR NOT NULL, at VARCHAR NOT NULL);'
            "INSERT INTO decisions VALUES (1, 'a', 'flag', '', 'ada', '2026-01-01T00:00:00+00:00');"
            "PRAGMA user_version = 1;"
        )
    old.close()
    journal = Journal(path)
    journal.decide("a", "keep", by="bob")
    assert held(journal).effective("a") == "disagreement"
    assert journal.undo("ada") == []  # no action of the audit trail leads to it
