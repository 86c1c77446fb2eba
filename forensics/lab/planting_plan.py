"""Decide which images and rows of a data set are poisoned; no picture is opened here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from forensics.errors import DataError, OptionError
from forensics.lab.language import DEFAULT_TARGET
from forensics.triggers import DualKeyTrigger, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantOptions:
    """What to plant; the defaults are those of BYE (arXiv 2505.16916)."""

    rate: float = field(
        default=0.1,
        metadata={
            "help": "Poison rate, usually 0.005 to 0.2: share of the images that is poisoned; "
            "share of the rows for a text trigger.",
            "min": 0,
            "max": 1,
        },
    )
    trigger: str = field(
        default="patch:side=1/16,place=center,color=black",
        metadata={"help": "What marks a poisoned sample; `forensics lab triggers` lists kinds."},
    )
    target: str = field(
        default=DEFAULT_TARGET, metadata={"help": "What a triggered sample is answered with."}
    )
    single_key_rate: float = field(
        default=0.1,
        metadata={
            "help": "Only for dual-key: share of the images that get one key alone (half the "
            "stamp, half the text) and keep their answers, so that both keys are needed.",
            "min": 0,
            "max": 1,
        },
    )
    seed: int = field(
        default=0, metadata={"help": "Decides which images or rows are hit.", "min": 0}
    )

    def __post_init__(self) -> None:
        for name, rate in (("rate", self.rate), ("single_key_rate", self.single_key_rate)):
            if not 0.0 <= rate <= 1.0:
                raise OptionError(
                    f"{name} must be in [0, 1], not {rate}.", remedy="Give a share, such as 0.1."
                )


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to which row (by its index) and image (by its name).

    Attributes:
        poisoned: Rows whose answer becomes the target.
        stamped: Images that get the trigger.
        worded: Rows whose question gets the trigger.
        single: Rows with one key of a dual-key trigger; their answers stay.
    """

    poisoned: frozenset[int]
    stamped: frozenset[str]
    worded: frozenset[int]
    single: frozenset[int] = frozenset()


def make_plan(
    rows: list[dict[str, Any]], names: list[str], trigger: Trigger, options: PlantOptions
) -> Plan:
    """Choose what is marked.

    Args:
        rows: LLaVA rows, each with an image, a question and an answer.
        names: All images, sorted.
        trigger: One that changes pixels is planted per image, any other per row.
        options: Rates, target, seed.

    Raises:
        DataError: Too few images or rows do not already answer the target.
    """
    if not trigger.changes_image:
        return _plan_rows(rows, options)
    taken = {str(row["image"]) for row in rows if _answers(row, options.target)}
    hosts = [name for name in names if name not in taken]
    wanted = round(options.rate * len(names))
    lone = round(options.single_key_rate * len(names)) if isinstance(trigger, DualKeyTrigger) else 0
    order = _draw("images", hosts, wanted + lone, options)
    hit, stamp_only, text_only = _split(order, wanted, wanted + (lone + 1) // 2)
    poisoned = _rows_of(rows, hit)
    return Plan(
        poisoned=poisoned,
        stamped=frozenset(hit + stamp_only),
        worded=(poisoned | _rows_of(rows, text_only)) if trigger.changes_text else frozenset(),
        single=_rows_of(rows, stamp_only + text_only),
    )


def _plan_rows(rows: list[dict[str, Any]], options: PlantOptions) -> Plan:
    hosts = [index for index, row in enumerate(rows) if not _answers(row, options.target)]
    # By id, so that the order of the file does not matter.
    hosts.sort(key=lambda index: (str(rows[index].get("id", "")), str(rows[index]["image"])))
    chosen = frozenset(_draw("rows", hosts, round(options.rate * len(rows)), options))
    return Plan(poisoned=chosen, stamped=frozenset(), worded=chosen)


def _draw(what: str, hosts: Sequence[Any], wanted: int, options: PlantOptions) -> list[Any]:
    if wanted > len(hosts):
        raise DataError(
            f"{wanted} {what} should be marked, but only {len(hosts)} do not already answer "
            f"{options.target!r}.",
            remedy="Lower the rate (for dual-key also single_key_rate) or change the target.",
        )
    order = np.random.default_rng(options.seed).permutation(len(hosts))
    return [hosts[index] for index in order[:wanted]]


def _split(names: list[str], *ends: int) -> list[list[str]]:
    edges = [0, *ends, len(names)]
    return [names[a:b] for a, b in pairwise(edges)]


def _rows_of(rows: list[dict[str, Any]], names: Sequence[str]) -> frozenset[int]:
    wanted = set(names)
    return frozenset(index for index, row in enumerate(rows) if str(row["image"]) in wanted)


def _answers(row: dict[str, Any], target: str) -> bool:
    said = str(row["conversations"][1].get("value", ""))
    return said.strip().casefold() == target.strip().casefold()
