"""What a section is made from, and what makes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from forensics.case import Case
from forensics.report.blocks import Block
from forensics.report.facts import Sure
from forensics.report.pictures import Pictures
from forensics.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A finished run, its result, its case, and the pictures that the report may still take."""

    case: Case
    run: Run
    result: dict[str, Any]
    pictures: Pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The blocks of a section and its rows of the table "How sure"."""

    blocks: tuple[Block, ...] = ()
    sure: tuple[Sure, ...] = ()


Teller = Callable[[Source], Told]
