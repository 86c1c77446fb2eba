"""Cases with finished runs of several kinds, and texts of every place that data reaches."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.runs import execute
from tests.ui import synthetic
from tests.ui.drawn_repairs import write_repair
from tests.ui.drawn_triggers import write_inversion

WHEN = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
COUNT = 60


@dataclass(frozen=True)
class Words:
    """What stands where data may stand: all harmless, or all hostile."""

    id: str
    question: str
    answer: str
    file: str
    title: str
    name: str
    note: str


PLAIN = Words("sample", "what is it", "a disc", "picture", "A case", "heart", "looks odd")
MARK = "pwned"
HOSTILE = Words(
    id=f"</td><script>window.{MARK}=1</script>",
    question=f"</script><!--<script>window.{MARK}=2",
    answer=f'<img src=x onerror=window.{MARK}=3>" onmouseover="window.{MARK}=4" x=\'',
    file=f"p<svg onload=window.{MARK}=5>",
    title=f"</title></style><script>window.{MARK}=6</script>{{{{ 7*7 }}}}",
    name=f"javascript:window.{MARK}=8//<iframe src=//{MARK}.example>",
    note=f"]]><a href=javascript:window.{MARK}=9>x</a>\u202e\x07\ud800",
)


def make_case(folder: Path, words: Words) -> Case:
    """Make a case with a scan, an inversion, a repair, a foreign run, decisions and notes."""
    case = synthetic.make_case(
        folder, COUNT, title=words.title, file_name=words.file, distinct_pictures=6,
        texts=lambda i: (f"{words.id}{i}", words.question, f"{words.answer}{i % 3}"),
    )  # fmt: skip
    synthetic.scan(case)
    names = [f"{words.name}{k}" for k in range(6)]
    write_inversion(case, names)
    # Its trigger was named by whoever started it, so the report may tell how well it worked.
    write_repair(case, names, trigger="patch:side=1/4", answer=names[1])
    foreign_run(case, words)
    marks = ("flag", "keep", "flag", "unsure")
    safe = words.note.encode("utf-8", "ignore").decode()
    for i, verdict in enumerate(marks):
        case.journal.decide(case.catalog.samples(i, i + 1)[0].id, verdict, note=safe, by=safe)
    case.journal.decide(case.catalog.samples(0, 1)[0].id, "keep", note=safe, by="second")
    case.journal.record("look", who=safe, sample=words.id)
    return case


def foreign_run(case: Case, words: Words) -> None:
    """Finish a run of a method that is not installed, with texts in every field."""
    run = case.new_run("from-elsewhere", {"option": words.name})
    result: dict[str, Any] = {
        "verdict": "suspicious", "reason": words.name, "sentence": words.answer, "n": "many",
        "not_covered": [words.note, words.answer], "evidence": {words.id: words.answer},
        "flagged_ids_file": words.file, "seconds": words.note,
    }  # fmt: skip
    execute(run, lambda _context: result)
