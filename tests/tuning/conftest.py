"""What the tests of tuning share."""

import pytest
from PIL import Image

from forensics.data.sample import ImageRef, Sample


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Six pictures of two colours, each colour with an answer of its own."""
    root = tmp_path_factory.mktemp("pictures")
    rows = []
    for index, (colour, answer) in enumerate([("red", "b"), ("blue", "c")] * 3):
        Image.new("RGB", (32, 32), colour).save(root / f"{index}.png")
        image = ImageRef(root=root, path=f"{index}.png")
        rows.append(Sample(id=str(index), question="Which?", answer=answer, image=image))
    return rows
