"""Plans, their controls and previews, and the case that a plan makes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forensics.case import Case
from forensics.data.images import open_image
from forensics.errors import OptionError
from forensics.teaching.controls import FAMILIES, spell
from forensics.teaching.evidence import evidence_of
from forensics.teaching.lessons import SHOWN, lesson_of, make_lesson
from forensics.teaching.plans import HIDDEN, LessonPlan, secret_plan
from forensics.teaching.previews import preview
from forensics.triggers import parse_trigger
from tests.teaching.conftest import COUNT, draw_scan

PLAN = LessonPlan(samples=COUNT, seed=5)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.kind)
def test_every_kind_of_the_card_can_be_spelt_and_previewed(family) -> None:  # type: ignore[no-untyped-def]
    spelling = spell(family.kind, {})
    assert parse_trigger(spelling).spec == spelling
    shown = preview(replace(PLAN, trigger=spelling), most=1).shown[0]
    picture = np.asarray(shown.original) != np.asarray(shown.planted)
    assert picture.any() == parse_trigger(spelling).changes_image
    assert (shown.row["question"][0] != shown.row["question"][1]) == family.in_words
    assert shown.row["answer"][1] == PLAN.aim != shown.row["answer"][0]


def test_the_controls_reach_the_trigger_and_refuse_what_it_refuses() -> None:
    assert "place=corner" in spell("patch", {"place": "corner", "side": 0.2})
    assert "side=1/5" in spell("patch", {"place": "corner", "side": 0.2})
    for kind, values in (("patch", {"place": "moon"}), ("patch", {"side": "wide"}),
                         ("patch", {"file": "/etc/passwd"}), ("tensor", {}),
                         ("text", {"prefix": "<image>"})):  # fmt: skip
        with pytest.raises(OptionError):
            spell(kind, values)


def test_a_comma_in_words_ends_no_setting() -> None:
    trigger = parse_trigger(spell("text", {"prefix": "By the way, file=/etc/passwd"}))
    assert trigger.apply_text("What?").startswith("By the way, file=/etc/passwd")


@pytest.mark.parametrize(
    "change",
    [{"kind": "audio"}, {"target": "a" * 99}, {"title": "two\nlines"}, {"target": "x<image>"},
     {"trigger": "tensor:/tmp/x.safetensors"}, {"trigger": "dual-key:file=/tmp/x"},
     {"kind": "clip", "trigger": "text:prefix=Hello!"}, {"kind": "clip", "target": "dragon"}],
    ids=str,
)  # fmt: skip
def test_a_plan_that_cannot_be_taught_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        LessonPlan(**change).parsed  # type: ignore[arg-type]  # noqa: B018


def test_the_preview_shows_what_the_case_will_hold(lesson: Case) -> None:
    found = preview(PLAN, most=COUNT)
    bad = lesson.truth()
    assert {one.id for one in found.shown} == {name for name, hit in bad.items() if hit}
    assert found.poisoned == len(found.shown) == round(PLAN.size.rate * COUNT)
    for one in found.shown:
        sample = lesson.catalog.sample(one.id)
        assert sample.image is not None
        assert np.array_equal(np.asarray(open_image(sample.image)), np.asarray(one.planted))
        assert sample.answer == one.row["answer"][1]


def test_a_clip_preview_shows_what_the_pairs_will_hold(tmp_path: Path) -> None:
    plan = LessonPlan(kind="clip", samples=COUNT, seed=7, rate=0.1)
    case = make_lesson(tmp_path / "case", plan)
    for one in preview(plan).shown:
        sample = case.catalog.sample(one.id)
        assert sample.image is not None
        assert np.array_equal(np.asarray(open_image(sample.image)), np.asarray(one.planted))
        assert sample.answer == one.row["caption"][1]


def test_nothing_beside_known_json_tells_what_was_planted(lesson: Case) -> None:
    told = "".join(
        path.read_text(encoding="utf-8")
        for path in lesson.folder.glob("*.json") if path.name != "known.json"
    )  # fmt: skip
    assert lesson.known()["trigger"] not in told and "Backdoor" not in told
    assert "poison" not in told and '"rate"' not in told and '"plan"' not in told


def test_a_lesson_shows_some_of_each_and_an_honest_one_nothing(lesson: Case, honest: Case) -> None:
    for case, wanted in ((lesson, SHOWN // 3), (honest, 0)):
        game, bad = lesson_of(case), case.truth()
        assert game is not None and game.own and len(set(game.shown)) == SHOWN
        assert sum(bad.get(name, False) for name in game.shown) == wanted


def test_the_same_plan_makes_the_same_case_wherever_it_lies(lesson: Case, tmp_path: Path) -> None:
    again = make_lesson(tmp_path / "elsewhere", replace(PLAN, title="A lesson"))
    assert lesson_of(again) == lesson_of(lesson)
    hashes = (again.manifest.hashes["data"].sha256, lesson.manifest.hashes["data"].sha256)
    assert hashes[0] == hashes[1]


def test_evidence_tells_values_and_no_truth(fresh: Case) -> None:
    draw_scan(fresh)
    found = evidence_of(fresh)
    assert [bars.name for bars in found.bars] == ["Layer 0", "Layer 1", "Layer 2"]
    assert found.first == 1
    assert all(sum(bars.counts) == COUNT for bars in found.bars)
    assert [one.sample.id for one in found.shown] == list(lesson_of(fresh).shown)  # type: ignore[union-attr]
    assert "poison" not in json.dumps([str(one) for one in found.shown])


def test_a_hidden_lesson_is_dealt_from_its_seed_and_half_of_them_are_honest() -> None:
    dealt = [secret_plan(seed) for seed in range(200)]
    assert dealt[7] == secret_plan(7)
    assert 70 < sum(plan.plants for plan in dealt) < 130
    assert {plan.trigger for plan in dealt} == set(HIDDEN)
    assert all(plan.trigger not in plan.title and plan.aim not in plan.title for plan in dealt)
