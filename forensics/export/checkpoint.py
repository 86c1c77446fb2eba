"""Write what a repair made of a model, with a note of where it comes from."""

import hashlib
import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics import __version__
from forensics.case import Case
from forensics.errors import CaseError, OptionError
from forensics.export.atomic import refuse_existing, whole_file
from forensics.export.command import command_line
from forensics.export.model_folder import NOTE, write_model_folder
from forensics.registry import methods
from forensics.repairs.repulsive_prompts import LOADER
from forensics.runs import Run, State
from forensics.runs.plain import plain
from forensics.runs.versions import versions

_FILE = ".safetensors"
FOLDER = "repaired"  # where a run leaves a whole model
WHOLE = ("token-unlearning", "fine-tuning", "clean-clip", "perturb-recover", "discard-tune")
LANGUAGE = "multimodal-llm"
VISUAL = ("repulsive-prompts", "visual-prompts")
RETUNED = ("samples", "start", "objective", "steps")  # of language models: what, from what
JUDGED = ("judged_by", "known_trigger", "judged_run")  # by which trigger attack success is counted
MEASURED = ("before", "after", "controls", "reference", "fresh", *JUDGED, "sentence", "switch")


def export_checkpoint(
    case: Case, to: Path, *, run_id: str | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Copy what a repair made out of a run, and write its provenance beside it.

    Beside visual prompts also goes the loader that opens them where this program is not: ours, not
    the one that lies in the case, which may be anybody's.

    Args:
        case: The case.
        to: New file, ``.safetensors``; the note is ``<name>.provenance.json`` beside it. For a
            repair that leaves a whole model: new folder, with ``provenance.json`` inside.
        run_id: A repair; the latest finished one by default.
        overwrite: Replace files that are there.

    Returns:
        ``run``, ``path``, ``provenance``, ``sha256`` (of a folder: one for each file), ``method``;
        ``loader`` of visual prompts.

    Raises:
        CaseError: There is no finished repair, or its file is gone.
        OptionError: The name does not end in ``.safetensors``, or ends so for a folder.
        DataError: A file is in the way, or cannot be written.
    """
    if to.suffix not in ("", _FILE):
        raise OptionError(
            f"{to.name!r} should end in {_FILE}.",
            remedy="For instance: prompts.safetensors; without a dot for a whole model.",
        )
    run = _repair(case, run_id)
    result = run.result()
    name = str(result.get("checkpoint") or "")
    model = run.folder / FOLDER
    if name == FOLDER and model.is_dir() and not model.is_symlink():
        return _export_folder(case, run, model, to, overwrite=overwrite)
    source = run.path(name) if name not in ("", FOLDER) else None
    if source is None or not source.is_file():
        raise CaseError(f"Run {run.id} left no checkpoint.", remedy="Repair again.")
    if to.suffix != _FILE:
        raise OptionError(f"{to.name!r} should end in {_FILE}.", remedy="Add it to the name.")
    note = to.with_suffix(".provenance.json")
    loader = to.with_name(LOADER.name) if run.method in VISUAL else None
    for place in (to, note, *([loader] if loader else [])):
        refuse_existing(place, overwrite=overwrite)
    with whole_file(to, overwrite=overwrite) as partial:
        shutil.copyfile(source, partial)
    with to.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    told = json.dumps(_provenance(case, run, result, digest), indent=2, ensure_ascii=False)
    with whole_file(note, overwrite=overwrite) as partial:
        partial.write_text(told + "\n", encoding="utf-8")
    if loader is not None:
        with whole_file(loader, overwrite=overwrite) as partial:
            shutil.copyfile(LOADER, partial)
    outcome = {
        "run": run.id,
        "method": run.method,
        "path": str(to),
        "provenance": str(note),
        "sha256": digest,
    }
    if loader is not None:
        outcome["loader"] = str(loader)
    case.journal.record("export checkpoint", **outcome)
    return outcome


def _export_folder(
    case: Case, run: Run, source: Path, to: Path, *, overwrite: bool
) -> dict[str, Any]:
    if to.suffix == _FILE:
        raise OptionError(
            f"Run {run.id} left a whole model, which is a folder.",
            remedy=f"Name a folder, for instance: --to {to.stem}",
        )

    def tell(digests: dict[str, str]) -> str:
        note = _provenance(case, run, run.result(), digests)
        return json.dumps(note, indent=2, ensure_ascii=False)

    digests = write_model_folder(source, to, tell, overwrite=overwrite)
    outcome: dict[str, Any] = {
        "run": run.id,
        "method": run.method,
        "path": str(to),
        "provenance": str(to / NOTE),
        "sha256": digests,
    }
    case.journal.record("export checkpoint", **outcome)
    return outcome


def _repair(case: Case, run_id: str | None) -> Run:
    names = {spec.name for spec in methods().values() if spec.kind == "repair"}
    if run_id is not None:
        run = case.run(run_id)
        if run.method not in names:
            raise CaseError(
                f"Run {run.id} is one of {run.method}, which repairs nothing.",
                remedy="Name a run of: " + ", ".join(sorted(names)),
            )
        return run
    for run in case.runs():
        finished = run.method in names and run.status().state is State.FINISHED
        if finished and run.result().get("checkpoint"):  # one may have refused, with a reason
            return run
    raise CaseError(
        "The case has no finished repair.",
        remedy=f"Run: forensics repair METHOD --case {case.folder}",
    )


def _provenance(
    case: Case, run: Run, result: dict[str, Any], digest: str | dict[str, str]
) -> dict[str, Any]:
    """Say what the file is, what it was made from, and what was measured."""
    manifest = case.manifest
    told: dict[str, Any] = plain(
        {
            "what": _what(run.method, result),
            "open_with": _open_with(result, manifest.base),
            "sha256": digest,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "program": f"forensics {__version__}",
            "versions": versions(),
            "model": manifest.model,
            "base": manifest.base,
            "hashes": {name: asdict(found) for name, found in manifest.hashes.items()},
            "method": run.method,
            "run": run.id,
            "scan": result.get("scan"),
            "target": result.get("target"),
            "options": run.options,
            "command": command_line(run),
            "shots": result.get("shots"),
            "pairs": result.get("pairs"),
            **{name: result.get(name) for name in RETUNED if name in result},
            "test": result.get("test"),
            "measured": {name: result.get(name) for name in MEASURED},
        }
    )
    return told


def _what(method: str, result: dict[str, Any]) -> str:
    spec = methods()[method]
    rebuilt = " (reconstruction of the method)" if spec.reconstruction else ""
    if spec.acts_on == LANGUAGE:
        what = "a LoRA adapter" if result.get("adapter") else "all weights"
        return f"{what} of a multimodal language model, tuned anew by {method}{rebuilt}"
    kinds = {"linear-probe": "a linear layer on the image vectors"}
    kinds |= dict.fromkeys(VISUAL, "visual prompts") | dict.fromkeys(WHOLE, "all weights")
    return f"{kinds.get(method, 'learnt prompts')} of a CLIP after a repair{rebuilt}"


def _open_with(result: dict[str, Any], base: str | None) -> str | None:
    """Say how a tuned language model is opened where this program is not; ``None`` for others."""
    if "adapter" not in result:
        return None
    whole = "transformers.AutoModelForImageTextToText.from_pretrained"
    if not result["adapter"]:
        return f"{whole}(FOLDER), transformers.AutoProcessor.from_pretrained(FOLDER)"
    name = (base or "BASE").removeprefix("hf:")
    return (
        f"peft.PeftModel.from_pretrained({whole}(BASE), FOLDER), where FOLDER is this folder and "
        f"BASE the model that was tuned: {name}"
    )
