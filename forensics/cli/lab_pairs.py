"""``forensics lab``, pairs of image and caption: draw, plant, build the CLIP demos."""

from pathlib import Path
from typing import Any

import click

from forensics.cli.flags import given, option_flags
from forensics.cli.output import emit, json_flag
from forensics.cli.progress import progress_on_stderr
from forensics.lab.clip_demos import CLIP_DEMOS
from forensics.lab.pair_plan import PairPlantOptions
from forensics.options import build_options

folder_argument = click.argument("folder", type=click.Path(path_type=Path))


@click.command()
@folder_argument
@click.option("--n", default=200, show_default=True, help="How many pairs.")
@click.option("--seed", default=0, show_default=True, help="The same seed, the same pairs.")
@json_flag
def pairs(folder: Path, n: int, seed: int, as_json: bool) -> None:
    """Draw N pairs of scene and caption into FOLDER, as a CSV table with labels.

    JSON: data, n, seed.
    """
    from forensics.lab.pairs import draw_pairs

    data = draw_pairs(folder, n, seed)
    emit({"data": str(data), "n": n, "seed": seed}, as_json, lambda: f"{n} pairs in {data}.")


@click.command(name="plant-pairs")
@click.argument("source")
@folder_argument
@option_flags(PairPlantOptions)
@json_flag
def plant_pairs(source: str, folder: Path, as_json: bool, **values: Any) -> None:
    """Copy the pairs of SOURCE into FOLDER and poison them, as CLIP is attacked.

    SOURCE is a table with columns image, caption and label, a folder of class folders, or any
    other data URI. FOLDER gets pairs.csv, images, planted.json (ids, captions, target) and, where
    the trigger is one fixed tensor, trigger.safetensors.

    JSON: data, facts, pairs, poisoned_pairs, single_key_pairs.
    """
    from forensics.lab.pair_planting import plant_pairs as plant

    done = plant(source, folder, build_options(PairPlantOptions, given(values)))
    outcome = {
        "data": str(done.data),
        "facts": str(done.facts),
        "pairs": done.pairs,
        "poisoned_pairs": len(done.poisoned),
        "single_key_pairs": len(done.single_key),
    }
    emit(
        outcome,
        as_json,
        lambda: f"{len(done.poisoned)} of {done.pairs} pairs poisoned: {done.data}.",
    )


@click.command(name="clip-zoo")
@click.argument("names", nargs=-1, type=click.Choice([demo.name for demo in CLIP_DEMOS]))
@click.option(
    "--work", required=True, type=click.Path(path_type=Path), help="Pictures and checkpoints."
)
@click.option(
    "--assets", type=click.Path(path_type=Path), help="Where; the package's own by default."
)
@click.option("--prove", is_flag=True, help="Only measure the weights that are there.")
@json_flag
def clip_zoo(
    names: tuple[str, ...], work: Path, assets: Path | None, prove: bool, as_json: bool
) -> None:
    """Train the shipped CLIP demos and prove each: CA, ASR, and both of its clean twin.

    A killed build goes on from the checkpoint in --work.

    JSON: built [folder].
    """
    from forensics.lab.clip_zoo import build_clip_demo, prove_clip_demo

    chosen = names or tuple(demo.name for demo in CLIP_DEMOS)
    built = [
        str(
            prove_clip_demo(name, work, assets)
            if prove
            else build_clip_demo(name, work, assets, progress_on_stderr())
        )
        for name in chosen
    ]
    emit({"built": built}, as_json, lambda: "\n".join(built))
