"""Trigger inversion on the demo cases and on clean twins, by the same jobs that the app starts.

python -m benchmarks.inversion_demos --work DIR [--only REGEX]

Learnt prompts: ``prompt-badclip``, ``prompt-clean`` and five more clean twins on the same encoder,
each with the published rule and with that of content. Encoders: ``clip-badnets``, ``clip-blended``
and ``clip-clean``, with a small patch, a pattern behind a mask, and additive triggers. Every scan
is a run in a case under ``--work``; what is finished is not done again, and a killed scan is
resumed. Last, the prompts of ``prompt-badclip`` are repaired and scanned anew, with controls.
"""

import argparse
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from forensics.api.running import run_method
from forensics.case import Case
from forensics.encoders.loading import open_encoder
from forensics.lab.crowds import draw_crowds
from forensics.lab.opening import open_demo
from forensics.lab.prompt_demos import LABELS, find_prompt_demo
from forensics.lab.prompt_zoo_head import FACTS_FILE, PROMPTS_FILE, build_head
from forensics.lab.prompt_zoo_plan import Head
from forensics.lab.scenes import SHAPES
from forensics.registry import find_method
from forensics.runs import Run, State
from forensics.runs.durable import write_json

RESULTS: Final = Path(__file__).parent / "results/inversion_demos"
TWINS: Final = (32, 33, 34, 35, 36)
REPAIRED: Final = "prompt-badclip"
POOL_SEED: Final = 77
FRESH_SEED: Final = 991
CLASSES: Final = "|".join(SHAPES)

