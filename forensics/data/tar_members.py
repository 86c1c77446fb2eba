"""List the members of a plain tar file from strangers; nothing is ever unpacked.

A reader of our own instead of :mod:`tarfile`: that one loads extended headers of any size, follows
sparse maps and links, and does not say where the headers of a member begin, which an exact copy
of the member needs. Source: POSIX.1-2017, pax, and the GNU tar manual, "Basic Tar Format".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forensics.data.records import BadRow, shown

BLOCK = 512
MAX_HEADER_BYTES = 64 << 10  # of a long name or a set of extended attributes
MAX_NAME_CHARACTERS = 1024
_REGULAR = (b"0", b"\0", b"7")
_FOLDER = b"5"
_EXTRA = {b"L": "long name", b"K": "long link", b"x": "attributes", b"g": "attributes"}
_REFUSED = {
    b"1": "a hard link", b"2": "a link", b"3": "a device", b"4": "a device", b"6": "a pipe",
}  # fmt: skip
_ABSOLUTE = re.compile(r"[\\/]|[A-Za-z]:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a tar file.

    Attributes:
        name: Its path in the tar file; bytes that are not UTF-8 are escaped as lone surrogates.
        start: First byte of its headers.
        offset: First byte of its content.
        size: Bytes of its content.
        end: First byte after it.
        problem: Why it must not be used.
    """

    name: str
    start: int
    offset: int
    size: int
    end: int
    problem: BadRow | None = None


class BrokenTar(Exception):
    """Say why the rest of a tar file cannot be read; never leaves the readers."""


def list_members(path: Path) -> Iterator[Member]:
    """Yield the files in a tar file in order, and what stands in place of a file.

    Raises:
        BrokenTar: The file is cut off, damaged, or holds something that is not understood.
        OSError: It cannot be read.
    """
    total = path.stat().st_size
    with path.open("rb") as stream:
        start, extra, place = 0, dict[str, str](), 0
        while header := _header(stream, place):
            kind, size = header[156:157], _size(header, extra)
            offset = place + BLOCK
            end = offset + -(-size // BLOCK) * BLOCK
            if offset + size > total:
                raise BrokenTar("the file is cut off inside a member")
            if kind in _EXTRA:
                extra |= _read_extra(stream, kind, size)
                place = end
                continue
            name = extra.get("path") or _name(header)
            if kind != _FOLDER:
                problem = _problem(kind, name, extra)
                yield Member(
                    name=name, start=start, offset=offset, size=size, end=end, problem=problem
                )
            start, extra, place = end, {}, end


def _header(stream: BinaryIO, place: int) -> bytes:
    """Return the header at ``place``; empty at the mark that ends a tar file, a block of zeros."""
    stream.seek(place)
    header = stream.read(BLOCK)
    if len(header) < BLOCK:
        raise BrokenTar("the file is cut off before its end mark")
    if not header.strip(b"\0"):
        return b""
    told = _octal(header[148:156])
    if told != sum(header[:148]) + 8 * 32 + sum(header[156:]):
        raise BrokenTar("a header is damaged: its checksum is wrong")
    return header


def _octal(field: bytes) -> int:
    text = field.strip(b"\0 ")
    if not re.fullmatch(rb"[0-7]*", text):
        raise BrokenTar("a header is damaged: a number in it is none")
    return int(text or b"0", 8)


def _size(header: bytes, extra: dict[str, str]) -> int:
    field = header[124:136]
    told = extra.get("size")
    if told is not None:
        if not re.fullmatch(r"[0-9]{1,15}", told):
            raise BrokenTar("a header is damaged: a size in it is no number")
        return int(told)
    if field[0] & 0x80:  # GNU: binary, for sizes from 8 GiB
        return int.from_bytes(field[1:], "big")
    return _octal(field)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "surrogateescape")


def _read_extra(stream: BinaryIO, kind: bytes, size: int) -> dict[str, str]:
    if size > MAX_HEADER_BYTES:
        raise BrokenTar(f"a {_EXTRA[kind]} header has {size:,} bytes")
    data = stream.read(size)
    if kind == b"L":
        return {"path": data.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    return _attributes(data) if kind == b"x" else {}


def _attributes(data: bytes) -> dict[str, str]:
    """Return the attributes of an extended header: records of length, key and value."""
    found: dict[str, str] = {}
    while data.strip(b"\0"):
        length = re.match(rb"([0-9]{1,6}) ", data)
        count = int(length[1]) if length else 0
        record = data[len(length[0]) if length else 0 : count]
        key, separator, value = record.partition(b"=")
        if not separator or not value.endswith(b"\n") or count > len(data):
            raise BrokenTar("an extended header is damaged")
        found[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
        data = data[count:]
    return found


def _problem(kind: bytes, name: str, extra: dict[str, str]) -> BadRow | None:
    if kind == b"S" or any(key.startswith("GNU.sparse") for key in extra):
        raise BrokenTar("it holds a sparse file")
    if kind not in _REGULAR:
        what = _REFUSED.get(kind, f"of the unknown type {shown(kind)}")
        return BadRow(f"member {shown(name)} is {what}", "Put the file itself into the shard.")
    if _ABSOLUTE.match(name) or ".." in re.split(r"[\\/]", name):
        return BadRow(f"member {shown(name)} leads outside the shard", "Rename it.")
    if len(name) > MAX_NAME_CHARACTERS or "\0" in name:
        return BadRow(f"member {shown(name)} has a name that cannot be used", "Rename it.")
    return None
