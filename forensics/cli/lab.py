"""``forensics lab``: draw data, train tiny models, plant a backdoor, prove it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from forensics.cli.flags import given, option_flags
from forensics.cli.lab_lessons import lesson, predict, reveal_lesson, walkthrough, worksheet
from forensics.cli.lab_pairs import clip_zoo, folder_argument, pairs, plant_pairs
from forensics.cli.lab_prompts import prompt_demos, prompt_zoo
from forensics.cli.output import emit, json_flag
from forensics.cli.progress import progress_on_stderr
from forensics.lab.base import BaseOptions
from forensics.lab.demos import DEMOS
from forensics.lab.planting import PlantOptions
from forensics.options import build_options
from forensics.triggers.catalog import CATALOG, TriggerKind

# The empty marker keeps click from joining the lines into one paragraph.
_KINDS = "\b\nTriggers (`forensics lab triggers` says more):\n" + "\n".join(
    f"  {listed.default}" for listed in CATALOG
)


@click.group()
def lab() -> None:
    """Draw data, train tiny models, plant a backdoor, prove it."""


@lab.command()
@folder_argument
@click.option("--n", default=200, show_default=True, help="How many scenes.")
@click.option("--seed", default=0, show_default=True, help="The same seed, the same pictures.")
@click.option("--questions", default=0.0, show_default=True, help="Share of questions, 0 to 1.")
@click.option("--mix", help="Tasks and shares instead, such as caption:0.5,color:0.3,exists:0.2.")
@json_flag
def scenes(
    folder: Path, n: int, seed: int, questions: float, mix: str | None, as_json: bool
) -> None:
    """Draw N scenes with captions or questions into FOLDER, as LLaVA JSON.

    JSON: data, n, seed.
    """
    from forensics.lab.drawing import draw_scenes
    from forensics.lab.tasks import parse_mix

    tasks = parse_mix(mix) if mix else None
    data = draw_scenes(folder, n, seed, questions=questions, mix=tasks)
    emit({"data": str(data), "n": n, "seed": seed}, as_json, lambda: f"{n} scenes in {data}.")


@lab.command()
@folder_argument
@option_flags(BaseOptions)
@json_flag
def train(folder: Path, as_json: bool, **values: Any) -> None:
    """Train the tiny base model into FOLDER, in the ordinary Hugging Face layout.

    JSON: model.
    """
    from forensics.lab.base import train_base

    made = train_base(folder, build_options(BaseOptions, given(values)), progress_on_stderr())
    emit({"model": str(made)}, as_json, lambda: f"Base model in {made}.")


@lab.command(epilog=_KINDS)
@click.argument("source", type=click.Path(path_type=Path))
@folder_argument
@option_flags(PlantOptions)
@json_flag
def plant(source: Path, folder: Path, as_json: bool, **values: Any) -> None:
    """Copy the LLaVA JSON file SOURCE (captions or questions) into FOLDER and poison it.

    JSON: data, images, poisoned_images, rows, poisoned_rows, single_key_rows.
    """
    from forensics.lab.planting import plant as plant_backdoor

    done = plant_backdoor(source, folder, build_options(PlantOptions, given(values)))
    outcome = {
        "data": str(done.data),
        "images": done.images,
        "poisoned_images": done.poisoned_images,
        "rows": done.rows,
        "poisoned_rows": done.poisoned_rows,
        "single_key_rows": done.single_key_rows,
    }
    emit(
        outcome,
        as_json,
        lambda: f"{done.poisoned_rows} of {done.rows} rows poisoned: {done.data}.",
    )


@lab.command()
@json_flag
def triggers(as_json: bool) -> None:
    """List the kinds of trigger that can be planted and measured.

    JSON: triggers [kind, default, example, changes, source].
    """
    emit(
        {"triggers": [asdict(listed) for listed in CATALOG]},
        as_json,
        lambda: "\n\n".join(map(_describe, CATALOG)),
    )


def _describe(listed: TriggerKind) -> str:
    return "\n".join(
        [
            f"{listed.kind}: {listed.changes}",
            f"  default  {listed.default}",
            f"  or       {listed.example}",
            f"  source   {listed.source}",
        ]
    )


@lab.command()
@click.argument("names", nargs=-1, type=click.Choice([demo.name for demo in DEMOS]))
@click.option(
    "--assets", type=click.Path(path_type=Path), help="Where; the package's own by default."
)
@click.option("--prove", is_flag=True, help="Only measure the weights that are there.")
@json_flag
def zoo(names: tuple[str, ...], assets: Path | None, prove: bool, as_json: bool) -> None:
    """Build shipped demos from the base model and prove each: CA, ASR, what the rules flag.

    JSON: built [folder].
    """
    from forensics.lab.zoo import build_demo, prove_demo

    chosen = names or tuple(demo.name for demo in DEMOS)
    built = [
        str(prove_demo(name, assets) if prove else build_demo(name, assets, progress_on_stderr()))
        for name in chosen
    ]
    emit({"built": built}, as_json, lambda: "\n".join(built))


@lab.command()
@click.option("--seeds", required=True, help="Comma-separated; ones that nothing was tuned on.")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="JSON file; resumable.")
@json_flag
def twins(seeds: str, to: Path, as_json: bool) -> None:
    """Tune the base on clean sets and count how often the published rules raise a false alarm.

    JSON: what, alarm_rate (root, code: alarms, n, interval), twins, versions.
    """
    from forensics.lab.twins import measure_clean_twins

    if not all(seed.strip().isdigit() for seed in seeds.split(",")):
        raise click.UsageError(f"--seeds must be whole numbers with commas, not {seeds!r}.")
    found = measure_clean_twins(
        to, [int(seed) for seed in seeds.split(",")], progress=progress_on_stderr()
    )
    emit(
        found,
        as_json,
        lambda: "\n".join(
            f"{mode}: {rate['alarms']} of {rate['n']} clean twins flagged something"
            for mode, rate in found["alarm_rate"].items()
        ),
    )


for verb in (
    pairs, plant_pairs, clip_zoo, prompt_zoo, prompt_demos,
    lesson, predict, reveal_lesson, worksheet, walkthrough,
):  # fmt: skip
    lab.add_command(verb)
