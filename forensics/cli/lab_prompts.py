"""``forensics lab``, learnt prompts: build the zoo of prompt heads and the demos."""

from pathlib import Path
from typing import Any

import click

from forensics.cli.lab_pairs import folder_argument
from forensics.cli.output import emit, json_flag
from forensics.cli.progress import progress_on_stderr
from forensics.lab.prompt_demos import PROMPT_DEMOS
from forensics.lab.prompt_zoo_plan import HALVES, plan_heads


@click.command(name="prompt-zoo")
@folder_argument
@click.option("--half", type=click.Choice(list(HALVES)), help="Only heads of this half.")
@click.option("--only", help="Only heads whose name holds this text, such as badclip.")
@click.option("--list", "listing", is_flag=True, help="Only list the heads.")
@json_flag
def prompt_zoo(
    folder: Path, half: str | None, only: str | None, listing: bool, as_json: bool
) -> None:
    """Tune clean and poisoned CoCoOp prompts on the lab's CLIP into FOLDER, and measure each.

    A head is a folder with prompts.safetensors, head.json and, where a trigger was optimised,
    trigger.safetensors. A killed build goes on with the next head. Poisoned heads with an attack
    success below 50 % are listed and not counted.

    JSON: heads [head, half, labels, attack, target, clean_accuracy, attack_success_rate, floor,
    counted, ...]; with --list the names alone.
    """
    chosen = [h for h in plan_heads() if half in (None, h.half) and (only or "") in h.name]
    if not chosen:
        raise click.UsageError("No head has such a name.")
    names = tuple(head.name for head in chosen)
    if listing:
        emit({"heads": list(names)}, as_json, lambda: "\n".join(names))
        return
    from forensics.lab.prompt_zoo import build_prompt_zoo

    heads = build_prompt_zoo(folder, names, progress_on_stderr())
    emit({"heads": heads}, as_json, lambda: "\n".join(map(_line, heads)))


def _line(facts: dict[str, Any]) -> str:
    figures = f"{facts['head']} ({facts['half']}): CA {facts['clean_accuracy']:.3f}"
    if facts["attack"] is None:
        return figures
    counted = "" if facts["counted"] else " (not counted)"
    asr, floor = facts["attack_success_rate"], facts["floor"]
    return f"{figures}, ASR {asr:.3f}, floor {floor:.3f}{counted}"


@click.command(name="prompt-demos")
@click.argument("names", nargs=-1, type=click.Choice([demo.name for demo in PROMPT_DEMOS]))
@click.option(
    "--assets", type=click.Path(path_type=Path), help="Where; the package's own by default."
)
@click.option("--prove", is_flag=True, help="Only measure the prompts that are there.")
@json_flag
def prompt_demos(names: tuple[str, ...], assets: Path | None, prove: bool, as_json: bool) -> None:
    """Tune the shipped prompt demos and prove each: CA, ASR, and both of hand-written prompts.

    JSON: built [folder].
    """
    from forensics.lab.prompt_demos_build import build_prompt_demo, prove_prompt_demo

    chosen = names or tuple(demo.name for demo in PROMPT_DEMOS)
    make = prove_prompt_demo if prove else build_prompt_demo
    built = [str(make(name, assets)) for name in chosen]
    emit({"built": built}, as_json, lambda: "\n".join(built))
