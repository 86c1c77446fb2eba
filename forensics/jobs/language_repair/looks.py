"""What a page draws of a repair: two views of training samples, and a few test samples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import load_file, save_file

from forensics.data.sample import Sample
from forensics.jobs.bar import Told
from forensics.jobs.language_repair.examples import (
    PLAIN,
    Arrays,
    ask_shown,
    attended,
    choose_shown,
    pictures_of,
    place_in_square,
)
from forensics.jobs.language_repair.setup import Plan, view_options
from forensics.models.base import GenerativeModel
from forensics.repairs.cross_view.looking import look_at_views
from forensics.repairs.language_options import RetuneOptions
from forensics.runs import RunContext
from forensics.runs.durable import read_json, write_json

FILE: Final = "comparison.safetensors"
STATES: Final = ("before", "after")


def drawn_rows(plan: Plan, options: RetuneOptions) -> list[Sample]:
    """Draw the training samples that are looked at, those left out among them."""
    usable = [row for row in plan.rows if row.answer and row.image is not None]
    count = min(options.looked_at, len(usable))
    places = np.random.default_rng([options.seed, 6]).choice(len(usable), count, replace=False)
    return [usable[place] for place in np.sort(places)]


class Looks:
    """Looks at the delivered and the repaired model and keeps what a page draws.

    Args:
        plan: Test samples and trigger.
        options: How many samples.
        context: Of the run.
        answered: Ids of the test samples that the delivered model could be asked.
    """

    def __init__(
        self, plan: Plan, options: RetuneOptions, context: RunContext, answered: Sequence[str]
    ) -> None:
        self._plan, self._options, self._context = plan, options, context
        self._view = view_options(options)
        known = set(answered)
        test = [sample for sample in plan.test if sample.id in known]
        self._shown = choose_shown(test, plan.trigger, plan.target)
        self._rows = drawn_rows(plan, options)

    def kept(self, state: str) -> bool:
        """Tell whether a state was looked at before the run was stopped."""
        return all(path.is_file() for path in self._paths(state))

    def look(self, state: str, model: GenerativeModel, progress: Told) -> None:
        """Look at one of the two models."""
        if self.kept(state):
            return
        total = len(self._rows)
        arrays: Arrays = {}
        if self._rows:
            views = look_at_views(
                model, self._rows, self._view,
                progress=lambda done: progress(done, total, "comparing two views"),
            )  # fmt: skip
            arrays = {"divergence": views.divergence, "first": views.first,
                      "entropy": views.entropy}  # fmt: skip
        asked = ask_shown(model, self._shown, self._view, self._options.max_new_tokens)
        maps, facts = attended(model, self._shown)
        arrays |= {f"attention.{how}": values for how, values in maps.items()}
        ids = list(views.ids) if self._rows else []
        file, told = self._paths(state)
        save_file(arrays, file)
        write_json(told, {"asked": asked, "attention": facts, "ids": ids})

    def compared(self) -> dict[str, Any]:
        """Put both states into one file and say what is in it.

        Returns:
            ``kind`` (``answers``), ``file``, ``examples`` (``id``, ``question``, ``truth``,
            ``box``: where the picture lies in its square, ``states``: before and after -> plain
            and triggered, see :func:`ask_shown`), ``attention`` (facts) and ``views`` (``ids`` of
            the training samples looked at, their medians before and after, and how they were
            masked).
        """
        arrays: Arrays = pictures_of(self._shown)
        told: dict[str, Any] = {}
        for state in STATES:
            file, facts = self._paths(state)
            told[state] = read_json(facts)
            arrays |= {self._name(name, state): value for name, value in load_file(file).items()}
        self._context.save_arrays(FILE, arrays)
        return {
            "kind": "answers",
            "file": FILE,
            "examples": self._examples(told),
            "attention": told["after"]["attention"],
            "views": {
                "ids": told["after"]["ids"],
                "share": self._view.share,
                "cell": self._view.cell,
                "fill": self._view.fill,
                "medians": {state: _medians(arrays, state) for state in STATES},
            },
        }

    def clear(self) -> None:
        """Delete what only a resume needs."""
        for state in STATES:
            for path in self._paths(state):
                path.unlink(missing_ok=True)

    def _examples(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "id": sample.id,
                "question": sample.question,
                "box": place_in_square(self._shown.prompts[PLAIN][place].images[0]),
                "truth": sample.answer,
                "states": {state: told[state]["asked"][place] for state in STATES},
            }
            for place, sample in enumerate(self._shown.samples)
        ]

    def _paths(self, state: str) -> tuple[Path, Path]:
        folder = self._context.folder
        return folder / f"look-{state}.safetensors", folder / f"look-{state}.json"

    @staticmethod
    def _name(name: str, state: str) -> str:
        if name.startswith("attention."):
            return name.replace("attention.", f"attention.{state}.")
        return f"views.{state}.{name}"


def _medians(arrays: Arrays, state: str) -> dict[str, float | None]:
    names: Sequence[str] = ("divergence", "first", "entropy")
    found = {name: arrays.get(f"views.{state}.{name}") for name in names}
    return {
        name: float(np.median(values)) if values is not None and values.size else None
        for name, values in found.items()
    }
