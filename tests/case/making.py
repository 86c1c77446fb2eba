"""Small real data sets and a folder that passes for a model where no weights are read."""

import json

from PIL import Image

from forensics.case import Case

HOSTILE = "<img src=x onerror=alert(1)> ${7*7} \u202eüñ ‹猫›"


def make_model(folder):
    folder.mkdir(parents=True)
    (folder / "preprocessor_config.json").write_text('{"size": {"height": 64}}')
    (folder / "model.safetensors").write_bytes(bytes(range(200)))
    return folder


def make_data(folder, count=10, bad=()):
    """Write a LLaVA set with 12 x 8 images; rows in ``bad`` name images that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for row in range(count):
        name = f"image-{row}.png"
        if row not in bad:
            Image.new("RGB", (12, 8), (row, 2 * row, 250)).save(folder / name)
        turns = [
            {"from": "human", "value": f"<image>\nWhat is in {row}?"},
            {"from": "gpt", "value": HOSTILE if row == 1 else f"answer {row}"},
        ]
        record = {"id": f"s{row}", "image": name, "conversations": turns, "poisoned": row == 1}
        records.append(record)
    (folder / "train.json").write_text(json.dumps(records))
    return f"llava:{folder / 'train.json'}"


def make_case(folder, count=10, bad=()):
    model = make_model(folder / "model")
    data = make_data(folder / "data", count, bad)
    return Case.create(folder / "case", model=str(model), data=data)
