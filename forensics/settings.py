"""What the owner of this machine has set: one small file, and variables that win over it.

Read by the server, by workers and by the command line alike, each time anew where the file has
changed, so that a warm worker follows. A setting bounds what may be done; it changes no verdict.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from forensics.errors import CaseError, OptionError
from forensics.runs.durable import read_json, write_json

VARIABLE = "TRIGGERLENS_SETTINGS"
PREFIX = "TRIGGERLENS_"
THEMES = ("auto", "light", "dark")
DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,2})?")
NUMBERS = {"megapixels": (1, 1000), "image_megabytes": (1, 4096), "request_megabytes": (1, 1024)}
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of this machine.

    Attributes:
        device: Where models run: ``auto`` (CUDA if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        megapixels: Most pixels of a picture, in millions; larger ones are reported and skipped.
        image_megabytes: Most size of an encoded picture, in 2^20 bytes.
        request_megabytes: Most size of what a page may send at once, in 2^20 bytes.
        roots: Folders that data and models may lie in; empty for any that the account can read.
        theme: ``auto`` (as the browser says), ``light`` or ``dark``.
        reviewer: Name for decisions and the audit trail where nobody logs in; empty for the
            account's.
    """

    device: str = "auto"
    megapixels: int = 64
    image_megabytes: int = 64
    request_megabytes: int = 16
    roots: tuple[str, ...] = ()
    theme: str = "auto"
    reviewer: str = ""


NAMES = tuple(field.name for field in fields(Settings))


def config_folder() -> Path:
    """Return the folder of settings and logins: ``~/.config/triggerlens``."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser().absolute() / "triggerlens"


def settings_file() -> Path:
    """Return where the settings lie; ``TRIGGERLENS_SETTINGS`` names another file."""
    given = os.environ.get(VARIABLE)
    return Path(given).expanduser().absolute() if given else config_folder() / "settings.json"


def variable(name: str) -> str:
    """Return the environment variable of a setting, which wins over the file."""
    return PREFIX + name.upper()


def current() -> Settings:
    """Return what holds now: defaults, then the file, then the environment.

    Raises:
        OptionError: A value is out of range, or the file is damaged or writable by others.
    """
    path = settings_file()
    return _read(path, _stamp(path), _environment())


def sources() -> dict[str, str]:
    """Say for each setting where its value comes from: ``default``, ``file`` or ``environment``."""
    kept, given = _kept(settings_file()), dict(_environment())
    return {
        name: "environment" if name in given else "file" if name in kept else "default"
        for name in NAMES
    }


def save(values: Mapping[str, Any]) -> Settings:
    """Change settings in the file, which only its owner can read.

    Args:
        values: By name; ``None`` for back to the default. What is not named stays.

    Raises:
        OptionError: A name or value is wrong, or the environment decides it; nothing is written.
    """
    taken = dict(_environment())
    for name in values:
        if name not in NAMES:
            raise OptionError(f"There is no setting {name[:40]!r}.")
        if name in taken:
            raise OptionError(
                f"{variable(name)} is set, and wins over the file.", remedy="Unset it first."
            )
    path = settings_file()
    kept = _kept(path) | dict(values)
    chosen = {name: value for name, value in kept.items() if value is not None}
    checked = asdict(_checked(chosen))
    for folder in checked["roots"]:  # one that vanishes later must not damage the file
        if not Path(folder).is_dir():
            raise OptionError(f"{folder[:200]!r} is no folder here.", remedy="Check the path.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(path, {name: checked[name] for name in NAMES if name in chosen})
    return current()


def check_place(path: Path, what: str) -> None:
    """Refuse a file or folder outside the folders that are allowed.

    Args:
        path: What shall be read; links are followed first.
        what: What it is, for the message: ``The data``.

    Raises:
        OptionError: It lies elsewhere.
    """
    roots = current().roots
    if not roots:
        return
    resolved = path.expanduser().resolve()
    allowed = (*map(Path, roots), cases_folder(), Path(__file__).parent)
    if not any(resolved.is_relative_to(root.resolve()) for root in allowed):
        raise OptionError(
            f"{what} {str(path)!r} lies outside the folders that are allowed here.",
            remedy=f"Allowed: {', '.join(roots)}. See Settings, or {variable('roots')}.",
        )


def cases_folder() -> Path:
    """Return the folder where the app keeps new cases; ``TRIGGERLENS_CASES`` names another."""
    given = os.environ.get("TRIGGERLENS_CASES")
    if given:
        return Path(given).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser().absolute() / "triggerlens" / "cases"


def _environment() -> tuple[tuple[str, str], ...]:
    given = ((name, os.environ.get(variable(name), "").strip()) for name in NAMES)
    return tuple((name, text) for name, text in given if text)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with content, mode and replacement of a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: object, environment: tuple[tuple[str, str], ...]) -> Settings:
    values = _kept(path)
    for name, text in environment:
        try:
            values[name] = _checked_one(name, _spelt(name, text))
        except OptionError as error:
            raise OptionError(f"{variable(name)}: {error.message}", remedy=error.remedy) from error
    return _checked(values)


def _kept(path: Path) -> dict[str, Any]:
    """Read what stands in the file; names of other versions are left aside."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return {}  # none was saved yet
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OptionError(f"Others may write to {path}.", remedy=f"chmod 600 {path}")
    try:
        found = read_json(path)
    except (CaseError, json.JSONDecodeError) as error:
        raise OptionError(f"{path} holds no settings.", remedy="Mend or remove it.") from error
    return {name: value for name, value in found.items() if name in NAMES}


def _spelt(name: str, text: str) -> Any:
    if name == "roots":
        return [part for part in text.split(os.pathsep) if part]
    return int(text) if name in NUMBERS and text.isdecimal() else text


def _checked(values: Mapping[str, Any]) -> Settings:
    return Settings(**{name: _checked_one(name, value) for name, value in values.items()})


def _checked_one(name: str, value: Any) -> Any:
    if name in NUMBERS:
        low, high = NUMBERS[name]
        if type(value) is not int or not low <= value <= high:
            raise OptionError(f"{_words(name)} must be a whole number from {low} to {high:,}.")
        return value
    if name == "roots":
        return _checked_roots(value)
    if not isinstance(value, str):
        raise OptionError(f"{_words(name)} must be text.")
    if name == "device" and not DEVICE.fullmatch(value):
        raise OptionError("Device must be auto, cpu, cuda or cuda:N.")
    if name == "theme" and value not in THEMES:
        raise OptionError(f"Theme must be one of {', '.join(THEMES)}.")
    if name == "reviewer" and (len(value) > LONGEST_NAME or not value.isprintable()):
        raise OptionError(f"Reviewer must be at most {LONGEST_NAME} visible characters.")
    return value.strip()


def _checked_roots(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise OptionError("Roots must be a list of folders.")
    for part in value:
        if "\0" in part or not Path(part).expanduser().is_absolute():
            raise OptionError(
                f"{part[:200]!r} is no folder here.",
                remedy="Give whole paths of folders, as /data.",
            )
    return tuple(str(Path(part).expanduser()) for part in value)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
