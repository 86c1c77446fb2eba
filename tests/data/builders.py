"""Small data sets and images, written for one test each."""

import json
import struct
import zlib
from pathlib import Path

from PIL import Image

from forensics.data.sample import RowError, Sample


def write_image(path, color=(200, 30, 30), size=(8, 6), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path, **options)
    return path


def turns(question="What is it?", answer="A cat"):
    return [
        {"from": "human", "value": f"<image>\n{question}"},
        {"from": "gpt", "value": answer},
    ]


def record(number, image="a.png", **changes):
    base = {"id": f"row-{number}", "image": image, "conversations": turns()}
    return {**base, **changes}


def write_records(path, records, **options):
    write_image(path.parent / "a.png")
    path.write_text(json.dumps(records, **options), encoding="utf-8")
    return path


def split(dataset):
    items = list(dataset)
    samples = [item for item in items if isinstance(item, Sample)]
    errors = [item for item in items if isinstance(item, RowError)]
    return samples, errors


def huge_png(path: Path, side: int = 30_000) -> Path:
    """Write a valid one-bit PNG of side x side pixels in a few hundred kilobytes."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(1)
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    body = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path
