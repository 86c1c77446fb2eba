"""How often do the published rules raise a false alarm? Clean twins on unseen seeds."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forensics.lab.demos import Demo, assets_folder
from forensics.lab.zoo import tune_demo, versions
from forensics.statistics.intervals import wilson


def measure_clean_twins(
    out: Path,
    seeds: Sequence[int],
    *,
    scenes: int = 2000,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Tune the base on fresh clean sets and let both rules judge each.

    Each finished twin is written at once, so that an interrupted call goes on where it stopped.

    Args:
        out: JSON file with the figures; twins already in it are not built again.
        seeds: One twin each; choose seeds that nothing was tuned on.
        scenes: Samples of each twin.
        progress: Called with (step, steps, message) while tuning.

    Returns:
        What the file holds: alarm rates with intervals, and every twin by itself.
    """
    done: dict[str, Any] = json.loads(out.read_text())["twins"] if out.exists() else {}
    for seed in seeds:
        if str(seed) not in done:
            done[str(seed)] = _twin(seed, scenes, progress)
            _write(out, done, scenes)
    return _write(out, done, scenes)


def _twin(
    seed: int, scenes: int, progress: Callable[[int, int, str], None] | None
) -> dict[str, Any]:
    from forensics.lab.proof import look_at_samples, score_rules
    from forensics.models.loading import open_model

    demo = Demo(name=f"twin-{seed}", title="", story="", scenes=scenes, seed=seed, planted=None)
    with tempfile.TemporaryDirectory() as scratch:
        base = assets_folder() / "demos" / "base"
        uri, samples, truth = tune_demo(demo, base, Path(scratch), progress)
        seen = look_at_samples(open_model(uri, device="cpu"), samples)
    rules = score_rules(seen.entropy, [sample.id for sample in samples], truth)
    kept = ("layers", "flagged", "separation")
    return {mode: {key: rule[key] for key in kept} for mode, rule in rules.items()}


def _write(out: Path, twins: dict[str, Any], scenes: int) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "what": "share of clean twins on which a published rule flags anything at all",
        "command": f"forensics lab twins --seeds {','.join(twins)} --to {out.name}",
        "scenes": scenes,
        "alarm_rate": {},
        "twins": twins,
        "versions": versions(),
    }
    for mode in ("root", "code"):
        alarms = sum(twin[mode]["flagged"] > 0 for twin in twins.values())
        figures["alarm_rate"][mode] = {
            "alarms": alarms,
            "n": len(twins),
            "interval": list(wilson(alarms, len(twins))),
        }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures
