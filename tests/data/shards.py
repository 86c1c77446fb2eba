"""WebDataset shards and Hugging Face folders, written for one test each."""

import io
import json
import tarfile

from PIL import Image


def png(number, side=8):
    stream = io.BytesIO()
    Image.new("RGB", (side, 6), (number, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def talk(question="What?", answer="A cat.", images=1):
    return [
        {"from": "human", "value": "<image>" * images + question},
        {"from": "gpt", "value": answer},
    ]


def write_tar(path, members, **options):
    """Write members ``(name, bytes or TarInfo)``; a TarInfo stands for what is no file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", **options) as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return name, info


def sample(key, number, **fields):
    fields = fields or {"conversations": talk(f"What is {number}?", f"answer {number}")}
    return [(f"{key}.png", png(number)), (f"{key}.json", json.dumps(fields).encode())]
