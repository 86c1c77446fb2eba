"""The queue: what each channel says, the order, the reasons, the neighbours, the filters."""

from types import SimpleNamespace

import numpy as np
import pytest

from forensics.case import Case, Journal
from forensics.errors import CaseError, OptionError
from forensics.export.scan import explain
from forensics.triage.channels import Channel, rank_shares
from forensics.triage.desk import LENIENT, NO_FEATURES, Desk, View
from forensics.triage.findings import Findings, gather
from forensics.triage.neighbours import features_of
from forensics.triage.reasons import reason_sentence
from tests.drawn_map import write_map
from tests.triage import review_case as made
from tests.ui import synthetic

ADA, BOB = View("ada"), View("bob")


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    case, run = made.make(tmp_path_factory.mktemp("queue") / "case")
    return SimpleNamespace(case=case, run=run)


def channel(key, values, flagged, verdict="suspicious", **more):
    value = np.asarray(values, dtype=np.float64)
    told = {"rows": np.arange(value.size), "higher": True, "cut": None, "ranks_only": False} | more
    return Channel(key=key, title=key.capitalize(), run=f"run-{key}", verdict=verdict, value=value,
                   share=rank_shares(value, higher=told["higher"]), unit="", meaning="",
                   flagged=np.isin(np.arange(value.size), flagged),
                   reason=lambda place: f"{key} {value[place]:g}", **told)  # fmt: skip


def findings(*channels, n=6):
    return Findings(SimpleNamespace(catalog=range(n)), channels)


def test_a_place_counts_from_the_innocent_end_and_ties_share_it():
    assert rank_shares(np.array([3.0, 1.0, 2.0, np.nan]), higher=True)[:3] == pytest.approx(
        [5 / 6, 1 / 6, 3 / 6])  # fmt: skip
    assert rank_shares(np.array([3.0, 1.0, 1.0]), higher=False) == pytest.approx(
        [1 / 6, 4 / 6, 4 / 6])  # fmt: skip
    assert np.isnan(rank_shares(np.array([np.nan]), higher=True)).all()


def test_upheld_flags_come_first_then_more_flags_then_strength_then_the_row():
    found = findings(
        channel("a", [9, 8, 7, 1, 1, 1], [0, 1], verdict="inconclusive"),
        channel("b", [9, 8, 7, 1, 1, 1], [0, 1], verdict="inconclusive"),
        channel("c", [0, 1, 2, 2, 0, 0], [2]),
        channel("d", [9, 9, 0, 0, 0, 0], [], ranks_only=True),
    )
    # 2: one flag that its scan upholds. 0 and 1: two flags each, 0 the stronger. 3 by strength.
    assert found.order.tolist() == [2, 0, 1, 3, 4, 5]
    assert found.flags.tolist() == [2, 2, 1, 0, 0, 0] and found.upheld.tolist()[:3] == [0, 0, 1]
    assert found.order_of(0).tolist() == [0, 1, 2, 3, 4, 5]
    assert found.order_of(3).tolist() == [0, 1, 2, 3, 4, 5]
    assert reason_sentence(found, 0) == "Flagged by 2 of 3 checks: a (a 9); b (b 9)."
    assert reason_sentence(found, 3).startswith(
        "None of 3 checks flags it; it stands out most by c"
    )
    assert reason_sentence(findings(), 3) == "No finished run looked at this sample."


def test_the_entropy_channel_repeats_the_scan_word_for_word(scanned):
    found = gather(scanned.case)
    (one,) = found.channels
    result = scanned.run.result()
    assert one.flagged.sum() == result["flagged"] == 24 and one.upheld and not one.higher
    assert one.cut == result["modes"]["root"]["cut"]
    assert (one.value[one.flagged] < one.cut).all()
    reasons = explain(scanned.case, scanned.run)[1]
    for place in (0, 1, 10, 57, 239):
        assert one.reason(place) == reasons.reason(place)
    assert set(found.order[:24]) == set(np.flatnonzero(one.flagged))
    assert reason_sentence(found, 0).startswith("Flagged by 1 of 1 check: attention entropy (6")
    assert found.order.tolist() == gather(scanned.case).order.tolist()


def test_neighbours_are_the_nearest_by_hand_and_none_of_them_is_suspected(tmp_path):
    case, _ = made.make(tmp_path / "case")
    desk, features = Desk(case), features_of(case)
    flagged = desk.findings.flags > 0
    near, note = desk.neighbours(0)
    likeness = features.unit @ features.unit[0]
    likeness[flagged] = -np.inf
    expected = np.argsort(-likeness, kind="stable")[:3]
    assert [row for row, _ in near] == expected.tolist() and note == ""
    assert near[0][1] == pytest.approx(likeness[expected[0]], abs=1e-6)
    # A person's flag counts as well, whoever it is, and taking it back ends it.
    case.journal.decide(str(case.catalog.ids[expected[0]]), "flag", by="bob")
    assert expected[0] not in [row for row, _ in desk.neighbours(0)[0]]
    desk.undo(BOB)
    assert [row for row, _ in desk.neighbours(0)[0]] == expected.tolist()
    assert 5 not in [row for row, _ in desk.neighbours(5)[0]]


def test_where_inconclusive_scans_flag_nearly_all_their_flags_do_not_count(tmp_path):
    case, _ = made.make(tmp_path / "case")
    made.allocation(case, list(range(230)))
    near, note = Desk(case).neighbours(0)
    assert note == LENIENT and len(near) == 3
    upheld = np.flatnonzero(np.arange(made.COUNT) % 10 == 0)
    assert not set(upheld) & {row for row, _ in near}


