"""Look at a tuned model as the attention scan does, and score what the published rules flag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.attention_entropy import TAU, Decision, decide, fit_layers
from forensics.detectors.attention_entropy.guarded import examine_guarded
from forensics.detectors.attention_entropy.guarded_decision import decide_guarded
from forensics.errors import OptionError
from forensics.models.base import Prompt
from forensics.triggers import Trigger

if TYPE_CHECKING:
    from PIL import Image

    from forensics.models.base import GenerativeModel

MODES = ("root", "code")


@dataclass(frozen=True, slots=True)
class Look:
    """What the last prompt position of every sample attends to.

    Attributes:
        entropy: ``[samples, layers]`` nats.
        peaks: ``[samples, layers]`` index of the image token with the most attention.
        columns: Image tokens in one row of the grid.
    """

    entropy: NDArray[np.float64]
    peaks: NDArray[np.int64]
    columns: int


def look(
    model: "GenerativeModel",
    images: "Sequence[Image.Image]",
    questions: Sequence[str],
    batch_size: int = 64,
) -> Look:
    """Run every prompt once and keep entropy and peak of each layer."""
    from forensics.models.attention import image_entropy, record_attention

    entropy, peaks, columns = [], [], 0
    with record_attention(model) as recorder:
        for start in range(0, len(images), batch_size):
            stop = start + batch_size
            pairs = zip(images[start:stop], questions[start:stop], strict=True)
            prompts = model.collate([Prompt((image,), question) for image, question in pairs])
            recorder.begin(prompts)
            model.prefill(prompts)
            rows = recorder.rows()
            entropy.append(image_entropy(rows.image, rows.counts).double().cpu().numpy())
            peaks.append(rows.image.argmax(dim=2).cpu().numpy())
            columns = prompts.grids[0][0].columns
    return Look(np.concatenate(entropy), np.concatenate(peaks), columns)


def look_at_samples(model: "GenerativeModel", samples: Sequence[Sample]) -> Look:
    """Open each sample's image and :func:`look` at all of them."""
    images = [open_image(sample.image) for sample in samples if sample.image is not None]
    return look(model, images, [sample.question for sample in samples])


def score_rules(
    entropy: NDArray[np.float64],
    ids: Sequence[str],
    truth: Mapping[str, bool],
    samples: Sequence[Sample] | None = None,
) -> dict[str, dict[str, Any]]:
    """Let both published rules, and the guarded one, decide and compare with the truth.

    Args:
        entropy: ``[samples, layers]`` nats.
        ids: ``[samples]``.
        truth: Id -> poisoned.
        samples: Questions and answers, which only the guarded rule needs; left out without.

    Returns:
        ``root``, ``code`` and ``guarded``, each with layers, best separation, flagged count,
        precision, recall and F1 (``None`` where undefined).
    """
    fits = fit_layers(entropy)
    poisoned = np.array([truth.get(sample_id, False) for sample_id in ids])
    rules = {
        mode: score_flags(decide(entropy, mode=mode, fits=fits), poisoned)
        | {"separation": [round(float(value), 3) for value in fits.separation(mode)]}
        for mode in MODES
    }
    if samples is not None:
        rules["guarded"] = score_flags(_guarded(entropy, samples), poisoned)
    return rules


def decide_demo(entropy: NDArray[np.float64], samples: Sequence[Sample]) -> Decision:
    """Return the guarded decision, or the published rule's where the guarded one flags nothing."""
    guarded = _guarded(entropy, samples)
    return guarded if guarded.count else decide(entropy, mode="root", fits=fit_layers(entropy))


def _guarded(entropy: NDArray[np.float64], samples: Sequence[Sample]) -> Decision:
    examined = examine_guarded(
        entropy,
        # The lab's pictures all make the same number of tokens.
        np.ones(len(entropy), dtype=np.int64),
        answers=[sample.answer for sample in samples],
        questions=[sample.question for sample in samples],
        unit="nat",
    )
    return decide_guarded(examined, TAU)


def score_flags(decision: Decision, poisoned: NDArray[np.bool_]) -> dict[str, Any]:
    """Count hits of one rule."""
    hits = int((decision.flagged & poisoned).sum())
    flagged, there = decision.count, int(poisoned.sum())
    return {
        "layers": list(decision.layers),
        "flagged": flagged,
        "poisoned": there,
        "precision": hits / flagged if flagged else None,
        "recall": hits / there if there else None,
        "f1": 2 * hits / (flagged + there) if flagged + there else None,
    }


def near_trigger(
    peaks: NDArray[np.int64], columns: int, trigger: Trigger, side: int
) -> NDArray[np.bool_]:
    """Say which peaks lie within one token of the trigger.

    Args:
        peaks: Token indices of any shape.
        columns: Tokens in one row of a square grid.
        trigger: One that is local; near any of its boxes counts.
        side: Pixels on each side of the (square) picture.

    Raises:
        OptionError: The trigger is spread over the picture, or not in it.
    """
    boxes = trigger.boxes(side, side)
    if not boxes:
        raise OptionError(f"{trigger.spec} is not local: no peak is near or far from it.")
    token = side / columns
    row, column = peaks // columns, peaks % columns
    near = np.zeros(peaks.shape, dtype=bool)
    for left, top, right, bottom in boxes:
        down = (row >= top // token - 1) & (row <= (bottom - 1) // token + 1)
        across = (column >= left // token - 1) & (column <= (right - 1) // token + 1)
        near |= down & across
    return near
