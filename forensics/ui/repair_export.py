"""A repaired model as one file to take away: the model, its provenance, what opens it."""

import tempfile
import zipfile
from pathlib import Path

from forensics.case import Case
from forensics.errors import CaseError
from forensics.export.checkpoint import export_checkpoint
from forensics.ui.views.repair_rates import WHOLE

STEM = "repaired-prompts"  # what learnt prompts have been called in these files from the start
NAMES = {"linear-probe": "linear-probe", "trigger-tuning": STEM}


def zip_repair(case: Case, run_id: str) -> Path:
    """Export a repair into the case, and pack the model and its provenance for a download.

    Returns:
        A temporary file; whoever asked deletes it.

    Raises:
        CaseError: The run left no repaired model.
    """
    run = case.run(run_id)
    place = case.folder / "exports"
    place.mkdir(mode=0o700, exist_ok=True)
    whole = run.result().get("checkpoint") == WHOLE
    to = place / (run.id if whole else f"{run.id}.safetensors")
    told = export_checkpoint(case, to, run_id=run.id, overwrite=True)
    parts = _folder(Path(told["path"])) if whole else _files(run.method, told)
    with tempfile.NamedTemporaryFile(suffix=".zip", delete=False) as file:
        path = Path(file.name)
    try:
        # Weights do not get smaller by deflating them, only later.
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
            for name, source in parts.items():
                packed.write(source, name)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CaseError(f"The model cannot be packed: {error.strerror}.") from error
    return path


def _folder(folder: Path) -> dict[str, Path]:
    """Name the plain files of an exported folder."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.is_symlink()]
    return {f"repaired/{file.name}": file for file in files}


def _files(method: str, told: dict[str, str]) -> dict[str, Path]:
    stem = NAMES.get(method, "visual-prompts")
    parts = {
        f"{stem}.safetensors": Path(told["path"]),
        f"{stem}.provenance.json": Path(told["provenance"]),
    }
    if "loader" in told:
        parts[Path(told["loader"]).name] = Path(told["loader"])
    return parts
