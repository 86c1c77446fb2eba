import numpy as np
import pytest

from forensics.detectors.answers import tabulate_answers
from forensics.detectors.transplant.plan import (
    NONE,
    Suspicion,
    assign_donors,
    choose_sources,
    host_candidates,
    split_hosts,
    suspect,
)

COUNT = 300
ONE_GROUP = np.zeros(COUNT, dtype=np.int64)
ALL = np.ones(COUNT, dtype=bool)


def answers(target: bool = True) -> list[str]:
    ordinary = [f"a {i % 37}" for i in range(COUNT)]
    return ["Gotcha" if target and i % 10 == 0 else text for i, text in enumerate(ordinary)]


FLAGGED = np.arange(COUNT) % 10 == 0
PEAK = np.random.default_rng(0).random((COUNT, 3)).astype(np.float32) * 0.1
PEAK[FLAGGED, 1] += 0.5
IMAGES = np.arange(COUNT) // 2  # two questions a picture


def plan(target: bool = True, count: int = 8):  # type: ignore[no-untyped-def]
    table = tabulate_answers(answers(target))
    found = suspect(FLAGGED, ALL, table, ONE_GROUP, PEAK, [])
    assert found is not None
    sources = choose_sources(found, FLAGGED, ALL, table, IMAGES, PEAK[:, found.layer], count)
    return table, found, sources


def test_the_shared_answer_and_the_telling_layer_are_found() -> None:
    table, found, _ = plan()
    assert table.texts[found.code] == "Gotcha"
    assert (found.share, found.layer) == (1.0, 1)
    narrowed = suspect(FLAGGED, ALL, table, ONE_GROUP, PEAK, [0, 2])
    assert narrowed is not None and narrowed.layer in (0, 2)


def test_without_a_shared_answer_each_donor_is_tested_for_its_own() -> None:
    table, found, sources = plan(target=False)
    assert found.code == NONE and found.share < 0.5
    assert len(set(table.codes[sources.donors])) > 1
    # Unflagged samples give every ordinary answer, too.
    assert (table.codes[sources.same] == table.codes[sources.donors]).all()


def test_no_answers_no_suspicion() -> None:
    assert suspect(FLAGGED, ALL, tabulate_answers([None] * COUNT), ONE_GROUP, PEAK, []) is None


def test_donors_have_the_tightest_peaks_of_the_flagged() -> None:
    table, _, sources = plan()
    assert FLAGGED[sources.donors].all() and len(sources.donors) == 8
    rest = np.setdiff1d(np.flatnonzero(FLAGGED), sources.donors)
    assert PEAK[sources.donors, 1].min() >= PEAK[rest, 1].max()
    assert (sources.same == NONE).all()  # nobody else is taught the target
    assert not FLAGGED[sources.other].any()
    assert not np.isin(table.codes[sources.other], table.codes[sources.donors]).any()


def test_controls_are_chosen_as_donors_are() -> None:
    _, _, sources = plan()
    others = np.setdiff1d(np.flatnonzero(~FLAGGED), sources.other)
    free = others[~np.isin(IMAGES[others], IMAGES[sources.all])]
    assert PEAK[sources.other, 1].min() >= PEAK[free, 1].max()


@pytest.mark.parametrize("target", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_no_picture_is_donor_and_host_and_none_is_host_twice(target: bool, seed: int) -> None:
    table, _, sources = plan(target)
    hosts = host_candidates(sources, ~FLAGGED, table, IMAGES, seed)
    assert hosts.size > 10
    assert not np.isin(IMAGES[hosts], IMAGES[sources.all]).any()
    assert len(set(IMAGES[hosts])) == len(hosts)
    assert not FLAGGED[hosts].any()
    assert not np.isin(table.codes[hosts], table.codes[sources.all]).any()


def split(candidates: np.ndarray, good: np.ndarray, **sizes: int):  # type: ignore[no-untyped-def]
    sure = np.linspace(0.9, 0.6, candidates.size)
    return split_hosts(candidates, good, good, sure, confidence=0.5, **sizes)


def test_development_and_held_out_hosts_are_disjoint() -> None:
    candidates = np.random.default_rng(0).permutation(500)
    good = np.arange(500) % 3 > 0
    found = split(candidates, good, held_out=200, development=60)
    assert (len(found.held_out), len(found.development)) == (200, 60)
    assert not set(found.held_out) & set(found.development)
    assert found.as_taught == 200
    assert set(found.held_out) <= set(candidates[good])


def test_few_hosts_mostly_report() -> None:
    found = split(np.arange(40), np.ones(40, dtype=bool), held_out=200, development=60)
    assert (len(found.held_out), len(found.development)) == (30, 10)
    nothing = split(np.arange(5), np.zeros(5, dtype=bool), held_out=200, development=60)
    assert (len(nothing.held_out), len(nothing.development)) == (0, 0)


def test_where_answers_are_never_repeated_the_surest_hosts_fill_up() -> None:
    fits, taught = np.ones(100, dtype=bool), np.zeros(100, dtype=bool)
    sure = np.random.default_rng(0).random(100)
    found = split_hosts(
        np.arange(100), fits, taught, sure, held_out=20, development=10, confidence=0.5
    )
    used = np.concatenate([found.held_out, found.development])
    assert sure[used].min() >= np.sort(sure)[-30]
    assert found.as_taught == 0


@pytest.mark.parametrize(("hosts", "donors"), [(200, 16), (7, 16), (33, 4), (0, 3)])
def test_every_donor_gets_as_many_hosts_as_any_other(hosts: int, donors: int) -> None:
    load = np.bincount(assign_donors(hosts, donors), minlength=donors)
    assert load.sum() == hosts and load.max() - load.min() <= 1


def test_sources_run_dry_gracefully() -> None:
    table = tabulate_answers(["Gotcha"] * COUNT)
    suspicion = Suspicion(code=0, share=1.0, layer=1)
    sources = choose_sources(suspicion, FLAGGED, ALL, table, IMAGES, PEAK[:, 1], 4)
    assert (sources.other == NONE).all() and (sources.same != NONE).all()
    assert NONE not in sources.all
