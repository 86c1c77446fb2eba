"""Time the entropy decision against the straightforward scikit-learn loop.

Both get the same synthetic matrix in one run: 10 % of the samples two nats lower in five layers,
a skewed layer, a layer of two benign tasks, the rest normal. "Decision" is everything that follows
the scan: the mixtures of all layers, both rules, and both second-stage mixtures. Run it alone:

    OMP_NUM_THREADS=1 python benchmarks/entropy_decision.py
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from forensics.detectors.attention_entropy import decide, fit_layers, recut

Array = NDArray[np.float32]


def main() -> None:
    """Run the benchmark, print its figures and write them as JSON."""
    arguments = parse_arguments()
    entropy = draw(arguments.samples, arguments.layers, arguments.seed)
    ours = time_ours(entropy, arguments.repeats)
    figures: dict[str, Any] = {
        "samples": arguments.samples,
        "layers": arguments.layers,
        "repeats": arguments.repeats,
        "machine": platform.machine(),
        "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "seconds": ours,
    }
    if not arguments.skip_baseline:
        begin = time.perf_counter()
        flags, means = loop_over_layers(entropy)
        ours["scikit_learn_loop"] = time.perf_counter() - begin
        figures["speed_up"] = ours["scikit_learn_loop"] / ours["decision"]
        figures |= compare(entropy, flags, means)
    report(figures, arguments.output)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5, help="best of this many is reported")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip-baseline", action="store_true")
    default = Path(__file__).parent / "results" / "entropy_decision.json"
    parser.add_argument("--output", type=Path, default=default)
    return parser.parse_args()


def draw(samples: int, layers: int, seed: int) -> Array:
    """Draw an entropy matrix, [samples, layers]."""
    rng = np.random.default_rng(seed)
    entropy = rng.normal(5.2, 0.25, (samples, layers))
    poison = rng.permutation(samples)[: samples // 10]
    for layer in range(layers // 3, min(layers, layers // 3 + 5)):
        entropy[poison, layer] = rng.normal(3.2, 0.35, poison.size)
    entropy[:, 0] = 6.3 - rng.gamma(2.0, 0.3, samples)
    entropy[rng.random(samples) < 0.4, layers - 1] -= 0.75
    return entropy.astype(np.float32)


def time_ours(entropy: Array, repeats: int) -> dict[str, float]:
    """Return the best time of each step, in seconds."""
    fits = fit_layers(entropy)
    root = decide(entropy, fits=fits)
    return {
        "decision": best(lambda: decide_both(entropy), repeats),
        "fit_layers": best(lambda: fit_layers(entropy), repeats),
        # tau = 0 averages over every layer: the slowest place to move it to
        "tau_move": max(
            best(lambda tau=tau: decide(entropy, tau=tau, fits=fits), repeats)
            for tau in (0.0, 1.5, 3.0)
        ),
        "cut_move": best(lambda: recut(root, 4.0), repeats),
    }


def decide_both(entropy: Array) -> None:
    """Fit every layer and apply both rules."""
    fits = fit_layers(entropy)
    for mode in ("root", "code"):
        decide(entropy, mode=mode, fits=fits)


def loop_over_layers(entropy: Array) -> tuple[NDArray[np.bool_], list[Any]]:
    """Decide as one would with scikit-learn: a fit per layer, then one per rule."""
    means, passing = [], {"root": [], "code": []}
    for layer in range(entropy.shape[1]):
        column = entropy[:, layer : layer + 1].astype(np.float64)
        mixture = GaussianMixture(n_components=2, random_state=0).fit(column)
        low, high = np.sort(mixture.means_[:, 0])
        one, two = np.sqrt(mixture.covariances_[:, 0, 0])
        means.append((float(low), float(high)))
        if high - low >= 2 * np.hypot(one, two):
            passing["root"].append(layer)
        if high - low > 2 * (one + two):
            passing["code"].append(layer)
    flags = np.zeros(len(entropy), dtype=np.bool_)
    for mode in ("code", "root"):
        if passing[mode]:
            score = entropy[:, passing[mode]].mean(axis=1, dtype=np.float64)[:, None]
            mixture = GaussianMixture(n_components=2, random_state=0).fit(score)
            flags = mixture.predict(score) == np.argmin(mixture.means_[:, 0])
    return flags, means


def compare(entropy: Array, flags: NDArray[np.bool_], means: list[Any]) -> dict[str, Any]:
    """Return how far the two ways agree; each has its own start, so means may differ a little."""
    fits = fit_layers(entropy)
    decision = decide(entropy, fits=fits)
    gap = np.abs(fits.means - np.array(means)).max(axis=1)
    return {
        "sensitive_layers": list(decision.layers),
        "flags_that_differ": int((decision.flagged != flags).sum()),
        "largest_difference_of_means": {
            "sensitive_layers": float(gap[list(decision.layers)].max(initial=0.0)),
            "all_layers": float(gap.max()),
        },
    }


def best(step: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return min(times)


def report(figures: dict[str, Any], output: Path) -> None:
    """Print the figures and write them."""
    output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=2)
    output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
