import subprocess
import sys

from forensics.detectors.options.attention_entropy import AttentionEntropyOptions
from forensics.options import describe_options


def test_every_option_says_what_it_does_and_has_a_default_in_its_range() -> None:
    for option in describe_options(AttentionEntropyOptions):
        assert option.help.endswith(".")
        assert not option.choices or option.default in option.choices


def test_the_options_import_no_numpy() -> None:
    code = (
        "import sys, forensics.detectors.options.attention_entropy;"
        "print(sorted({'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_detector_imports_no_torch() -> None:
    code = "import sys, forensics.detectors.attention_entropy; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
