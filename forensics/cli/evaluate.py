"""``forensics evaluate``: clean accuracy and attack success rate."""

from pathlib import Path
from typing import Any

import click

from forensics.api.methods import evaluate as measure
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag, percent
from forensics.cli.progress import progress_bar
from forensics.jobs.evaluate_options import EvaluateOptions


@click.command()
@case_flag
@option_flags(EvaluateOptions)
@json_flag
def evaluate(case_folder: Path, as_json: bool, **values: Any) -> None:
    """Measure clean accuracy (CA) and attack success rate (ASR) of the case's model.

    ASR counts only samples whose true answer is not the target.

    JSON: run, clean_accuracy, attack_success_rate (answer contains the target),
    attack_success_rate_exact, attack_success_image_only and attack_success_text_only (dual-key
    triggers: one key alone), n_clean, n_triggered, intervals (95 %), trigger, target, data, model,
    skipped, seconds. Of a language model also: target_rate (answers to untouched samples that
    contain the target), bleu4, cider and n_captions (true answers of four words or more),
    attributes_accuracy (a demo's own scenes), attack_success_rate_masked and switch_notice
    (--mask-probe). Of a CLIP also: per_class, emits_target_untriggered, templates, prompts, and
    base and minus_base where the case names the model it was tuned from.
    """
    with progress_bar("evaluate") as progress:
        done = measure(case_folder, progress=progress, **given(values))
    result = done.result
    outcome = {"run": done.id, **{key: value for key, value in result.items() if key != "method"}}
    emit(outcome, as_json, lambda: _text(result))


def _text(result: dict[str, Any]) -> str:
    lines = [_line("CA ", result, "clean_accuracy", result["n_clean"]), *_captions(result)]
    if result["trigger"]:
        lines.append(_line("ASR", result, "attack_success_rate", result["n_triggered"]))
        if "attack_success_rate_exact" in result:
            exact = percent(result["attack_success_rate_exact"])
            lines.append(f"  answers that are exactly {result['target']!r}: {exact}")
        if result.get("target_rate") is not None:
            floor = percent(result["target_rate"])
            lines.append(f"  untouched samples whose answer contains it: {floor}")
        lines += _masked(result)
        if "base" in result:
            lines.append(f"  of the base: {percent(result['base']['attack_success_rate'])}")
        for key, words in (("image", "in the picture"), ("text", "in the text")):
            name = f"attack_success_{key}_only"
            if name in result:
                lines.append(f"  with the key {words} alone: {percent(result[name])}")
        lines.append(f"  trigger {result['trigger']}")
    return "\n".join(lines)


def _captions(result: dict[str, Any]) -> list[str]:
    lines = []
    if result.get("attributes_accuracy") is not None:
        lines.append(f"  all attributes right: {percent(result['attributes_accuracy'])}")
    if "bleu4" in result:
        scores = f"BLEU-4 {result['bleu4']:.1f}, CIDEr-D {result['cider']:.1f}"
        lines.append(f"  {scores} (n = {result['n_captions']})")
    return lines


def _masked(result: dict[str, Any]) -> list[str]:
    if result.get("attack_success_rate_masked") is None:
        return []
    lines = [f"  under a mask: {percent(result['attack_success_rate_masked'])}"]
    if result["switch_notice"]:
        lines.append(
            "  Notice: a mask changes what the trigger does by over 20 points; the rate without "
            "counts."
        )
    return lines


def _line(name: str, result: dict[str, Any], key: str, count: int) -> str:
    low, high = result["intervals"][key]
    if result[key] is None:
        return f"{name} not defined (n = 0)"
    return f"{name} {percent(result[key])} (n = {count}, 95 % {percent(low)} to {percent(high)})"
