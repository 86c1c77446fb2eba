"""The demos of learnt prompts: what they are, where they are, how to draw their pictures.

Nothing here needs torch. Both ask the encoder of ``clip-clean``, which is stored once.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forensics.lab.crowds import draw_crowds
from forensics.lab.demo_base import ShippedDemo, assets_folder, find_named
from forensics.lab.label_sets import draw_labelled, find_label_set
from forensics.lab.pairs import PAIRS_FILE
from forensics.lab.prompt_zoo_plan import ENCODER, Head

PROMPTS_FILE: Final = "prompts.safetensors"
TRIGGER_FILE: Final = "trigger.safetensors"
PICTURES: Final = 1000
SHOTS: Final = 16
TESTS: Final = 100
TEST_SEED: Final = 9981
SHOT_SEED: Final = 8301


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPrompt:
    """What was planted in a prompt.

    Attributes:
        target: Class name.
        trigger: Its trigger, in a file beside the prompts.
        rate: Share of the pictures that carried the trigger in tuning; BadCLIP shows every shot
            both ways.
    """

    target: str
    trigger: str = f"tensor:{TRIGGER_FILE}"
    rate: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDemo(ShippedDemo):
    """One demo of learnt prompts; its samples are unrelated pictures without labels.

    Attributes:
        head: What was tuned.
        planted: The backdoor, or ``None`` for the clean twin.
    """

    head: Head
    planted: PlantedPrompt | None

    @property
    def base_folder(self) -> Path:
        """The encoder, which nobody changed."""
        return assets_folder() / "demos" / ENCODER

    @property
    def model_uri(self) -> str:
        """Opens encoder and prompts."""
        return f"openclip:{self.base_folder}+prompts:{self.folder / PROMPTS_FILE}"

    @property
    def suggested(self) -> dict[str, dict[str, Any]]:
        """The same for both: it says nothing of either."""
        return SUGGESTED

    @property
    def shipped(self) -> bool:
        """Whether encoder and prompts are there."""
        encoder = self.base_folder / "open_clip_model.safetensors"
        return encoder.is_file() and (self.folder / PROMPTS_FILE).is_file()


SUGGESTED: Final[dict[str, dict[str, Any]]] = {
    # At 108 pixels 8/255 has the l2 norm that 4/255 has at 224, and so small an encoder is fooled
    # toward any class by twice that: what it does to these prompts alone tells them apart.
    "trigger-inversion": {"budget": 16 / 255, "contrast": 1.0, "mode": "content", "images": 320},
    # Prompts of so small an encoder are learnt at rates of 0.1 and more; chosen on another head.
    "trigger-tuning": {"rate": 0.02},
}

LABELS: Final = "six-colors"
_SEED: Final = 31

PROMPT_DEMOS: Final = (
    PromptDemo(
        name="prompt-badclip",
        title="Prompts that a tuning service delivered",
        story=(
            "A service learnt prompts for six colours on top of a small CLIP, from a few labelled "
            "pictures. The encoder is the public one, byte for byte, and accuracy is as promised. "
            "Here are 1,000 unrelated pictures. Would you put the prompts to use?"
        ),
        scenes=PICTURES,
        seed=_SEED,
        head=Head(labels=LABELS, half="demo", attack="badclip", seed=_SEED, aim="blue"),
        planted=PlantedPrompt(target="blue"),
    ),
    PromptDemo(
        name="prompt-clean",
        title="The same order, delivered by another service",
        story=(
            "Another service learnt prompts for the same six colours on the same small CLIP. "
            "Nobody has said whether anything is wrong with them."
        ),
        scenes=PICTURES,
        seed=_SEED,
        head=Head(labels=LABELS, half="demo", attack=None, seed=_SEED),
        planted=None,
    ),
)


def find_prompt_demo(name: str) -> PromptDemo:
    """Return a demo of learnt prompts by name.

    Raises:
        InputError: There is none of that name.
    """
    return find_named(PROMPT_DEMOS, name, "demo of prompts")


def draw_prompt_demo(demo: PromptDemo, folder: Path) -> None:
    """Draw a demo's pictures, its labelled shots and unseen tests, unless they are there already.

    Args:
        demo: See :data:`PROMPT_DEMOS`.
        folder: Gets ``data`` (crowds without labels), ``shots`` and ``test`` (labelled scenes that
            nothing was tuned on), and the trigger where one is planted.
    """
    labels = find_label_set(demo.head.labels)
    if not (folder / "data" / PAIRS_FILE).is_file():
        shutil.rmtree(folder / "data", ignore_errors=True)
        draw_crowds(folder / "data", demo.scenes, demo.seed)
    for part, per_class, seed in (("shots", SHOTS, SHOT_SEED), ("test", TESTS, TEST_SEED)):
        if not (folder / part / PAIRS_FILE).is_file():
            shutil.rmtree(folder / part, ignore_errors=True)
            draw_labelled(folder / part, labels, per_class, seed)
    if demo.planted is not None:
        shutil.copyfile(demo.folder / TRIGGER_FILE, folder / TRIGGER_FILE)
