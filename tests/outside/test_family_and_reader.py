"""A model family and a data format from another package, through all that a case goes through."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.outside.packages import environment, install


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("outside") / "site")


def python(package: Path, code: str, *words: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env=environment(package), check=False, capture_output=True, text=True,
    )  # fmt: skip


def draw(folder: Path, n: int = 12) -> Path:
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    for index in range(n):
        pixels = rng.integers(0, 255, (24, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{index}.png")
        words = "long " * 40 if index == 5 else f"thing {index}"
        lines.append(f"images/{index}.png\t{words}\n")
    lines.insert(2, "a line without a tab\n")
    (folder / "set.txt").write_text("".join(lines), encoding="utf-8")
    return folder / "set.txt"


ROUND_TRIP = """
import sys, forensics as fx
from pathlib import Path
from forensics.data.open import open_dataset
model, data, folder, clean = sys.argv[1:]
case = fx.new_case(folder, model=model, data=f"lines:{data}")
facts = fx.show(case)
assert (facts.n, facts.errors) == (12, 1), facts
run = fx.scan(case, "long-answers")
assert run.result["flagged"] == 1
written = fx.export_dataset(case, clean, run=run, use_flags=True)
assert (written.facts["kept"], written.facts["removed"]) == (11, 1), written
before = [s for s in open_dataset(f"lines:{data}") if getattr(s, "answer", None)]
after = list(open_dataset(f"lines:{clean}"))
kept = [s for s in before if not s.answer.startswith("long")]
assert [(s.question, s.answer, s.image.path) for s in after] == [
    (s.question, s.answer, s.image.path) for s in kept]
for one, two in zip(kept, after):
    assert (one.image.root / one.image.path).read_bytes() == (
        two.image.root / two.image.path).read_bytes()
assert fx.open_case(folder).dataset().format == "lines"
"""


def test_a_format_makes_a_case_and_its_export_opens_again(
    package: Path, tiny_llava_folder: Path, tmp_path: Path
) -> None:
    data = draw(tmp_path / "data")
    done = python(
        package, ROUND_TRIP, tiny_llava_folder, data, tmp_path / "case", tmp_path / "out/set.txt"
    )
    assert done.returncode == 0, done.stderr


MAKE = """
import sys, forensics as fx
fx.new_case(sys.argv[3], model=sys.argv[1], data=f"lines:{sys.argv[2]}")
"""
READ = """
import sys, forensics as fx
case = fx.open_case(sys.argv[1])
assert fx.show(case).n == 12
try:
    case.dataset()
except fx.ForensicsError as error:
    assert "data URI" in str(error)
else:
    sys.exit("opened")
"""


def test_without_the_package_the_format_is_unknown_and_the_case_still_opens(
    package: Path, tiny_llava_folder: Path, tmp_path: Path
) -> None:
    data = draw(tmp_path / "data")
    assert python(package, MAKE, tiny_llava_folder, data, tmp_path / "case").returncode == 0
    empty = tmp_path / "nothing"
    empty.mkdir()
    done = python(empty, READ, tmp_path / "case")
    assert done.returncode == 0, done.stderr


BROKEN_READER = """
import sys, forensics as fx
from forensics.data.open import open_dataset
for scheme in ("falls", "odd"):
    try:
        open_dataset(f"{scheme}:/x")
    except fx.ForensicsError as error:
        print(error)
    else:
        sys.exit(f"{scheme} opened")
"""


def test_a_broken_reader_is_named_and_breaks_nothing_else(tmp_path: Path) -> None:
    entries = {"forensics.readers": {"falls": "bad:falls", "odd": "bad:odd"}}
    text = (
        "def falls(rest, turns):\n    raise KeyError('x')\n\ndef odd(rest, turns):\n    return 5\n"
    )
    done = python(install(tmp_path / "site", entries, {"bad": text}), BROKEN_READER)
    assert done.returncode == 0, done.stderr
    assert "The reader of 'falls' (bad:falls) failed: KeyError: 'x'." in done.stdout
    assert "bad:odd is no reader of format 'odd'." in done.stdout


def save_tiny_vipllava(folder: Path, source: Path) -> Path:
    """Save a ViP-LLaVA with small random weights and the processor of our tiny LLaVA."""
    import torch
    from transformers import AutoConfig, AutoProcessor, VipLlavaConfig
    from transformers import VipLlavaForConditionalGeneration as VipLlava

    torch.manual_seed(0)
    llava = AutoConfig.from_pretrained(source)
    config = VipLlavaConfig(
        vision_config=llava.vision_config,
        text_config=llava.text_config,
        image_token_index=llava.image_token_index,
        vision_feature_layers=[-1, -2],
    )
    VipLlava(config).eval().save_pretrained(folder)
    AutoProcessor.from_pretrained(source).save_pretrained(folder)
    return folder


SCAN = """
import sys, forensics as fx
model, data, folder = sys.argv[1:]
case = fx.new_case(folder, model=model, data=f"lines:{data}")
run = fx.scan(case, "bye", batch_size=4)
assert run.result["n"] == 12 and run.result["failed"] == 0, run.result
arrays = run.arrays("attention.safetensors")
sums = arrays["masses"].sum(-1)
assert abs(sums - 1).max() < 0.02, sums
"""


def test_a_family_is_scanned(package: Path, tiny_llava_folder: Path, tmp_path: Path) -> None:
    model = save_tiny_vipllava(tmp_path / "model", tiny_llava_folder)
    data = draw(tmp_path / "data")
    done = python(package, SCAN, model, data, tmp_path / "case")
    assert done.returncode == 0, done.stderr


def test_a_family_that_nobody_adds_or_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    code = "from forensics.models.adapters import adapter_of\nadapter_of('vipllava')"
    (tmp_path / "nothing").mkdir()
    done = python(tmp_path / "nothing", code)
    assert "Model family 'vipllava' is not supported." in done.stderr
    broken = install(tmp_path / "broken", {"forensics.families": {"vipllava": "gone:Adapter"}})
    done = python(broken, code)
    assert "cannot be imported: ModuleNotFoundError: No module named 'gone'." in done.stderr
