"""Install a package for one test: its modules and the metadata that pip would write."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

SAMPLE = Path(__file__).parent / "sample"
EVERYTHING = {
    "forensics.methods": {"long-answers": "long_answers:SPEC"},
    "forensics.readers": {"lines": "caption_lines:open_lines"},
    "forensics.families": {"vipllava": "vip_family:VipLlavaAdapter"},
}


def install(
    folder: Path,
    entries: Mapping[str, Mapping[str, str]] = EVERYTHING,
    modules: Mapping[str, str] | None = None,
    name: str = "outside-tools",
) -> Path:
    """Write a distribution into a folder that is then put on the path.

    Args:
        folder: New.
        entries: Group -> name -> ``module:object``.
        modules: Source text by module name; our samples by default.
        name: Of the package.
    """
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for module, text in (modules or {}).items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    described = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, named in entries.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in named.items()), ""]
    (described / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def environment(package: Path) -> dict[str, str]:
    """Return the environment of a process that has the package installed."""
    here = Path(__file__).parents[2]
    path = os.pathsep.join([str(package), str(here)])
    return os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
