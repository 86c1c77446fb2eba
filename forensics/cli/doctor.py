"""``forensics doctor``: what this machine has."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import psutil

from forensics import __version__
from forensics.cli.output import emit, json_flag

PACKAGES = {
    "torch": "vlm", "transformers": "vlm", "peft": "vlm", "gradio": "ui",
    "pyarrow": "", "safetensors": "", "scipy": "",
}  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@click.command()
@json_flag
def doctor(as_json: bool) -> None:
    """Say what this machine has: device, memory, disk, versions, and what is missing.

    JSON: version, python, device, cpus, memory_gigabytes, disk_free_gigabytes, packages, missing,
    browser.
    """
    packages = {name: _version(name) for name in PACKAGES}
    missing = [
        f"{name}: pip install 'triggerlens[{extra}]'"
        for name, extra in PACKAGES.items()
        if packages[name] is None
    ]
    report = {
        "version": __version__,
        "python": platform.python_version(),
        "device": _device() if packages["torch"] else "none (torch is missing)",
        "cpus": os.cpu_count(),
        "memory_gigabytes": round(psutil.virtual_memory().total / 1e9, 1),
        "disk_free_gigabytes": round(shutil.disk_usage(Path.cwd()).free / 1e9, 1),
        "packages": packages,
        "missing": missing,
        "browser": next((path for name in BROWSERS if (path := shutil.which(name))), None),
    }
    emit(report, as_json, lambda: _text(report))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> str:
    import torch

    if not torch.cuda.is_available():
        return f"cpu, {torch.get_num_threads()} thread(s), float32"
    properties = torch.cuda.get_device_properties(0)
    return f"cuda, {properties.name}, {properties.total_memory / 1e9:.0f} GB, bfloat16"


def _text(report: dict[str, Any]) -> str:
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in report.items()
             if key not in ("packages", "missing")]  # fmt: skip
    lines += [f"  {name} {found or 'missing'}" for name, found in report["packages"].items()]
    return "\n".join(lines + [f"missing: {what}" for what in report["missing"]])
