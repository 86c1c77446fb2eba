"""``forensics repair METHOD``: remove a backdoor, measured before and after."""

from pathlib import Path
from typing import Any

import click

from forensics.case import Case
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag, percent
from forensics.cli.running import run_method
from forensics.errors import InputError
from forensics.registry import MethodSpec, find_method, load_object, methods

HIDDEN = ("method", "losses", "curve", "chosen", "overfitting")


class RepairGroup(click.Group):
    """One subcommand for every registered repair, flags made from its options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the repairs."""
        return [spec.name for spec in methods().values() if spec.kind == "repair"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Build the subcommand of one repair, found by name or alias."""
        try:
            spec = find_method(cmd_name)
        except InputError:
            return None
        return _command(spec) if spec.kind == "repair" else None


@click.group(cls=RepairGroup)
def repair() -> None:
    """Remove a backdoor from a model, measured before and after.

    The case's own model is never changed; the repaired one stays in the run, and
    `forensics export checkpoint` writes it.

    JSON: run, sentence, scan, target, judged_by (known or reconstruction: which trigger
    attack_success_rate means; null where none is known), before and after (each clean_accuracy,
    attack_success_rate, n_clean, n_triggered, intervals, triggers; after also minus_before: paired
    differences), controls (the same tuning without the right trigger), reference (hand-written
    prompts, or the base model; null where there is none), fresh (a new scan of what was repaired),
    shots or pairs (what was trained on), test, trainable_parameters, checkpoint (null where nothing
    was changed; outcome says why), seconds.
    """


def _command(spec: MethodSpec) -> click.Command:
    @click.command(spec.name, help=_help(spec))
    @case_flag
    @click.option("--resume", help="Id of a run that was cancelled, failed or killed.")
    @option_flags(load_object(spec.options))
    @json_flag
    def command(case_folder: Path, resume: str | None, as_json: bool, **values: Any) -> None:
        case = Case.open(case_folder)
        run, result = run_method(case, spec, given(values), resume)
        listed = {key: value for key, value in result.items() if key not in HIDDEN}
        if result["checkpoint"]:
            listed["checkpoint"] = str(run.folder / result["checkpoint"])
        emit({"run": run.id, **listed}, as_json, lambda: _text(case, run.id, result))

    return command


def _help(spec: MethodSpec) -> str:
    source = f"\n\nSource: {spec.paper}, arXiv {spec.arxiv}." if spec.paper else ""
    return f"{spec.title}.\n\nNeeds {spec.needs}. Gives {spec.gives}.{source}"


def _text(case: Case, run_id: str, result: dict[str, Any]) -> str:
    told = result["before"]["triggers"].get(result["judged_by"])
    by = "" if told is None else f", by {told['title']}"
    others = [*result["controls"], *([result["reference"]] if result["reference"] else [])]
    return "\n".join(
        [
            result["sentence"],
            f"Of {result['test']['n']} test pictures{by}:",
            _line(result["before"]),
            _line(result["after"]),
            *map(_line, others),
            f"{result['trainable_parameters']:,} numbers tuned on {_number(result)}. "
            f"Run {run_id}, {result['seconds']} s.",
            *_written(case, result),
        ]
    )


def _number(result: dict[str, Any]) -> str:
    """Say on how much was trained."""
    name = "pairs" if "pairs" in result else "shots"
    return f"{result[name]['n']:,} {name}"


def _written(case: Case, result: dict[str, Any]) -> list[str]:
    """Say how to get the repaired model, if there is one; a whole model is a folder."""
    name = result["checkpoint"]
    if not name:
        return []
    to = "repaired.safetensors" if name.endswith(".safetensors") else "repaired"
    return [f"Write it: forensics export checkpoint --case {case.folder} --to {to}"]


def _line(version: dict[str, Any]) -> str:
    low, high = version["intervals"]["attack_success_rate"]
    return (
        f"  {version['title']}: CA {percent(version['clean_accuracy'])} (n = "
        f"{version['n_clean']}), ASR {percent(version['attack_success_rate'])} (n = "
        f"{version['n_triggered']}, 95 % {percent(low)} to {percent(high)})"
    )
