"""What is told of a method without importing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from forensics.errors import NotApplicable, OptionError

KINDS = {
    "multimodal-llm": "a multimodal language model",
    "clip": "a CLIP-like encoder",
    "any": "models of any kind",
}
"""What to call the kinds of models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Options that belong together, under one name; never what a method does by default.

    Attributes:
        name: As in ``--variant``.
        title: For people.
        words: What it does otherwise than the default, and what that was measured to be worth.
        options: Option -> value.
    """

    name: str
    title: str
    words: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """What a method needs and gives, for lists, help texts and the UI.

    Attributes:
        name: Name in the registry and on the command line.
        alias: Short name of the paper.
        kind: ``scan`` looks for evidence, ``transplant`` puts a suspected trigger to the test,
            ``repair`` removes a backdoor, ``tune`` and ``evaluate`` train and measure,
            ``self-test`` plants a trigger itself and looks whether the scans find it.
        title: For people.
        needs: What has to be at hand.
        gives: What comes out.
        paper: Title of the source; empty for our own tools.
        arxiv: arXiv id; empty for our own tools.
        reconstruction: True while the method is rebuilt from partial sources.
        builds_on: ``arrays`` decides from a finished attention scan where there is one and scans
            itself otherwise; ``flags`` cannot start before a scan flagged samples, ``any-flags``
            before a scan or people did; ``triggers`` cannot start before a trigger inversion.
        acts_on: Kind of model that it can examine, as in :mod:`forensics.models.kinds`; ``any``
            for one that looks at data or at arrays of either.
        options: ``module:Class`` of the options dataclass.
        job: ``module:function`` that runs it on a case.
        variants: Named sets of options that can be started as easily as the defaults.
    """

    name: str
    alias: str = ""
    kind: Literal["scan", "transplant", "repair", "tune", "evaluate", "self-test"]
    title: str
    needs: str
    gives: str
    paper: str = ""
    arxiv: str = ""
    reconstruction: bool = False
    builds_on: Literal["nothing", "arrays", "flags", "any-flags", "triggers"] = "nothing"
    acts_on: Literal["multimodal-llm", "clip", "any"] = "multimodal-llm"
    options: str
    job: str
    variants: tuple[Variant, ...] = ()

    def variant(self, name: str) -> dict[str, Any]:
        """Return the options of a variant.

        Raises:
            OptionError: The method has none of that name.
        """
        for one in self.variants:
            if one.name == name:
                return dict(one.options)
        known = ", ".join(one.name for one in self.variants) or "none"
        raise OptionError(
            f"{self.name} has no variant {name[:40]!r}.", remedy=f"There are: {known}."
        )

    def fits(self, kind: str) -> bool:
        """Tell whether the method can examine models of a kind."""
        return self.acts_on in ("any", kind)

    def check_fits(self, kind: str) -> None:
        """Refuse a kind of model that the method cannot examine.

        Raises:
            NotApplicable: It is of another kind.
        """
        if not self.fits(kind):
            raise NotApplicable(
                f"{self.name} examines {KINDS.get(self.acts_on, self.acts_on)}; "
                f"this case is about {KINDS.get(kind, kind)}.",
                remedy="forensics methods tells what each method examines.",
            )
