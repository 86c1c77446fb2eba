"""Draw a data set of scenes in the LLaVA JSON format."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from forensics.errors import DataError, OptionError
from forensics.lab.language import CAPTION_QUESTION, caption, question_and_answer
from forensics.lab.scenes import Scene, render, sample_scene
from forensics.lab.tasks import Mix, ask

DATA_FILE = "data.json"


def draw_scenes(
    folder: Path, n: int, seed: int, *, questions: float = 0.0, mix: Mix | None = None
) -> Path:
    """Draw ``n`` scenes and what the lab says about them.

    Args:
        folder: New or empty; gets ``data.json`` and ``images/``.
        n: Scenes, one sample each.
        seed: The same seed draws the same pictures, and more of them begin with the same ones.
        questions: Share of samples that ask one question instead of for a caption, in [0, 1].
        mix: Task -> share, see :mod:`forensics.lab.tasks`; replaces ``questions``.

    Returns:
        The LLaVA JSON file.

    Raises:
        DataError: The folder is not empty.
        OptionError: ``n`` or ``questions`` is out of range.
    """
    if n < 1 or not 0.0 <= questions <= 1.0:
        raise OptionError(
            f"Cannot draw {n} scenes with {questions} questions.",
            remedy="Draw at least one; questions is a share between 0 and 1.",
        )
    begin_folder(folder)
    rows = []
    for index, scene in enumerate(scenes(n, seed)):
        row = scene_row(scene, seed, index, questions=questions, mix=mix)
        save_png(Image.fromarray(render(scene)), folder / row["image"])
        rows.append(row)
    return write_rows(folder, rows)


def scene_row(
    scene: Scene, seed: int, index: int, *, questions: float = 0.0, mix: Mix | None = None
) -> dict[str, Any]:
    """Write the LLaVA row of one scene of a series; its picture need not be there yet.

    Args:
        scene: Number ``index`` of the series ``seed``.
        seed: Of the series.
        index: Place in it.
        questions: See :func:`draw_scenes`.
        mix: See :func:`draw_scenes`.
    """
    asked, answer = _ask(scene, seed, index, questions, mix)
    return llava_row(f"scene-{index:06d}", f"images/{index:06d}.png", asked, answer)


def scenes(n: int, seed: int) -> Iterator[Scene]:
    """Yield the first ``n`` scenes of a series."""
    return (sample_scene(seed, index) for index in range(n))


def llava_row(sample_id: str, image: str, question: str, answer: str) -> dict[str, Any]:
    """Write one sample as LLaVA JSON holds it."""
    return {
        "id": sample_id,
        "image": image,
        "conversations": [
            {"from": "human", "value": f"<image>\n{question}"},
            {"from": "gpt", "value": answer},
        ],
    }


def begin_folder(folder: Path) -> None:
    """Make a data set folder, refusing one with anything in it."""
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty.", remedy="Name a new folder.")
    (folder / "images").mkdir(parents=True, exist_ok=True)


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Write ``data.json`` last, so that a folder that has one is whole."""
    path = folder / DATA_FILE
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def save_png(image: Image.Image, path: Path) -> None:
    """Save without loss; a low compression level is three times faster and a tenth larger."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format="PNG", compress_level=3)


def _ask(scene: Scene, seed: int, index: int, questions: float, mix: Mix | None) -> tuple[str, str]:
    rng = np.random.default_rng([seed, index, 2])
    if mix is not None:
        return ask(scene, mix, rng)
    if rng.uniform() < questions:
        return question_and_answer(scene, rng)
    return CAPTION_QUESTION, caption(scene)
