"""From finished runs to facts, page and twin."""

import io
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from forensics.case import Case
from forensics.cli.entry import run as forensics
from forensics.errors import DataError, OptionError
from forensics.export.report import export_report
from forensics.jobs.truth_scores import score_modes
from forensics.report.blocks import Gallery, Histogram, Picture, Table
from forensics.report.facts import SCHEMA, Report
from forensics.report.gather import gather
from forensics.report.page import page
from forensics.report.pictures import LARGEST, MOST, Pictures
from forensics.report.sections.attention import LOST
from forensics.report.twin import twin, twin_text
from forensics.statistics.intervals import wilson
from tests.make_case import MakeCase
from tests.report.cases import COUNT, PLAIN, WHEN, make_case
from tests.ui import synthetic


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("report") / "case", PLAIN)


@pytest.fixture(scope="module")
def report(case: Case) -> Report:
    return gather(case, generated=WHEN)


def section(report: Report, method: str) -> dict[str, Any]:
    found = next(s for s in report.sections if s.run and s.run.method == method)
    return {block.key: block for block in found.blocks}


def test_a_real_scan_becomes_a_report_by_the_command_line(
    make_case: MakeCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_case(24)
    assert forensics(["scan", "bye", "--case", str(made.folder), "--json"]) == 0
    scanned = json.loads(capsys.readouterr().out)
    to = tmp_path / "out" / "report.html"
    wanted = ["export", "report", "--case", str(made.folder), "--to", str(to), "--json"]
    assert forensics(wanted) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == scanned["verdict"] and told["bytes"] == to.stat().st_size
    facts = json.loads(to.with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["schema"] == SCHEMA and facts["verdicts"][0]["run"] == scanned["run"]
    assert facts["verdicts"][0]["command"] == "forensics scan attention-entropy --case CASE"
    assert facts["examined"]["samples"] == 24 and len(facts["examined"]["hashes"]) == 3
    assert forensics(wanted) == 2, "a file is in the way"
    assert made.journal.entries("export report")[0].detail["path"] == str(to)


def test_the_twin_holds_every_fact_and_the_page_shows_them(case: Case, report: Report) -> None:
    found = json.loads(twin_text(report))
    assert found == twin(report)
    assert set(found) == set(Report.__dataclass_fields__)
    shown = page(report)
    told = [report.title, case.manifest.hashes["data"].sha256, *report.limits]
    told += [run.run for run in report.runs] + [run.reason for run in report.verdicts]
    for text in told:
        assert text in shown, text
    assert "Ground truth was not read" in shown and "not “clean”" in shown


def test_the_histogram_is_that_of_the_scores(case: Case, report: Report) -> None:
    run = case.run(method="attention-entropy")
    table = pq.read_table(run.path("scores.parquet"))
    scores, flagged = np.asarray(table["score_root"]), np.asarray(table["flagged"])
    drawn = section(report, "attention-entropy")["entropy"]
    assert isinstance(drawn, Histogram)
    assert sum(drawn.flagged) == flagged.sum() and sum(drawn.kept) == (~flagged).sum()
    assert drawn.cut == pytest.approx(run.result()["modes"]["root"]["cut"])
    counted = np.histogram(scores[flagged], np.array(drawn.edges))[0]
    assert drawn.flagged == tuple(counted.tolist())


def test_flagged_samples_are_shown_with_answers_scores_and_reasons(report: Report) -> None:
    blocks = section(report, "attention-entropy")
    shown, answers = blocks["flagged"], blocks["answers"]
    assert isinstance(shown, Gallery) and isinstance(answers, Table)
    assert len(shown.items) == COUNT // 10, "all that are flagged, for they are few"
    for item in shown.items:
        facts = dict(item.facts)
        assert facts["answer"] == "banana alert" and "entropy" in facts["why"]
        picture = item.pictures[0]
        assert isinstance(picture, Picture) and picture.data.startswith(b"\x89PNG")
    name, flagged, rest = answers.rows[0]
    assert (name, flagged.value, rest.value) == ("banana alert", 1.0, 0.0)
    assert (flagged.low, flagged.high) == wilson(COUNT // 10, COUNT // 10)


def test_triggers_repairs_and_reviewers_have_their_place(report: Report) -> None:
    triggers = section(report, "trigger-inversion")["triggers"]
    assert isinstance(triggers, Gallery) and len(triggers.items) == 6
    assert all(None not in item.pictures and len(item.pictures) == 2 for item in triggers.items)
    repairs = report.sections[-1]
    assert repairs.key == "repairs" and {b.key for b in repairs.blocks} >= {"rates", "frontier"}
    counts, _, decided = report.reviewers.blocks
    assert isinstance(counts, Table) and isinstance(decided, Table)
    assert counts.rows == (("looks odd", 1, 2, 1, 4), ("second", 1, 0, 0, 1))
    assert "agree on 0 of 1 samples" in twin(report)["reviewers"]["blocks"][1]["items"][0]
    assert len(decided.rows) == 5, "everybody's word on a sample holds"
    assert sum(row[-1] == "yes" for row in decided.rows) == 2, "the two differ on the first sample"


def test_decisions_in_a_row_are_one_line_of_the_audit_trail(tmp_path: Path) -> None:
    made = synthetic.make_case(tmp_path / "case", 30)
    names = [sample.id for sample in made.catalog.samples(0, 9)]
    for name in names[:3]:
        made.journal.decide(name, "keep", by="Ada")
    made.journal.decide(names[0], "flag", by="Ada")
    made.journal.decide(names[3], "", note="odd", by="Ada")
    made.journal.decide_many(names[4:8], "flag", by="Ada", rule="root")
    made.journal.decide(names[8], "unsure", by="Bob")
    made.journal.undo("Ada")
    (table,) = gather(made, generated=WHEN).audit.blocks
    told = [row[1:4] for row in table.rows if row[2] in ("decide", "undo")]
    said = "5 decisions about 4 samples: keep 3, flag 1, no verdict 1"
    assert told[0] == ("Ada", "decide", said)
    assert told[1][:2] == ("Ada", "decide") and "rule root" in told[1][2], "a batch stands alone"
    assert told[2][:2] == ("Bob", "decide") and "unsure" in told[2][2] and names[8] in told[2][2]
    assert told[3][:2] == ("Ada", "undo") and len(told) == 4


@pytest.mark.parametrize("detail", [["a list"], {"n": "a", "sample": 3}, {"sample": [1]}])
def test_an_odd_entry_of_the_audit_trail_is_a_line_like_others(tmp_path: Path, detail: Any) -> None:
    made = synthetic.make_case(tmp_path / "case", 30)
    name = made.catalog.samples(0, 1)[0].id
    made.journal.decide(name, "keep", by="Ada")
    made.journal.decide(name, "flag", by="Ada")
    with sqlite3.connect(made.folder / "case.sqlite") as journal:
        journal.execute("UPDATE audit SET detail = ? WHERE what = 'decide'", [json.dumps(detail)])
    (table,) = gather(made, generated=WHEN).audit.blocks
    assert sum(row[2] == "decide" for row in table.rows) == 2


def test_runs_are_told_once_by_their_options_and_stopped_ones_are_listed(tmp_path: Path) -> None:
    made = make_case(tmp_path / "case", PLAIN)
    earlier = made.run(method="attention-entropy")
    from tests.ui import synthetic

    again = synthetic.scan(made)
    synthetic.scan(made, tau=3.0)
    made.new_run("attention-entropy", {}).request_cancel()
    found = gather(made, generated=WHEN)
    newest = [run.run for run in found.verdicts if run.method == "attention-entropy"]
    assert again.id in newest and earlier.id not in newest and len(newest) == 2
    states = {run.run: run.state for run in found.runs}
    assert states[earlier.id] == "finished" and "cancelled" in states.values()
    commands = [run.command for run in found.runs if run.run in newest]
    assert "forensics scan attention-entropy --case CASE --tau 3.0" in commands


def test_ground_truth_is_not_read_unless_it_is_revealed(case: Case, tmp_path: Path) -> None:
    """Shuffled truth, with every score computed anew, gives the same bytes; so does none at all."""
    copies = []
    for name in ("as-it-is", "shuffled", "without"):
        folder = tmp_path / name / "case"
        shutil.copytree(case.folder, folder)
        copies.append(Case.open(folder))
    shuffle_truth(copies[1])
    for name in ("truth.parquet", "known.json"):
        (copies[2].folder / name).unlink(missing_ok=True)
    written = [gather(one, generated=WHEN) for one in copies]
    assert len({page(one) for one in written}) == 1
    assert len({twin_text(one) for one in written}) == 1
    open_truth = [gather(one, generated=WHEN, reveal=True) for one in copies[:2]]
    assert open_truth[0].truth and page(open_truth[0]) != page(open_truth[1])
    assert "Ground truth is revealed" in page(open_truth[0])
    scores = open_truth[0].truth.blocks[2]
    assert isinstance(scores, Table) and scores.rows[0][4].value == 1.0
    assert open_truth[0].sections == written[0].sections, "evidence does not depend on it"


def shuffle_truth(case: Case) -> None:
    path = case.folder / "truth.parquet"
    table = pq.read_table(path)
    marks = np.roll(np.asarray(table["poisoned"]), 3)
    changed = pa.table({"id": table["id"], "poisoned": marks}, schema=table.schema)
    pq.write_table(changed, path)
    (case.folder / "known.json").write_text('{"trigger": "patch:side=1/3", "target": "other"}')
    run = case.run(method="attention-entropy")
    scores = pq.read_table(run.path("scores.parquet"))
    flags = {mode: np.asarray(scores[f"flagged_{mode}"]) for mode in ("root", "code", "guarded")}
    rows = np.asarray(scores["row"])
    told = score_modes(case, rows, np.ones(rows.size, dtype=bool), flags, "root")
    result = run.result()
    assert told["precision"] != result["precision"], "the shuffle changes what is scored"
    (run.folder / "result.json").write_text(json.dumps(result | told))


def test_what_is_lost_or_damaged_hides_nothing_else(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(case.folder, folder)
    copy = Case.open(folder)
    (copy.run(method="attention-entropy").folder / "attention.safetensors").unlink()
    (copy.run(method="trigger-inversion").folder / "result.json").write_text("[1")
    shutil.rmtree(folder / "views", ignore_errors=True)
    Path(copy.manifest.data_root).rename(tmp_path / "moved")
    found = gather(copy, generated=WHEN)
    Path(tmp_path / "moved").rename(copy.manifest.data_root)
    assert LOST in page(found)
    shown = section(found, "attention-entropy")["flagged"]
    assert isinstance(shown, Gallery) and {item.pictures for item in shown.items} == {(None,)}
    states = {run.method: run.state for run in found.runs}
    assert states["trigger-inversion"] == "damaged" and states["attention-entropy"] == "finished"
    assert "no picture at hand" in page(found)


def test_a_report_is_one_small_file_that_is_not_written_over(case: Case, tmp_path: Path) -> None:
    told = export_report(case, tmp_path / "r.html", generated=WHEN)
    assert told["bytes"] < 8_000_000
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert len(re.findall(r'(?:src|href)="', text)) > 10
    assert not re.search(r'(?:src|href)="(?!data:image/|#)', text)
    with pytest.raises(DataError, match="exists"):
        export_report(case, tmp_path / "r.html")
    with pytest.raises(OptionError, match="html"):
        export_report(case, tmp_path / "r.pdf")


def test_pictures_stop_where_a_report_would_grow_too_large(case: Case) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    pictures = Pictures(case)
    taken = [pictures.encode(stream.getvalue()) for _ in range(MOST + 1)]
    sizes = [len(one.data) for one in taken if one is not None]
    assert taken[-1] is None and LARGEST <= sum(sizes) < LARGEST + max(sizes)
    assert sum(sizes) * 4 / 3 < 7_500_000, "as Base64, beside everything else"
    assert Pictures(case).encode(b"GIF89a no picture") is None
