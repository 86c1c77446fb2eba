"""Find the shards that ``wds:`` names: a tar file, a folder, a pattern, or a range of numbers."""

import re
from pathlib import Path

from forensics.data.locate import ImageLocator
from forensics.data.records import BadRow, shown
from forensics.errors import DataError

MAX_SHARDS = 10_000
_RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
_FORMS = "Name local files: wds:/shards-{000..010}.tar, wds:/folder/*.tar or wds:/folder."


def find_shards(text: str) -> tuple[Path, str, tuple[Path, ...]]:
    """Return the folder, the part of the URI after it, and the shards in order.

    Nothing is fetched and no command is run: the URLs and pipes that the WebDataset library would
    follow are refused.

    Raises:
        DataError: They are not local, missing, too many, packed, or lead out of their folder.
    """
    if text.startswith("pipe:") or "://" in text or "::" in text:
        raise DataError(f"{shown(text)} names no local shards.", remedy=_FORMS)
    place = Path(text).expanduser().absolute()
    folder, pattern = (place, "*.tar") if place.is_dir() else (place.parent, place.name)
    if re.search(r"[*?{}\[\]]", str(folder)) and not folder.is_dir():
        raise DataError(f"{shown(text)}: a pattern stands in the folder.", remedy=_FORMS)
    names = _names(folder, pattern)
    if not names:
        raise DataError(f"{folder / pattern} matches no shards.", remedy=_FORMS)
    if len(names) > MAX_SHARDS:
        raise DataError(f"{folder / pattern} names over {MAX_SHARDS:,} shards.", remedy=_FORMS)
    locator = ImageLocator(folder)
    return folder, pattern, tuple(_checked(locator, folder, name) for name in names)


def _names(folder: Path, pattern: str) -> list[str]:
    if "{" in pattern or "}" in pattern:
        return _expand(pattern)
    if re.search(r"[*?\[]", pattern):
        return sorted(path.name for path in folder.glob(pattern) if not path.name.startswith("."))
    return [pattern]


def _expand(pattern: str) -> list[str]:
    """Return the names that ``{000..010}`` stands for, padded with zeros as it is written."""
    found = _RANGE.search(pattern)
    if found is None or "{" in pattern[: found.start()] or "{" in pattern[found.end() :]:
        raise DataError(f"{shown(pattern)}: the braces are not understood.", remedy=_FORMS)
    first, last = int(found[1]), int(found[2])
    if last < first or last - first >= MAX_SHARDS:
        raise DataError(f"{shown(pattern)}: not a range of shards.", remedy=_FORMS)
    is_padded = any(end.startswith("0") and len(end) > 1 for end in found.groups())
    width = max(map(len, found.groups())) if is_padded else 0
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [f"{before}{number:0{width}d}{after}" for number in range(first, last + 1)]


def _checked(locator: ImageLocator, folder: Path, name: str) -> Path:
    if not name.lower().endswith(".tar"):
        raise DataError(
            f"{folder / name} is no .tar file.",
            remedy="Unpack .tar.gz to .tar first: images are read out of the middle of a shard.",
        )
    try:
        locator.locate(name)
    except BadRow as bad:
        reason = bad.reason.replace("image ", "shard ")
        raise DataError(f"{folder}: {reason}.", remedy="Check the path.") from None
    return folder / name
