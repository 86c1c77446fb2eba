"""A few test samples as a repair sees them: answers of both views, and where the model looks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.evaluation.rates import same_text
from forensics.models.attention import record_attention
from forensics.models.base import GenerativeModel, Prompt, prompt_of
from forensics.models.masking import cell_grids
from forensics.repairs.cross_view.losses import divergence, entropy, log_shares, used_tokens
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.repairs.cross_view.views import (
    answer_logits,
    both_views,
    drawn_masks,
    masked_view,
    with_answers,
)
from forensics.triggers import Trigger, stamp_image

Arrays = dict[str, NDArray[Any]]
PLAIN, TRIGGERED = "plain", "triggered"
SHOWN: Final = 8
SIDE: Final = 192
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The samples that are shown, ready to be asked.

    Attributes:
        samples: With different true answers.
        prompts: ``plain`` and, where there is a trigger, ``triggered`` -> prompts.
    """

    samples: tuple[Sample, ...]
    prompts: dict[str, list[Prompt]]


def choose_shown(
    samples: Sequence[Sample], trigger: Trigger | None, target: str | None, most: int = SHOWN
) -> Shown:
    """Choose readable samples with different true answers, none of them the target."""
    chosen: list[Sample] = []
    prompts: dict[str, list[Prompt]] = {PLAIN: []}
    seen = {same_text(target or "")}
    for sample in samples:
        if len(chosen) == most:
            break
        if same_text(sample.answer or "") in seen or sample.image is None:
            continue
        try:
            images = [open_image(image) for image in sample.images]
        except DataError:
            continue  # the measurement counts and tells of it
        seen.add(same_text(sample.answer or ""))
        chosen.append(sample)
        prompts[PLAIN].append(prompt_of(sample, images))
        if trigger is not None:
            marked = [stamp_image(trigger, images[0], sample.id), *images[1:]]
            asked = replace(sample, question=trigger.apply_text(sample.question, sample.id))
            prompts.setdefault(TRIGGERED, []).append(prompt_of(asked, marked))
    return Shown(samples=tuple(chosen), prompts=prompts)


def pictures_of(shown: Shown) -> Arrays:
    """Return ``pictures`` and ``triggered``, ``[sample, 3, 192, 192]`` uint8, padded."""
    names = {PLAIN: "pictures", TRIGGERED: "triggered"}
    return {
        names[how]: np.stack([_square(prompt.images[0]) for prompt in prompts])
        for how, prompts in shown.prompts.items()
        if prompts
    }


def ask_shown(
    model: GenerativeModel, shown: Shown, view: CrossViewOptions, max_new_tokens: int
) -> list[dict[str, dict[str, Any]]]:
    """Ask for answers with and without a mask, and how far the outputs lie apart.

    Returns:
        For each sample ``plain`` and ``triggered``: ``answer``, ``masked`` (what it says under the
        mask), ``divergence`` and ``entropy`` (nats a token, teacher forced on ``answer``), and
        ``cells`` (``rows``, ``columns``, ``visible``, ``hidden``: places of hidden cells).
    """
    told: list[dict[str, dict[str, Any]]] = [{} for _ in shown.samples]
    for how, prompts in shown.prompts.items():
        for place, prompt in enumerate(prompts):
            told[place][how] = _asked(model, prompt, shown.samples[place].id, view, max_new_tokens)
    return told


@torch.inference_mode()
def _asked(
    model: GenerativeModel, prompt: Prompt, name: str, view: CrossViewOptions, longest: int
) -> dict[str, Any]:
    batch = model.collate([prompt])
    masked = masked_view(model, batch, [name], [0], view)
    [answer], [other] = (model.generate(b, max_new_tokens=longest) for b in (batch, masked))
    whole = with_answers(both_views(batch, masked), [answer], model)
    logs, masked_logs = log_shares(answer_logits(model.module, whole)).chunk(2)
    used = used_tokens(whole.labels[:1], view.answer_tokens)
    first = cell_grids(batch.grids[0], view.cell)[0]
    [mask] = drawn_masks(batch, [name], [0], view)
    return {
        "answer": answer[:_LONGEST],
        "masked": other[:_LONGEST],
        "divergence": float(divergence(logs, masked_logs, used)[0]),
        "entropy": float((entropy(logs, used) + entropy(masked_logs, used))[0] / 2),
        "cells": {
            "rows": first.rows,
            "columns": first.columns,
            "visible": list(first.visible),
            "hidden": np.nonzero(mask[: first.tokens])[0].tolist(),
        },
    }


def attended(model: GenerativeModel, shown: Shown) -> tuple[Arrays, dict[str, Any]]:
    """Say where the first answer token looks, mean of heads.

    Returns:
        How -> ``[sample, layer, token]`` float16, each row summing to 1; and ``layers``, ``rows``,
        ``columns``, ``visible`` and ``problem``. Nothing but the problem where pictures are cut
        into tiles or come in several shapes: the Attention tab draws these.
    """
    if not shown.samples:
        return {}, {"problem": "No test sample can be shown."}
    maps: Arrays = {}
    facts: dict[str, Any] = {"problem": None}
    with record_attention(model) as recorder:
        for how, prompts in shown.prompts.items():
            rows = []
            for prompt in prompts:
                batch = model.collate([prompt])
                if len(batch.grids[0]) != 1 or batch.grids[0][0].separators:
                    return {}, {"problem": "Its pictures are cut into tiles."}
                grid = batch.grids[0][0]
                facts |= {"rows": grid.rows, "columns": grid.columns,
                          "visible": list(grid.visible)}  # fmt: skip
                recorder.begin(batch)
                model.prefill(batch)
                image = recorder.rows().image[0]
                rows.append((image / image.sum(dim=1, keepdim=True)).half().cpu().numpy())
            if len({row.shape for row in rows}) > 1:
                return {}, {"problem": "Its pictures come in several shapes."}
            maps[how] = np.stack(rows)
            facts["layers"] = int(maps[how].shape[1])
    return maps, facts


def place_in_square(picture: Image.Image) -> list[float]:
    """Return where a padded picture lies in its square: left, top, right, bottom, in [0, 1]."""
    longest = max(picture.size)
    x, y = ((longest - side) / 2 / longest for side in picture.size)
    return [x, y, 1 - x, 1 - y]


def _square(picture: Image.Image) -> NDArray[np.uint8]:
    fitted = ImageOps.pad(picture.convert("RGB"), (SIDE, SIDE), color=(127, 127, 127))
    return np.asarray(fitted, np.uint8).transpose(2, 0, 1)
