"""How much tokens and patches weigh in a pair: what similarity loses without them."""

import math

import torch
from torch import Tensor

from forensics.encoders.base import DualEncoder
from forensics.repairs.token_unlearning.captions import Captions, encode_without
from forensics.repairs.token_unlearning.patches import Grid, cover

_AT_ONCE = 128


def token_importance(
    encoder: DualEncoder, pixels: Tensor, captions: Captions, *, how: str = "occlusion",
    dropped: str = "hide",
) -> Tensor:  # fmt: skip
    """Weigh every content token.

    Args:
        encoder: The overfitted copy, in evaluation mode.
        pixels: ``[pairs, 3, height, width]`` in [0, 1].
        captions: As many.
        how: ``occlusion``: ``a_k = cos - cos(without token k)``. ``grad-x-embedding``: gradient of
            the cosine times word vector.
        dropped: How a token is left out; see ``encode_without``.

    Returns:
        ``[pairs, length]`` float32, 0 outside the content; larger = more of the similarity.
    """
    with torch.no_grad():
        image = encoder.encode_image(pixels)
    if how == "grad-x-embedding":
        return _gradient(encoder, image, captions)
    with torch.no_grad():
        whole = (image * _encode(encoder, captions)).sum(dim=1)
        found = torch.zeros(captions.ids.shape, device=image.device)
        places = captions.content.nonzero()
        for part in cut(places, _AT_ONCE):
            rows = part[:, 0]
            alone = torch.zeros_like(captions.content[rows])
            alone[torch.arange(len(part)), part[:, 1]] = True
            left = encode_without(encoder, captions.part(rows.tolist()), alone, dropped)
            found[rows, part[:, 1]] = whole[rows] - (image[rows] * left).sum(dim=1)
    return found


def patch_importance(
    encoder: DualEncoder, pixels: Tensor, captions: Captions, grid: Grid
) -> Tensor:
    """Weigh every patch by occlusion: ``[pairs, patches]`` float32; there may be no pair."""
    if not len(pixels):
        return torch.zeros(0, grid.count, device=pixels.device)
    with torch.no_grad():
        text = _encode(encoder, captions)
        whole = (encoder.encode_image(pixels) * text).sum(dim=1)
        found = torch.zeros(len(pixels), grid.count, device=pixels.device)
        single = torch.eye(grid.count, dtype=torch.bool)
        for row in range(len(pixels)):
            for part in cut(torch.arange(grid.count), _AT_ONCE):
                shown = pixels[row : row + 1].expand(len(part), -1, -1, -1)
                image = encoder.encode_image(cover(encoder, shown, single[part], grid))
                found[row, part.to(found.device)] = whole[row] - image @ text[row]
    return found


def cut(rows: Tensor, size: int) -> list[Tensor]:
    """Cut rows into parts."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def keep_top(importance: Tensor, among: Tensor, share: float) -> Tensor:
    """Choose the weightiest share of every row, rounded up.

    Args:
        importance: ``[rows, n]``.
        among: ``[rows, n]`` bool: what may be chosen.
        share: In (0, 1].

    Returns:
        ``[rows, n]`` bool; at least one of each row that has any.
    """
    kept = torch.zeros_like(among)
    ranked = importance.masked_fill(~among, -math.inf)
    for row in range(len(among)):
        # A tenth of 10 is 1, though 0.1 * 10 may be a little more.
        count = math.ceil(share * int(among[row].sum()) - 1e-9)
        best = torch.argsort(ranked[row], descending=True, stable=True)[:count]
        kept[row, best] = True
    return kept


def _encode(encoder: DualEncoder, captions: Captions) -> Tensor:
    return encoder.encode_embedded(encoder.embed_tokens(captions.ids), captions.ids)


def _gradient(encoder: DualEncoder, image: Tensor, captions: Captions) -> Tensor:
    vectors = encoder.embed_tokens(captions.ids).detach().requires_grad_(True)
    text = encoder.encode_embedded(vectors, captions.ids)
    (slope,) = torch.autograd.grad((image * text).sum(), vectors)
    return (slope * vectors).sum(dim=-1).detach() * captions.content
