"""``forensics lab``, teaching: lessons, predictions, worksheets and walk-throughs."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from forensics.case import Case
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag
from forensics.cli.progress import progress_bar
from forensics.options import build_options
from forensics.teaching.plans import LessonPlan


@click.command()
@case_flag
@option_flags(LessonPlan)
@click.option("--train", is_flag=True, help="Also train, scan and measure here and now; resumes.")
@json_flag
def lesson(case_folder: Path, train: bool, as_json: bool, **values: Any) -> None:
    """Plant a case for a class in the folder given by --case, or go on with the one there.

    Nothing that is printed gives the plan away. JSON: case, samples, steps [name, method, run,
    state].
    """
    from forensics.teaching.lessons import lesson_of, make_lesson
    from forensics.teaching.steps import steps_of

    if (case_folder / "case.json").is_file():
        opened = Case.open(case_folder)
    else:
        opened = make_lesson(case_folder, build_options(LessonPlan, given(values)))
    played = lesson_of(opened)
    if played is None:
        raise click.UsageError(f"{case_folder} is no lesson, and nobody knows its truth.")
    if train:
        _go_on(opened)
    steps = [
        {"name": step.name, "method": step.method, "run": step.run.id if step.run else None,
         "state": step.state.value if step.state else None}
        for step in steps_of(opened, played)
    ]  # fmt: skip
    outcome = {"case": str(opened.folder), "samples": opened.manifest.samples, "steps": steps}
    emit(outcome, as_json, lambda: _said(opened, steps))


def _said(opened: Case, steps: Sequence[dict[str, Any]]) -> str:
    lines = [f"{opened.manifest.title}: {opened.manifest.samples} samples in {opened.folder}."]
    lines += [f"  {step['method']}: {step['state'] or 'to do'}" for step in steps]
    return "\n".join([*lines, f"Next: forensics app --case {opened.folder}, tab Lab"])


def _go_on(opened: Case) -> None:
    """Do what has to be done before the class can look, in this process."""
    from forensics.api.running import run_method
    from forensics.registry import find_method
    from forensics.teaching.lessons import lesson_of
    from forensics.teaching.steps import pending, steps_of

    played = lesson_of(opened)
    assert played is not None
    for step in pending(steps_of(opened, played)):
        again = step.run.id if step.run and step.state and step.state.resumable else None
        with progress_bar(step.title) as progress:
            run_method(opened, find_method(step.method), {}, resume=again, progress=progress)


@click.command()
@case_flag
@click.option("--player", required=True, help="Who predicts.")
@click.option("--backdoor/--no-backdoor", required=True, help="Is anything planted?")
@click.option("--target", default="", help="What the backdoor answers.")
@click.option("--sample", "samples", multiple=True, help="Id of a suspected sample; repeatable.")
@click.option("--where", help="spot, everywhere, words or nowhere.")
@click.option("--spot", nargs=2, type=float, help="X and Y as shares from the left and the top.")
@json_flag
def predict(
    case_folder: Path,
    player: str,
    backdoor: bool,
    target: str,
    samples: tuple[str, ...],
    where: str | None,
    spot: tuple[float, float] | None,
    as_json: bool,
) -> None:
    """Commit a prediction about a lesson or a demo; possible until somebody reveals the truth.

    JSON: player, poisoned, target, samples, where, x, y, looked.
    """
    from forensics.teaching.predictions import EVERYWHERE, NOWHERE, SPOT, Prediction, commit

    guess = SPOT if spot else (EVERYWHERE if backdoor else NOWHERE)
    made = Prediction(
        player=player, poisoned=backdoor, target=target, samples=samples, where=where or guess,
        x=spot[0] if spot else None, y=spot[1] if spot else None,
    )  # fmt: skip
    commit(Case.open(case_folder), made)
    emit(asdict(made), as_json, lambda: f"Noted for {player}.")


@click.command(name="reveal-lesson")
@case_flag
@json_flag
def reveal_lesson(case_folder: Path, as_json: bool) -> None:
    """Reveal the truth about a lesson or a demo and score the predictions, best first.

    JSON: truth, scores [player, poisoned, target, samples, where, total, looked].
    """
    from forensics.teaching.scoring import reveal, scores, truth_of

    opened = Case.open(case_folder)
    reveal(opened)
    truth = truth_of(opened)
    found = [asdict(one) | {"total": one.total} for one in scores(opened)]
    what = f"planted {truth.trigger}, target {truth.target!r}" if truth.poisoned else "nothing"
    lines = [f"The truth: {what}."]
    lines += [f"  {one['total']:.2f} of 4  {one['player']}" for one in found]
    emit(
        {"truth": asdict(truth), "scores": found},
        as_json,
        lambda: "\n".join(lines),
    )


@click.command()
@case_flag
@click.option("--to", required=True, type=click.Path(path_type=Path), help="HTML file.")
@click.option("--answers", is_flag=True, help="Print the solutions as well, for the teacher.")
@json_flag
def worksheet(case_folder: Path, to: Path, answers: bool, as_json: bool) -> None:
    """Write a printable worksheet about a lesson or a demo; it needs no network.

    JSON: worksheet, answers.
    """
    from forensics.teaching.worksheet import write_worksheet

    made = write_worksheet(Case.open(case_folder), to, answers=answers)
    emit({"worksheet": str(made), "answers": answers}, as_json, lambda: f"Worksheet: {made}.")


@click.command()
@click.argument("name", required=False)
@json_flag
def walkthrough(name: str | None, as_json: bool) -> None:
    """Print the walk-through NAME, or list them; the app shows them step by step, tab Lab.

    JSON: walkthroughs [name, title, demo, minutes, story, steps].
    """
    from forensics.teaching.walkthroughs import find_walkthrough, spoken, walkthroughs

    found = (find_walkthrough(name),) if name else walkthroughs()
    listed = [f"{walk.name}: {walk.title}, demo {walk.demo}" for walk in found]
    emit(
        {"walkthroughs": [walk.to_json() for walk in found]},
        as_json,
        lambda: "\n".join(spoken(found[0]) if name else listed),
    )
