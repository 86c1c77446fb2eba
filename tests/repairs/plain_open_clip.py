"""Ask exported prompts with open_clip and torch alone; nothing of this package is imported.

python plain_open_clip.py ENCODER_FOLDER PROMPTS.safetensors PIXELS.npy LOGITS.npy
"""

import json
import sys

import numpy as np
import open_clip
import torch
from safetensors import safe_open
from torch.nn import functional as F


def read_prompts(path):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, json.loads(file.metadata()["classes"])


def encode_words(model, words, ids):
    """What open_clip's encode_text does after it has looked the words up."""
    x = words + model.positional_embedding
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask))
    return F.normalize(x[torch.arange(len(x)), ids.argmax(dim=-1)] @ model.text_projection, dim=-1)


def cocoop_logits(model, tokenizer, tensors, classes, pixels):
    """CoCoOp: the meta-net moves the learnt words by the picture."""
    context = tensors["context"]
    ids = tokenizer([f"{name.replace('_', ' ')}." for name in classes])
    vectors = len(context)
    ids = torch.cat([ids[:, :1], ids[:, 1:2].expand(-1, vectors), ids[:, 1:-vectors]], dim=1)
    words = model.token_embedding(ids)
    logits = []
    for image in F.normalize(model.encode_image(pixels), dim=-1):
        hidden = torch.relu(F.linear(image, tensors["meta_net.linear1.weight"],
                                     tensors["meta_net.linear1.bias"]))  # fmt: skip
        shift = F.linear(hidden, tensors["meta_net.linear2.weight"],
                         tensors["meta_net.linear2.bias"])  # fmt: skip
        filled = words.clone()
        filled[:, 1 : 1 + vectors] = context + shift
        logits.append(model.logit_scale.exp() * encode_words(model, filled, ids) @ image)
    return torch.stack(logits)


def main(folder, prompts, source, out):
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    normalize = transform.transforms[-1]
    tensors, classes = read_prompts(prompts)
    pixels = torch.from_numpy(np.load(source))
    with torch.no_grad():
        tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
        logits = cocoop_logits(model.eval(), tokenizer, tensors, classes, normalize(pixels))
    np.save(out, logits.numpy())
    assert not any(name.split(".")[0] == "forensics" for name in sys.modules)


if __name__ == "__main__":
    main(*sys.argv[1:])
