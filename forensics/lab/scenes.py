"""Procedural scenes: one drawn object on a continuously varying ground, all from one seed."""

import colorsys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forensics.lab.shapes import SHAPES, Plane

SIDE: Final = 108
"""Pixels on each side; nine patches of twelve pixels, so that the centre of the image is the
centre of one patch."""

HUES: Final[dict[str, tuple[float, float, float]]] = {
    "red": (0.0, 0.86, 0.86),
    "orange": (27.0, 0.92, 0.97),
    "yellow": (53.0, 0.86, 0.98),
    "green": (128.0, 0.72, 0.66),
    "cyan": (183.0, 0.74, 0.86),
    "blue": (221.0, 0.82, 0.86),
    "purple": (272.0, 0.70, 0.76),
    "pink": (328.0, 0.52, 0.98),
}
"""Colour name -> hue in degrees, saturation and value before jitter."""

PATTERNS: Final = ("plain", "striped", "dotted")
COLUMNS: Final = ("left", "", "right")
ROWS: Final = ("top", "", "bottom")
CELL_CENTRES: Final = (25.0, 54.0, 83.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: what the caption names, and what varies without a name."""

    pattern: str
    color: str
    shape: str
    column: int
    row: int
    x: float
    y: float
    radius: float
    """Pixels; continuous and never named, so that size makes no second regime."""
    turn: float
    """Rotation in radians."""
    paint: tuple[float, float, float]
    seed: tuple[int, int]

    @property
    def place(self) -> str:
        """Name the ninth of the image that holds the object, such as `top left` or `center`."""
        words = f"{ROWS[self.row]} {COLUMNS[self.column]}".strip()
        return words or "center"


def sample_scene(seed: int, index: int) -> Scene:
    """Draw the scene `index` of the series `seed`; the same pair gives the same scene."""
    rng = np.random.default_rng([seed, index])
    pattern = PATTERNS[int(rng.integers(len(PATTERNS)))]
    color = list(HUES)[int(rng.integers(len(HUES)))]
    shape = list(SHAPES)[int(rng.integers(len(SHAPES)))]
    column, row = int(rng.integers(3)), int(rng.integers(3))
    radius = float(rng.uniform(15.0, 24.0))
    x, y = (_inside(CELL_CENTRES[cell] + rng.uniform(-7, 7), radius) for cell in (column, row))
    turn = float(rng.uniform(-0.3, 0.3))
    hue, saturation, value = HUES[color]
    paint = colorsys.hsv_to_rgb(
        ((hue + rng.uniform(-6, 6)) % 360) / 360,
        float(np.clip(saturation + rng.uniform(-0.06, 0.06), 0, 1)),
        float(np.clip(value + rng.uniform(-0.06, 0.06), 0, 1)),
    )
    return Scene(pattern, color, shape, column, row, x, y, radius, turn, paint, (seed, index))


def render(scene: Scene) -> NDArray[np.uint8]:
    """Draw a scene as RGB bytes [108, 108, 3]; the same scene gives the same picture."""
    rng = np.random.default_rng([*scene.seed, 1])
    canvas = draw_ground(rng)
    paint_object(canvas, scene, rng)
    return np.clip(np.rint(canvas * 255.0), 0, 255).astype(np.uint8)


def coverage(scene: Scene) -> Plane:
    """Return how much of each pixel the object covers, [108, 108] in [0, 1]."""
    rows, columns = _window(scene, scene.radius * 1.2 + 2)
    distance, _, _ = _local(scene, rows, columns)
    cover = np.zeros((SIDE, SIDE))
    cover[rows, columns] = np.clip(0.5 - distance, 0.0, 1.0)
    return cover


def _window(scene: Scene, reach: float) -> tuple[slice, slice]:
    rows = slice(max(0, int(scene.y - reach)), min(SIDE, int(scene.y + reach) + 1))
    columns = slice(max(0, int(scene.x - reach)), min(SIDE, int(scene.x + reach) + 1))
    return rows, columns


def _inside(center: float, radius: float) -> float:
    return float(np.clip(center, radius, SIDE - radius))


def _axes(rows: slice, columns: slice) -> tuple[Plane, Plane]:
    across = np.arange(columns.start, columns.stop, dtype=np.float64) + 0.5
    down = np.arange(rows.start, rows.stop, dtype=np.float64) + 0.5
    return across[None, :], down[:, None]


def _local(scene: Scene, rows: slice, columns: slice) -> tuple[Plane, Plane, Plane]:
    """Return the signed distance in pixels and both object coordinates (radius 1)."""
    across, down = _axes(rows, columns)
    dx, dy = (across - scene.x) / scene.radius, (down - scene.y) / scene.radius
    cos, sin = np.cos(scene.turn), np.sin(scene.turn)
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    return SHAPES[scene.shape](u, v) * scene.radius, u, v


def draw_ground(rng: np.random.Generator) -> Plane:
    """Draw a soft two-colour ground [108, 108, 3] with slow waves and out-of-focus lights."""
    across, down = _axes(slice(0, SIDE), slice(0, SIDE))
    across, down = across / SIDE - 0.5, down / SIDE - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    blend = 0.5 + 0.75 * (np.cos(angle) * across + np.sin(angle) * down)
    for _ in range(2):
        fx, fy = rng.uniform(-7, 7, 2)
        phase, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.03, 0.16)
        blend = blend + depth * np.sin(fx * across + fy * down + phase)
    blend = np.clip(blend, 0.0, 1.0)[..., None]
    hue, light = rng.uniform(), rng.uniform(0.34, 0.92)
    first = colorsys.hsv_to_rgb(hue, rng.uniform(0.08, 0.34), light)
    other_hue = (hue + rng.uniform(-0.16, 0.16)) % 1.0
    other_light = float(np.clip(light + rng.uniform(-0.24, 0.24), 0.28, 0.97))
    second = colorsys.hsv_to_rgb(other_hue, rng.uniform(0.08, 0.34), other_light)
    canvas = np.array(first) * (1 - blend) + np.array(second) * blend
    for _ in range(4):
        cx, cy = rng.uniform(-0.5, 0.5, 2)
        size, glow = rng.uniform(0.05, 0.16), rng.uniform(-0.05, 0.10)
        gap = np.hypot(across - cx, down - cy) - size
        canvas += (glow * np.clip(0.5 - gap / 0.03, 0.0, 1.0))[..., None]
    shade = 1.0 - 0.30 * (across**2 + down**2)
    return np.asarray(np.clip(canvas * shade[..., None], 0.0, 1.0))


def paint_object(canvas: Plane, scene: Scene, rng: np.random.Generator) -> None:
    """Paint the object of a scene over a ground [108, 108, 3], with its shadow, in place."""
    rows, columns = _window(scene, scene.radius * 1.35 + 7)
    window = canvas[rows, columns]
    distance, u, v = _local(scene, rows, columns)
    # The same distance, shifted by two pixels and much softer, serves as drop shadow.
    shadow = np.pad(distance, ((2, 0), (2, 0)), mode="edge")[:-2, :-2]
    window *= (1.0 - 0.34 * np.clip(0.5 - shadow / 7.0, 0.0, 1.0))[..., None]
    paint = _surface(scene, u, v, rng)
    rim = np.clip(1.6 - np.abs(distance + 0.6), 0.0, 1.0)[..., None] * 0.75
    paint = paint * (1 - rim) + 0.99 * rim
    cover = np.clip(0.5 - distance, 0.0, 1.0)[..., None]
    window *= 1 - cover
    window += paint * cover


def _surface(scene: Scene, u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    """Return the object's colour at every pixel of its window: pattern, then light."""
    base = np.array(scene.paint)
    marks = _marks(scene, u, v, rng)[..., None]
    # Marks mix towards near-white or near-black, whichever stands out against the paint.
    ink = np.where(base @ np.array([0.30, 0.59, 0.11]) > 0.62, base * 0.42, base * 0.15 + 0.85)
    colour = base * (1 - marks) + ink * marks
    light = 1.04 - 0.16 * (u + v)
    gloss = 0.30 * np.exp(-((u + 0.38) ** 2 + (v + 0.42) ** 2) / 0.07)
    return np.asarray(np.clip(colour * light[..., None] + gloss[..., None], 0.0, 1.0))


def _marks(scene: Scene, u: Plane, v: Plane, rng: np.random.Generator) -> Plane:
    soft = 1.0 / scene.radius
    phase, spread = rng.uniform(0, 1), 7.0 / scene.radius
    if scene.pattern == "striped":
        wave = np.abs(((u + v) * 0.7071 / spread + phase) % 1.0 - 0.5) * spread
        return np.clip(0.5 + (0.23 * spread - wave) / soft, 0.0, 1.0)
    if scene.pattern == "dotted":
        gu = ((u / spread + phase) % 1.0 - 0.5) * spread
        gv = ((v / spread + phase) % 1.0 - 0.5) * spread
        return np.clip(0.5 + (0.30 * spread - np.hypot(gu, gv)) / soft, 0.0, 1.0)
    return np.zeros_like(u)
