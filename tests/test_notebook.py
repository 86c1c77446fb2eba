"""The notebook runs from its first cell to its last, in a fresh folder, and is kept without output.

It runs in processes of its own: a kernel has threads and warnings that are not ours.
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from forensics.lab.demos import find_demo

HOME = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((HOME / "notebooks").glob("*.ipynb"))

EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=300, kernel_name="python3",
               resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[3])
"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_sound_and_kept_without_output(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.skipif(not find_demo("vlm-patch").shipped, reason="the demo's weights are missing")
def test_the_investigation_runs_and_says_what_it_found(tmp_path: Path) -> None:
    done_path, work = tmp_path / "done.ipynb", tmp_path / "work"
    work.mkdir()
    changed = {"IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_DATA_DIR": str(tmp_path / "data"),
               "JUPYTER_RUNTIME_DIR": str(tmp_path / "run"), "PYTHONPATH": str(HOME),
               "OMP_NUM_THREADS": "1", "JUPYTER_PLATFORM_DIRS": "1",
               "PYTHONWARNINGS": "ignore:IProgress not found"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, HOME / "notebooks/investigate.ipynb", work, done_path],
        env=os.environ | changed, check=False, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    cells = nbformat.read(done_path, as_version=4).cells
    outputs = [one for cell in cells for one in cell.get("outputs", ())]
    printed = "".join(one.get("text", "") for one in outputs)
    assert not [one for one in outputs if one.get("name") == "stderr"], outputs
    assert sum("image/png" in one.get("data", ()) for one in outputs) == 2
    assert "SUSPICIOUS" in printed and "36 of 300 samples are flagged" in printed
    assert "1964 samples kept, 36 removed" in printed
    assert (work / "exports/report.html").is_file() and (work / "exports/clean/data.json").is_file()
