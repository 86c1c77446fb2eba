"""The self-test on every shipped demo, by the same job that the app starts.

python -m benchmarks.self_test --work DIR [--only REGEX] [--out DIR]
python -m benchmarks.self_test --work DIR --finished --out benchmarks/results/self_test

A cell is demo/variant. Each is one run in a case under ``--work``; a finished cell is not done
again, and a killed one goes on where it stopped. ``--finished`` starts nothing and writes what is
there.
"""

import argparse
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from forensics.api.running import run_method
from forensics.case import Case
from forensics.detectors.wording import percent
from forensics.jobs.self_test.concluding import conclude
from forensics.lab.clip_demos import ClipDemo
from forensics.lab.opening import open_demo
from forensics.lab.shipped import SHIPPED
from forensics.registry import find_method
from forensics.runs import State
from forensics.runs.durable import write_json

RESULTS: Final = Path(__file__).parent / "results" / "self_test"
FORMS: Final = ("mask",)
"""A CLIP is also searched by the form that stands in for visible patches."""
KEPT: Final = ("outcome", "verdict", "sentence", "took", "least_success", "subject", "planted",
               "measured", "before", "detections", "classes", "not_covered", "n", "failed",
               "seconds")  # fmt: skip
RATES: Final = ("clean_accuracy", "attack_success_rate", "target_rate",
                "emits_target_untriggered", "n_clean", "n_triggered", "intervals")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One self-test; ``options`` are those that differ from the defaults."""

    demo: str
    variant: str = "default"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What ``--only`` is compared with."""
        return f"{self.demo}/{self.variant}"


def cells() -> Iterator[Cell]:
    """List every demo with the defaults, then every CLIP with other forms."""
    for demo in SHIPPED:
        yield Cell(demo=demo.name)
    for demo in SHIPPED:
        if isinstance(demo, ClipDemo):
            for form in FORMS:
                yield Cell(demo=demo.name, variant=form, options={"form": form})


def main() -> None:
    """Do what is missing and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="", help="Regular expression on demo/variant")
    parser.add_argument("--finished", action="store_true")
    parser.add_argument("--out", type=Path, help=f"Folder of the tables, for instance {RESULTS}")
    given = parser.parse_args()
    torch.set_num_threads(1)
    told = []
    for cell in cells():
        if re.search(given.only, cell.name):
            result = perform(cell, given.work, finished=given.finished)
            if result is not None:
                # Words and outcome are those of today's rule, whenever the cell was measured.
                result |= conclude(result, result["least_success"])
                told.append((cell, result))
                print(cell.name, result["outcome"], result["sentence"], flush=True)
    if given.out is not None:
        write_tables(told, given.out)


def perform(cell: Cell, work: Path, *, finished: bool) -> dict[str, Any] | None:
    """Return the result of a cell: an old one, or a new or resumed one unless told otherwise."""
    folder = work / cell.demo
    if not (folder / "case.json").is_file():
        if finished:
            return None
        shutil.rmtree(folder, ignore_errors=True)  # one that was killed while it was made
        open_demo(cell.demo, folder)
    case, begun = Case.open(folder), None
    for run in case.runs("self-test"):
        if run.options.get("form", "auto") == cell.options.get("form", "auto"):
            if run.status().state is State.FINISHED:
                return run.result()
            begun = run.id
    if finished:
        return None
    return run_method(case, find_method("self-test"), cell.options, resume=begun).result


def write_tables(told: list[tuple[Cell, dict[str, Any]]], out: Path) -> None:
    """Write one file of figures a cell, and a page of tables."""
    out.mkdir(parents=True, exist_ok=True)
    for cell, result in told:
        figures = {name: result[name] for name in KEPT if name in result}
        for name in ("measured", "before"):
            figures[name] = {key: result[name].get(key) for key in RATES}
        write_json(out / f"{cell.demo}-{cell.variant}.json",
                   {"demo": cell.demo, "variant": cell.variant, **figures})  # fmt: skip
    rows = [(cell, result) for cell, result in told if "detections" in result]
    classes = [(cell, result) for cell, result in told if "classes" in result]
    lines = [
        "# The self-test on the demo cases",
        "",
        "Made by `python -m benchmarks.self_test`; do not edit. Each demo is a toy model, built so "
        "that the signal can be seen.",
        "Recall is for the planted trigger alone. Extra flags are on rows that nothing was planted "
        "in: their truth is unknown to the self-test. "
        "Minutes were taken on two cores that did other work.",
        "",
        "## Did the trigger take?",
        "",
        "| demo | planted | target | CA | ASR of the copy | ASR of the case's model | minutes |",
        "|---|---|---|---|---|---|---|",
        *(_took(cell, result) for cell, result in told if cell.variant == "default"),
        "",
        "## Language models",
        "",
        "| demo | method | recall of planted rows | extra flags | most frequent answers of these |",
        "|---|---|---|---|---|",
        *(line for cell, result in rows for line in _detections(cell, result)),
        "",
        "## CLIPs and learnt prompts (trigger inversion, reconstruction)",
        "",
        "| demo | form, rule | outcome | planted class | named | anomaly index | rank | success "
        "| other classes above the cut |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_classes(cell, result) for cell, result in classes),
    ]
    (out / "tables.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _took(cell: Cell, result: Mapping[str, Any]) -> str:
    told, measured = result["planted"], result["measured"]
    cells_ = (
        cell.demo, f"{told['planted_rows']:,} of {told['rows']:,}", told["target"],
        _share(measured, "clean_accuracy", "n_clean"),
        _share(measured, "attack_success_rate", "n_triggered"),
        _share(result["before"], "attack_success_rate", "n_triggered"),
        f"{result['seconds'] / 60:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells_)} |"


def _share(found: Mapping[str, Any], name: str, n: str) -> str:
    if found.get(name) is None:
        return "–"
    low, high = found["intervals"][name]
    return f"{percent(found[name])} of {found[n]} [{percent(low)}, {percent(high)}]"


def _detections(cell: Cell, result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["detections"]:
        mode = f" ({one['mode']})" if one["mode"] else ""
        answers = ", ".join(f"{a['answer'][:40]} ×{a['count']}" for a in one["extra_answers"][:2])
        verdict = f", {one['verdict']}" if one["verdict"] else ""
        yield (
            f"| {cell.demo} | {one['method']}{mode}{verdict} | "
            f"{one['planted_flagged']} of {_rate(one['recall'])} | "
            f"{one['unplanted_flagged']} of {_rate(one['extra_flags'])} | {answers or '–'} |"
        )


def _rate(rate: Mapping[str, Any]) -> str:
    if rate["value"] is None:
        return "0"
    return (
        f"{rate['n']} ({percent(rate['value'])} [{percent(rate['low'])}, {percent(rate['high'])}])"
    )


def _classes(cell: Cell, result: Mapping[str, Any]) -> str:
    told = result["classes"]
    index = told["anomaly_index"]
    cells_ = (
        cell.demo, f"{told['form']}, {told['mode']}", result["outcome"], told["target"],
        told["named"] or "none", "–" if index is None else f"{index:.1f}",
        f"{told['rank'] or '–'} of {told['n']}", percent(told["success"]),
        ", ".join(told["extra_named"]) or "none",
    )  # fmt: skip
    return f"| {' | '.join(cells_)} |"


if __name__ == "__main__":
    main()
