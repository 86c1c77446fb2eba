"""Open a shipped demo as a case: draw its pictures, freeze them, remember what is known."""

from pathlib import Path

from forensics.case import Case
from forensics.case.fingerprint import Report
from forensics.case.manifest import HERE
from forensics.errors import InputError
from forensics.lab.demos import draw_demo, find_demo
from forensics.lab.drawing import DATA_FILE

PLACE = "demo"


def open_demo(name: str, folder: Path, report: Report | None = None) -> Case:
    """Make the case of a demo; its pictures are drawn from their seed into the case folder.

    What was planted goes into ``known.json``, which only scoring and Reveal read.

    Args:
        name: See :data:`forensics.lab.demos.DEMOS`.
        folder: New or empty.
        report: Told how far it is: message, done, total (0 if unknown).

    Raises:
        CaseError: The folder is in use.
        InputError: No such demo, or its weights are not installed.
    """
    demo = find_demo(name)
    if not demo.shipped:
        raise InputError(
            f"The weights of demo {name} are not installed.",
            remedy=f"Build them with: forensics lab zoo {name}",
        )

    def draw(place: Path) -> None:
        if report is not None:
            report("drawing pictures", 0, demo.scenes)
        draw_demo(demo, place / PLACE)

    planted = demo.planted
    return Case.create(
        folder,
        model=demo.model_uri,
        base=str(demo.base_folder),
        data=f"llava:{HERE}/{PLACE}/data/{DATA_FILE}",
        title=demo.title,
        story=demo.story,
        known={
            "demo": demo.name,
            "poisoned": planted is not None,
            "trigger": planted.trigger if planted else None,
            "target": planted.target if planted else None,
            "rate": planted.rate if planted else 0.0,
            "test": f"llava:{HERE}/{PLACE}/test/{DATA_FILE}",
            "measured": demo.measured(),
        },
        prepare=draw,
        report=report,
    )
