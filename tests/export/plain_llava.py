"""Ask an exported language model with transformers and peft alone.

python plain_llava.py BASE FOLDER INPUTS.npz LOGITS.npy; BASE is "-" where FOLDER is a whole model.
"""

import sys

sys.modules["forensics"] = None  # whoever imports it fails

import numpy as np  # noqa: E402
import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: E402

base, folder, inputs, out = sys.argv[1:]
if base == "-":
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    AutoProcessor.from_pretrained(folder)
else:
    found = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(found, folder)
with np.load(inputs) as file, torch.no_grad():
    given = {name: torch.from_numpy(file[name]) for name in file.files}
    np.save(out, model.eval()(**given).logits.numpy())