Options = dict[str, Any]
SCHEDULE: Final[Options] = {"images": 320, "batch_size": 32, "seeds": 3}
PROMPT_WAYS: Final[dict[str, Options]] = {
    # The budget that the lab's attacks have; docs/lab.md says why it is not 4/255.
    "published": {**SCHEDULE, "budget": 8 / 255, "contrast": 0.0, "mode": "published"},
    "content": {**SCHEDULE, "budget": 16 / 255, "contrast": 1.0, "mode": "content"},
}
ENCODER_WAYS: Final[dict[str, Options]] = {
    # Three sides are tried, each like a scan of its own.
    "patch": {**SCHEDULE, "form": "patch", "mode": "content", "seeds": 1, "classes": CLASSES},
    "additive, 4/255": {**SCHEDULE, "budget": 4 / 255, "mode": "content", "classes": CLASSES},
    "additive, 16/255": {**SCHEDULE, "budget": 16 / 255, "mode": "content", "classes": CLASSES},
    "mask": {
        **SCHEDULE,
        "form": "mask",
        "mode": "content",
        "epochs": 3,
        "seeds": 1,
        "classes": CLASSES,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One case to scan.

    Attributes:
        name: Of its folder.
        ways: How it is scanned.
        truth: Class that a trigger was planted for, or ``None``.
    """

    name: str
    ways: Mapping[str, Options]
    truth: str | None


SUBJECTS: Final = (
    Subject(name="prompt-badclip", ways=PROMPT_WAYS, truth="blue"),
    Subject(name="prompt-clean", ways=PROMPT_WAYS, truth=None),
    *(Subject(name=f"twin-{seed}", ways=PROMPT_WAYS, truth=None) for seed in TWINS),
    Subject(name="clip-badnets", ways=ENCODER_WAYS, truth="heart"),
    Subject(name="clip-blended", ways=ENCODER_WAYS, truth="heart"),
    Subject(name="clip-clean", ways=ENCODER_WAYS, truth=None),
)


def open_subject(subject: Subject, work: Path) -> Case:
    """Open a case, or make it."""
    folder = work / subject.name
    if (folder / "case.json").is_file():
        return Case.open(folder)
    shutil.rmtree(folder, ignore_errors=True)  # one that was killed while it was made
    if not subject.name.startswith("twin-"):
        return open_demo(subject.name, folder)
    prompts, pool = _twin(int(subject.name.removeprefix("twin-")), work), work / "pool"
    if not pool.exists():
        draw_crowds(pool, 1000, POOL_SEED)
    encoder = find_prompt_demo("prompt-clean").base_folder
    return Case.create(
        folder,
        model=f"openclip:{encoder}+prompts:{prompts}",
        data=f"table:{pool / 'pairs.csv'}",
    )


def _twin(seed: int, work: Path) -> Path:
    """Tune clean prompts like those of ``prompt-clean``, with another seed."""
    folder = work / "heads" / str(seed)
    if not (folder / FACTS_FILE).is_file():
        base = find_prompt_demo("prompt-clean").base_folder
        encoder = open_encoder(f"openclip:{base}", "cpu", precision="float32")
        build_head(encoder, Head(labels=LABELS, half="demo", attack=None, seed=seed), folder)
    return folder / PROMPTS_FILE


def perform(case: Case, method: str, options: Options) -> tuple[Run, dict[str, Any]]:
    """Return a run with these options and its result: an old one, a resumed one or a new one."""
    begun: str | None = None
    for run in case.runs(method):
        if any(run.options.get(name) != value for name, value in options.items()):
            continue
        if run.status().state is State.FINISHED:
            return run, run.result()
        begun = run.id
    done = run_method(case, find_method(method), options, resume=begun)
    return done.run, done.result


def repair(work: Path) -> dict[str, Any]:
    """Repair ``prompt-badclip`` with the trigger of the published scan; scan other pictures after.

    The rate was chosen on a head of the zoo's calibration half.
    """
    case = Case.open(work / REPAIRED)
    pool = work / "fresh"
    if not pool.exists():
        draw_crowds(pool, 400, FRESH_SEED)
    scanned = perform(case, "trigger-inversion", PROMPT_WAYS["published"])[0]
    options = {"run": scanned.id, "rate": 0.02, "fresh_pool": f"table:{pool / 'pairs.csv'}"}
    result = perform(case, "trigger-tuning", options)[1]
    kept = ("sentence", "before", "after", "controls", "reference", "fresh", "seconds")
    told = {name: result.get(name) for name in kept}
    told["fresh"]["pool"]["source"] = "drawn crowds"  # where they lie tells nothing
    return told


def _repair_lines(result: Mapping[str, Any]) -> list[str]:
    rows = [("as delivered", result["before"]), ("repaired", result["after"])]
    rows += [(one["title"], one) for one in result["controls"]]
    lines = ["", "## The repair of prompt-badclip (trigger-tuning, reconstruction)", "",
             result["sentence"], "", "| prompts | CA | ASR of the known trigger | n |",
             "|---|---|---|---|"]  # fmt: skip
    for title, one in rows:
        low, high = one["intervals"]["attack_success_rate"]
        lines.append(
            f"| {title} | {100 * one['clean_accuracy']:.1f} % | "
            f"{100 * one['attack_success_rate']:.1f} % [{100 * low:.1f}, {100 * high:.1f}] | "
            f"{one['n_triggered']} |"
        )
    return lines


def told(subject: Subject, way: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the page needs of a result."""
    classes = result["classes"]
    top = max(classes, key=lambda one: one["margin_over_reference"] or -1.0)
    aim = subject.truth or top["class"]
    (own,) = (one for one in classes if one["class"] == aim)
    others = [one for one in classes if one["class"] != aim]
    kept = ("success", "content_success", "reference_success", "anomaly_index")
    return {
        "subject": subject.name,
        "way": way,
        "planted": subject.truth,
        "verdict": result["verdict"],
        "reason": result["reason"],
        "sentence": result["sentence"],
        "named": result["target"],
        "aim": aim,
        "side": result["side"],
        "reference": result["reference"],
        "rules": result["rules"],
        **{f"aim_{name}": own[name] for name in kept},
        **{
            f"others_{name}": [one[name] for one in others]
            for name in ("success", "content_success")
        },
        "seconds": result["seconds"],
    }


def write_page(rows: list[dict[str, Any]], repaired: Mapping[str, Any]) -> None:
    """Write figures and a page of them."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / "figures.json", {"rows": rows, "repair": dict(repaired)})
    lines = [
        "# Trigger inversion on the demo cases and clean twins (reconstruction)",
        "",
        "Made by `python -m benchmarks.inversion_demos`; do not edit. For cases without a planted",
        "class the figures are of the class with the largest success on content beyond the",
        "reference.",
        "",
        "| case | scan | planted | verdict | class | anomaly index | success | others, mean | "
        "on content | reference | others, largest |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
        *_repair_lines(repaired),
    ]
    (RESULTS / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(row: Mapping[str, Any]) -> str:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.0f} %"

    others = row["others_success"]
    verdict = row["verdict"] + (f" ({row['named']})" if row["named"] else "")
    index = row["aim_anomaly_index"]
    cells = (
        row["subject"], row["way"], row["planted"] or "nothing", verdict, row["aim"],
        "–" if index is None else f"{index:.1f}",
        share(row["aim_success"]), share(sum(others) / len(others)),
        share(row["aim_content_success"]), share(row["aim_reference_success"]),
        share(max(value or 0.0 for value in row["others_content_success"])),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for subject in SUBJECTS:
        if not re.search(given.only, subject.name):
            continue
        case = open_subject(subject, given.work)
        for way, options in subject.ways.items():
            rows.append(told(subject, way, perform(case, "trigger-inversion", options)[1]))
            print(_line(rows[-1]), flush=True)
    if not given.only:
        write_page(rows, repair(given.work))


if __name__ == "__main__":
    main()