def test_every_kind_of_run_becomes_a_channel(tmp_path):
    case, _ = made.make(tmp_path / "case")
    made.allocation(case, [0, 3])
    made.masked(case, [0, 3, 7], [1.0, 0.25, 0.5])
    made.transplant(case, {0: 4, 10: 1})
    write_map(case)
    found = gather(case)
    by_key = {one.key: one for one in found.channels}
    flagging = {"attention-entropy", "attention-allocation", "transplant"}
    assert set(by_key) >= flagging | {"masked-views", "clusters.density_ratio"}
    hits = by_key["transplant"]
    assert hits.value.tolist() == [1.0, 0.25] and hits.flagged.tolist() == [True, False]
    assert by_key["masked-views"].ranks_only and not by_key["masked-views"].flagged.any()
    assert by_key["attention-allocation"].cut == 0.5
    # Of the three that flag one row, two are upheld: it comes first.
    assert found.order[0] == 0 and found.flags[0] == 3
    told = reason_sentence(found, 0)
    assert told.startswith("Flagged by 3 of 3 checks: ") and "vote 0.90" in told
    assert "pasted into 4 unsuspected pictures, gave “banana alert” on 4" in told
    assert by_key["masked-views"].reason(0).endswith("more than in 100 % of random controls")
    assert found.thresholds()["attention-allocation"]["cut"] == 0.5


def test_a_test_with_donors_taken_by_force_is_no_evidence(tmp_path):
    case, _ = made.make(tmp_path / "case", 40)
    made.transplant(case, {0: 4}, forced=12)
    assert [one.key for one in gather(case).channels] == ["attention-entropy"]


def test_a_damaged_run_is_left_out_and_named(tmp_path):
    case, _ = made.make(tmp_path / "case", 40)
    run = made.allocation(case, [0])
    (run.folder / "scores.parquet").write_bytes(b"not a table")
    found = gather(case)
    assert [one.key for one in found.channels] == ["attention-entropy"]
    assert "Attention allocation is left out" in found.problems[0]
    made.masked(case, [4000], [1.0])
    assert "not of this case" in gather(case).problems[1]


def test_filters_follow_decisions_and_who_looks(tmp_path):
    case, _ = made.make(tmp_path / "case")
    desk = Desk(case)
    rows = desk.queue(ADA)
    assert rows.size == 24 and desk.queue(ADA, shown="all").size == made.COUNT
    desk.decide(rows[:3], "flag", ADA)
    desk.decide(rows[2:4], "keep", BOB)
    assert desk.queue(ADA, shown="flag").tolist() == rows[:2].tolist()
    assert desk.queue(ADA, shown="disagreement").tolist() == [rows[2]]
    assert desk.queue(ADA, shown="undecided").size == made.COUNT - 4
    counts = desk.counts(ADA)
    assert counts["suspected_decided"] == 4 and counts["disagreement"] == 1
    # Blind, nobody else is seen: neither verdicts nor that there is a disagreement.
    alone = View("bob", blind=True)
    assert desk.queue(alone, shown="keep").tolist() == rows[2:4].tolist()
    assert desk.counts(alone)["flag"] == 0 and desk.counts(alone)["disagreement"] == 0
    assert desk.queue(ADA, channel="attention-entropy").tolist() == rows.tolist()
    for wrong in ({"shown": "evil"}, {"channel": "evil"}):
        with pytest.raises(OptionError):
            desk.queue(ADA, **wrong)


def test_decisions_are_kept_with_the_cuts_they_went_by_or_not_at_all(tmp_path):
    case, run = made.make(tmp_path / "case", 40)
    desk = Desk(case)
    desk.decide([0], "flag", View("bob", blind=True), note=made.FORMULA)
    detail = case.journal.entries("decide")[-1].detail
    assert detail["thresholds"]["attention-entropy"]["run"] == run.id and detail["blind"] is True
    assert detail["thresholds"]["attention-entropy"]["cut"] == pytest.approx(3.0, abs=0.5)
    for rows, verdict, error in (([0, 40], "flag", OptionError), ([1], "evil", CaseError)):
        with pytest.raises(error):
            desk.decide(rows, verdict, ADA)
    assert len(case.journal.every_decision()) == 1


def test_the_desk_sees_what_other_processes_decide_and_finish(tmp_path):
    case, _ = made.make(tmp_path / "case", 40)
    desk = Desk(case)
    assert len(desk.findings.channels) == 1 and desk.findings is desk.findings
    Journal(case.folder / "case.sqlite").decide("s-00000", "unsure", by="cy")
    assert desk.counts(ADA)["unsure"] == 1
    made.allocation(case, [3])
    assert len(desk.findings.channels) == 2


def test_the_ground_truth_is_never_asked(tmp_path, monkeypatch):
    case, _ = made.make(tmp_path / "case", 40)
    monkeypatch.setattr(Case, "truth", lambda self: pytest.fail("the queue reads ground truth"))
    monkeypatch.setattr(Case, "known", lambda self: pytest.fail("the queue reads ground truth"))
    desk = Desk(case)
    assert desk.queue(ADA).size == 4 and desk.neighbours(0)[0] and desk.heat(0)["values"]


def test_where_no_features_were_kept_it_says_what_to_do(tmp_path):
    case = synthetic.make_case(tmp_path / "case", 24)
    made.allocation(case, [3])
    desk = Desk(case)
    assert desk.neighbours(3) == ([], NO_FEATURES) and desk.heat(3) is None
