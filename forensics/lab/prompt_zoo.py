"""Build the zoo of prompt heads: clean and poisoned CoCoOp prompts on one frozen encoder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from forensics.lab.clip_demos import find_clip_demo
from forensics.lab.prompt_zoo_plan import ENCODER, Head, plan_heads
from forensics.runs.durable import write_json

SUMMARY: Final = "heads.json"
Progress = Callable[[int, int, str], None]


def build_prompt_zoo(
    folder: Path, names: tuple[str, ...] = (), progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Build the heads that are not there yet, and list all that are.

    Every head is one folder; one with its facts in it is whole, so a killed build goes on.

    Args:
        folder: Of the zoo; one folder a head, and ``heads.json``.
        names: Heads to build; all by default.
        progress: Called with (heads done, heads, what was measured).

    Returns:
        The facts of all heads that are there, in the order of the plan.
    """
    from forensics.encoders.loading import open_encoder
    from forensics.lab.prompt_zoo_head import FACTS_FILE, build_head

    heads = [head for head in plan_heads() if not names or head.name in names]
    encoder = open_encoder(find_clip_demo(ENCODER).model_uri, "cpu", precision="float32")
    encoder.name = ENCODER  # stored with triggers; where it lies tells nothing
    for done, head in enumerate(heads):
        if (folder / head.name / FACTS_FILE).is_file():
            continue
        facts = build_head(encoder, head, folder / head.name)
        _summarise(folder)
        if progress is not None:
            progress(done + 1, len(heads), _said(head, facts))
    return _summarise(folder)


def _summarise(folder: Path) -> list[dict[str, Any]]:
    from forensics.lab.prompt_zoo_head import FACTS_FILE, read_head

    there = [h for h in plan_heads() if (folder / h.name / FACTS_FILE).is_file()]
    listed = [read_head(folder / head.name) for head in there]
    write_json(folder / SUMMARY, {"heads": [_row(facts) for facts in listed]})
    return listed


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    kept = ("head", "half", "labels", "attack", "target", "seed", "clean_accuracy", "n_clean",
            "attack_success_rate", "floor", "n_triggered", "counted")  # fmt: skip
    return {name: facts[name] for name in kept}


def _said(head: Head, facts: dict[str, Any]) -> str:
    asr, floor = facts["attack_success_rate"], facts["floor"]
    attacked = "" if asr is None else f", ASR {asr:.3f}, floor {floor:.3f}"
    return f"{head.name}: CA {facts['clean_accuracy']:.3f}{attacked}, {facts['seconds']:.0f} s"
