"""Where the image towers of open_clip pool, told by their structure."""

from typing import Any

from forensics.encoders.attention import PoolingPlace
from forensics.errors import NotApplicable

REMEDY = "Choose a method that needs no attention, or a tower with a class token."


def pooling_place(visual: Any) -> PoolingPlace:
    """Say where an image tower of open_clip makes its embedding.

    Args:
        visual: The ``visual`` of a model: ``VisionTransformer``, ``TimmModel``, ``ModifiedResNet``.

    Raises:
        NotApplicable: Neither a class token nor a pooling query makes it.
    """
    if hasattr(visual, "trunk"):
        return _timm(visual)
    if hasattr(visual, "attnpool"):
        return _resnet(visual)
    if hasattr(visual, "class_embedding"):
        return _native(visual)
    raise NotApplicable(f"The image tower {type(visual).__name__} is not known.", remedy=REMEDY)


def _native(visual: Any) -> PoolingPlace:
    rows, columns = visual.grid_size
    if visual.pool_type != "tok":
        raise NotApplicable(
            "The image tower averages its patches: no single token looks at the picture.",
            remedy=REMEDY,
        )
    if visual.attn_pool is None:
        layers = len(visual.transformer.resblocks)
        return _class_token(rows, columns, prefix=1, layers=layers)
    # CoCa: of the pooling queries the first makes the embedding.
    return _pooled(rows, columns, prefix=1)


def _resnet(visual: Any) -> PoolingPlace:
    """ResNets of CLIP end in attention whose query is the mean of all places, which leads."""
    size = visual.image_size
    height, width = (size, size) if isinstance(size, int) else size
    return _pooled(height // 32, width // 32, prefix=1)


def _timm(visual: Any) -> PoolingPlace:
    trunk = visual.trunk
    pool = getattr(visual.head, "pool", None)
    if pool is not None and hasattr(pool, "feat_size"):
        rows, columns = pool.feat_size
        return _pooled(rows, columns, prefix=1)
    grid = getattr(getattr(trunk, "patch_embed", None), "grid_size", None)
    how = getattr(trunk, "global_pool", None)
    prefix = int(getattr(trunk, "num_prefix_tokens", 0))
    if grid is not None and how == "map":
        return _pooled(*grid, prefix=prefix if _pool_sees_prefix(trunk) else 0)
    if grid is not None and how == "token" and prefix:
        return _class_token(*grid, prefix=prefix, layers=len(trunk.blocks))
    raise NotApplicable(
        f"The image tower {type(trunk).__name__} pools by {how or 'a head of its own'}: no single "
        "token looks at the picture.",
        remedy=REMEDY,
    )


def _pool_sees_prefix(trunk: Any) -> bool:
    return bool(getattr(trunk, "pool_include_prefix", True))  # EVA towers leave no choice


def _class_token(rows: int, columns: int, *, prefix: int, layers: int) -> PoolingPlace:
    return PoolingPlace(
        pooling="class token", rows=rows, columns=columns, prefix=prefix, layers=layers
    )


def _pooled(rows: int, columns: int, *, prefix: int) -> PoolingPlace:
    return PoolingPlace(
        pooling="attention pooling", rows=rows, columns=columns, prefix=prefix, layers=1
    )
