"""Open what a name stands for as a classifier: learnt prompts of a file, or sentences."""

from collections.abc import Sequence

from forensics.classifiers.checkpoints import load_prompts, names_classes
from forensics.classifiers.cocoop import CoCoOp
from forensics.classifiers.coop import CoOp
from forensics.classifiers.zero_shot import TEMPLATES, ZeroShot
from forensics.encoders.base import DualEncoder
from forensics.errors import OptionError
from forensics.models.uri import ModelURI, parse_model_uri


def open_classifier(
    encoder: DualEncoder,
    uri: str | ModelURI,
    *,
    classes: Sequence[str] | None = None,
    templates: Sequence[str] = TEMPLATES,
) -> ZeroShot | CoOp | CoCoOp:
    """Make the classifier that a model's name stands for.

    Args:
        encoder: Opened from the same name.
        uri: With ``+prompts:/file`` the prompts in it are used, and its classes; without it the
            classes are put into ``templates``.
        classes: Needed without prompts, and for a file that does not name its classes. A file
            that does is believed: its context was tuned for these names in this order.
        templates: Sentences with ``{}``, for a name without prompts.

    Raises:
        CheckpointError: The file of prompts is damaged, unsafe, or does not fit the encoder.
        ModelError: There is no such file.
        OptionError: Nobody names the classes.
    """
    prompts = (parse_model_uri(uri) if isinstance(uri, str) else uri).prompts
    if prompts is not None:
        return load_prompts(prompts, encoder, None if names_classes(prompts) else classes)
    if not classes:
        raise OptionError(
            "A CLIP without learnt prompts does not say what its classes are.",
            remedy="Give the name of every class.",
        )
    return ZeroShot(encoder, classes, templates)
