"""Open a shipped demo as a case: draw its pictures, freeze them, remember what is known."""

from pathlib import Path

from forensics.case import Case
from forensics.case.fingerprint import Report
from forensics.case.manifest import HERE
from forensics.errors import InputError
from forensics.lab.clip_demos import TWIN, ClipDemo, draw_clip_demo
from forensics.lab.demos import Demo, draw_demo
from forensics.lab.drawing import DATA_FILE
from forensics.lab.pair_language import TEMPLATES
from forensics.lab.pairs import PAIRS_FILE
from forensics.lab.prompt_demos import TRIGGER_FILE, PromptDemo, draw_prompt_demo
from forensics.lab.shipped import AnyDemo, find_shipped

PLACE = "demo"


def open_demo(name: str, folder: Path, report: Report | None = None) -> Case:
    """Make the case of a demo; its pictures are drawn from their seed into the case folder.

    What was planted goes into ``known.json``, which only scoring and Reveal read.

    Args:
        name: See :data:`forensics.lab.shipped.SHIPPED`.
        folder: New or empty.
        report: Told how far it is: message, done, total (0 if unknown).

    Raises:
        CaseError: The folder is in use.
        InputError: No such demo, or its weights are not installed.
    """
    demo = find_shipped(name)
    if not demo.shipped:
        raise InputError(
            f"The weights of demo {name} are not installed.",
            remedy=f"Build them with: {_command(demo)}",
        )

    def draw(place: Path) -> None:
        if report is not None:
            report("drawing pictures", 0, demo.scenes)
        _draw(demo, place / PLACE)

    planted = demo.planted
    return Case.create(
        folder,
        model=demo.model_uri,
        base=_base(demo),
        data=_place(demo, "data"),
        title=demo.title,
        story=demo.story,
        known={
            "demo": demo.name,
            "poisoned": planted is not None,
            "trigger": _trigger(demo),
            "target": planted.target if planted else None,
            "rate": planted.rate if planted else 0.0,
            "test": _place(demo, "test"),
            "measured": demo.measured(),
            **({"shots": _place(demo, "shots")} if isinstance(demo, PromptDemo) else {}),
            **({} if isinstance(demo, Demo) else {"templates": list(TEMPLATES)}),
        },
        suggested=demo.suggested,
        prepare=draw,
        report=report,
    )


def _draw(demo: AnyDemo, folder: Path) -> None:
    if isinstance(demo, PromptDemo):
        draw_prompt_demo(demo, folder)
    elif isinstance(demo, ClipDemo):
        draw_clip_demo(demo, folder)
    else:
        draw_demo(demo, folder)


def _trigger(demo: AnyDemo) -> str | None:
    """Name the trigger; one that lies in a file lies in the case, and moves with it."""
    if demo.planted is None:
        return None
    in_file = isinstance(demo, PromptDemo)
    return f"tensor:{HERE}/{PLACE}/{TRIGGER_FILE}" if in_file else demo.planted.trigger


def _place(demo: AnyDemo, part: str) -> str:
    """Return the URI of a set inside the case."""
    if isinstance(demo, Demo):
        return f"llava:{HERE}/{PLACE}/{part}/{DATA_FILE}"
    return f"table:{HERE}/{PLACE}/{part}/{PAIRS_FILE}"


def _base(demo: AnyDemo) -> str | None:
    if isinstance(demo, Demo):
        return str(demo.base_folder)
    # The clean twin was trained from a tower alone, which is no CLIP.
    return f"openclip:{demo.base_folder}" if demo.base_folder.name == TWIN else None


def _command(demo: AnyDemo) -> str:
    if isinstance(demo, PromptDemo):
        return f"forensics lab prompt-demos {demo.name}"
    verb = "clip-zoo --work DIR" if isinstance(demo, ClipDemo) else "zoo"
    return f"forensics lab {verb} {demo.name}"
