"""The printable page: what stands on it, what must not, and that it needs nothing from anywhere."""

import html
import re
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.errors import CaseError, InputError
from forensics.teaching.lessons import lesson_of, make_lesson
from forensics.teaching.plans import LessonPlan
from forensics.teaching.scoring import known_truth
from forensics.teaching.worksheet import MOST, worksheet, write_worksheet
from tests.teaching.conftest import COUNT, draw_scan

HOSTILE = "</style><script>alert(1)</script><img src=http://evil.example/x>"


def test_the_sheet_without_answers_gives_nothing_away(fresh: Case) -> None:
    draw_scan(fresh)
    sheet = worksheet(fresh)
    assert sheet.count("data:image/png;base64,") == MOST
    assert "<svg" in sheet and "Layer 1, nats" in sheet
    assert known_truth(fresh).trigger not in sheet and "poisoned</td>" not in sheet
    assert "Answer." not in sheet


def test_the_sheet_with_answers_marks_the_poisoned_ones(lesson: Case) -> None:
    sheet = html.unescape(worksheet(lesson, answers=True))
    truth = known_truth(lesson)
    shown = lesson_of(lesson).shown[:MOST]  # type: ignore[union-attr]
    numbers = [str(k) for k, name in enumerate(shown, start=1) if name in truth.samples]
    assert truth.trigger in sheet and truth.target in sheet
    assert f"On this sheet: {', '.join(numbers)}." in sheet
    assert sheet.count('class="bad"') == len(numbers) > 0


def test_an_honest_case_says_so_in_its_answers(honest: Case) -> None:
    assert "Nothing is planted here" in worksheet(honest, answers=True)


def test_nothing_is_fetched_and_nothing_runs(lesson: Case) -> None:
    sheet = html.unescape(worksheet(lesson, answers=True))
    sheet = re.sub(r"base64,[\w+/=]+", "base64,", sheet)
    assert re.findall(r"(?:https?:)?//[\w.]", sheet) == []
    assert "<script" not in sheet and "default-src 'none'" in sheet
    assert set(re.findall(r'src="([a-z]+:)', sheet)) == {"data:"}


def test_hostile_titles_and_targets_are_text(tmp_path: Path) -> None:
    plan = LessonPlan(samples=COUNT, seed=5, title=HOSTILE, target=HOSTILE[:58])
    sheet = worksheet(make_lesson(tmp_path / "case", plan), answers=True)
    assert "<script" not in sheet and "<img src=http" not in sheet
    assert "&lt;script&gt;" in sheet
    assert sheet.count("</style>") == 1


def test_a_case_of_which_nobody_knows_the_truth_makes_no_sheet(
    fresh: Case, lesson: Case, tmp_path: Path
) -> None:
    for name in ("known.json", "lesson.json"):
        (fresh.folder / name).unlink()
    with pytest.raises(CaseError, match="Nobody knows"):
        worksheet(fresh)
    with pytest.raises(InputError, match="no folder"):
        write_worksheet(lesson, tmp_path / "nowhere" / "sheet.html")
    assert write_worksheet(lesson, tmp_path / "sheet.html").stat().st_size > 10_000
