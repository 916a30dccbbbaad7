"""What each instrument sees of each defect: contrast-to-noise against the golden twin of the same unit.

    python benchmarks/contrast.py build/contrast [units of each defect, default 51]      about 1 s a unit on one core

Units are those of a recipe on the shipped board, every level of severity in turn, with the line's usual drifts. Each stands
before five instruments, with its defect and as its golden twin (``Family.golden`` of that one finding), under the same lamps,
with the same look, camera and temperatures of the room; only the noise is drawn anew for every exposure. Inside the defect's
amodal mask, in that instrument's own frame, and pixel by pixel:

    σ² = var(B − B') / 2                                 B, B': the golden twin twice
    s² = max(mean((A − B)²) − mean((B − B')²), 0)        A: the unit with its defect
    CNR = s / σ

in linear light (colour: its three channels count as three times as many pixels), kelvin, and counts. Where noise costs no new
drawing (infrared, X-ray) small masks are exposed as often as it takes to have ``ENOUGH`` pixels; each exposure is one picture.

Writes ``units.csv`` (a line per unit, at once: an interrupted run goes on), ``contrast.md`` (the table), ``sheet.jpg`` (a unit
per defect through all instruments, with its twin) and ``pictures/``. Exit status 1 where a measurement contradicts EXPECTED.
"""
from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from domain_randomization.randomizers.camera import draw_jitter, seen_by
from domain_randomization.randomizers.lighting import vary_lighting
from domain_randomization.randomizers.look import vary_look
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, find_family, make_unit
from domain_randomization.streams import stream
from domain_randomization.views import extent_of
from generators.imaging import infrared, xray
from generators.imaging.palette import INFERNO
from generators.imaging.planck import band_of
from generators.imaging.xray_labels import label_xray
from generators.labels import label_frame
from generators.render.develop import decode
from scenes.family import Finding
from scenes.geometry import Geometry
from scenes.heat import Cooling, Powered
from scenes.optics import Camera, Lighting, Look, looking_down
from scenes.scene import Scene

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCENE = Path(__file__).resolve().parents[1] / "examples" / "inspector.scene.yaml"
SEED = 20261122
UNITS = 51                                     # of each defect: 17 of each of three levels
OBLIQUE = math.radians(45.0)
ENOUGH, EXPOSURES = 4000, 32                   # pixels of all exposures together, and how many exposures at most
WINDOW = (3.84e-3, 1.0e-3, 15e-3)              # [m] least side of the pictures, margin around a defect, greatest side
COLUMNS = ("rgb", "thermal powered", "thermal cooling", "xray", "xray 45°")
VISIBLE, INVISIBLE = 3.0, 0.5                  # median contrast-to-noise

DRIFTS = """\
process:
  drifts:
    printer.offset_um: {normal: {mean: 0, std: 12}}
    printer.offset_y_um: {normal: {mean: 0, std: 12}}
    placement.offset_um: {normal: {mean: 0, std: 10}}
    placement.sigma_um: {uniform: [8, 18]}
    oven.speed_factor: {normal: {mean: 1, std: 0.02}}
    handling.residue_rate: {uniform: [0, 0.3]}
"""


def cnr(defective: NDArray[Any], golden: NDArray[Any], again: NDArray[Any], mask: Mask) -> tuple[float, float, float]:
    """Contrast-to-noise of a defect, and the signal and the noise that it is the ratio of, in the pictures' unit.

    Args:
        defective, golden, again: (K, H, W) or (K, H, W, channels): K exposures of the unit, of its golden twin, and of the
            golden twin once more. Channels count as further pixels.
        mask: (H, W), where the defect is.

    Returns:
        (CNR, signal, noise), rms over the mask; nan for an empty mask. A noise of 0 (saturation) gives 0 or inf.
    """
    if not mask.any():
        return math.nan, math.nan, math.nan
    a, b, c = (np.asarray(p, np.float64)[:, mask] for p in (defective, golden, again))
    noise = math.sqrt(np.var(b - c) / 2)
    signal = math.sqrt(max(float(np.mean((a - b) ** 2) - np.mean((b - c) ** 2)), 0.0))
    return (signal / noise if noise > 0 else math.inf if signal > 0 else 0.0), signal, noise


@dataclass(frozen=True, eq=False)
class Subject:
    """A unit or its golden twin before the instruments."""
    state: Any
    geometry: Geometry


@dataclass(frozen=True, eq=False)
class Measured:
    """One unit in one column. ``pictures``: the unit and its twin, one exposure each."""
    values: tuple[float, float, float]         # CNR, signal, noise
    pixels: int
    pictures: tuple[NDArray[Any], NDArray[Any]]


class Bench:
    """Everything that does not change from unit to unit."""

    def __init__(self, units: int = UNITS, defects: Sequence[str] = ()) -> None:
        self.scene = Scene.read(SCENE)
        self.taxonomy = find_family(self.scene).taxonomy
        asked = [d for d in self.taxonomy.defects if not defects or d.name in defects]
        quotas = "".join(f"  - {{defect: {d.name}, count: {math.ceil(units / max(len(d.severity_levels), 1))}, levels: all}}\n"
                         for d in asked)
        text = (f"linetwin: 1\nscene: {SCENE.name}\nseed: {SEED}\ncount: 100000\ndefective_fraction: 1.0\nquotas:\n{quotas}"
                f"camera: {{offset_um: 0, roll_deg: 0, scale: 1}}\n{DRIFTS}")
        self.recipe = Recipe.parse(text).model_copy(update={"scene": SCENE})
        self.context = Context(self.scene, self.recipe)
        self.infrared = next(s.infrared for s in self.scene.stations if s.infrared is not None)
        self.machine = next(s.xray for s in self.scene.stations if s.xray is not None)
        self.renderer: Any = self.context.renderer     # gl: it draws radiance and path lengths too
        spec = self.context.station.camera
        assert spec is not None
        self.spec = spec

    @property
    def total(self) -> int:
        """Units in all."""
        return self.context.schedule.total

    def measure(self, index: int) -> tuple[dict[str, Any], dict[str, Measured]]:
        """Unit ``index``: what it is, and what each column sees of its defect."""
        context = self.context
        unit = make_unit(context, index)
        assert unit.hit is not None and context.station.lighting is not None
        rng = [stream(SEED, index, name) for name in ("look", "lighting", "camera", "contrast")]
        look = vary_look(Look(), self.recipe.look, rng[0])
        lighting = vary_lighting(context.station.lighting, self.recipe.lighting, rng[1])
        lighting = seen_by(lighting, draw_jitter(self.recipe.camera, rng[2]))       # its blur and noise; poses do not move
        golden = context.family.golden(context.product, unit.state, (unit.hit,))
        pair = tuple(Subject(s, context.family.geometry(context.product, s, look)) for s in (unit.state, golden))
        center, side = window(unit.hit, pair[0].geometry)
        seeds = rng[3].integers(1 << 31, size=8).tolist()
        slot = context.schedule.slot(index)
        assert slot is not None
        row = {"index": index, "defect": unit.hit.defect, "level": context.schedule.cells[slot.cell].level,
               "severity": f"{unit.hit.severity:.6g}", "host": unit.hit.host, "rule": unit.hit.rule}
        found = {"rgb": self._colour(unit.hit, pair, center, side, look, lighting, seeds[:3])}
        for name, mode, seed in (("thermal powered", Powered(), seeds[3]), ("thermal cooling", Cooling(), seeds[4])):
            found[name] = self._thermal(unit.hit, pair, center, side, look, mode, seed)
        for name, tilt, seed in (("xray", 0.0, seeds[5]), ("xray 45°", OBLIQUE, seeds[6])):
            found[name] = self._xray(unit.hit, pair, center, side, tilt, seed)
        return row, found

    def order(self) -> list[int]:
        """Units so that all defects and levels advance alike, wherever a run is broken off."""
        plan = self.context.schedule

        def progress(index: int) -> float:
            slot = plan.slot(index)
            assert slot is not None
            return (slot.ordinal + 0.5) / plan.cells[slot.cell].count

        return sorted(range(self.total), key=progress)

    def _colour(self, hit: Finding, pair: Sequence[Subject], center: tuple[float, float], side: float, look: Look,
                lighting: Lighting, seeds: Sequence[int]) -> Measured:
        spec, renderer = self.spec, self.renderer
        pixels = _pixels(side, spec.pixel_size)
        # a quarter pixel off the artwork's texels, which are as large: a station's camera does not stand on them either
        camera = looking_down(spec.name, _snapped(center, spec.pixel_size, 0.25), spec.pixel_size, pixels, pixels,
                              distance=spec.distance, model=spec.model)
        camera = replace(camera, sensor=spec.sensor, lens=spec.lens, motion=spec.motion)
        first = renderer.render(pair[0].geometry, camera, lighting, look, outputs=frozenset({"rgb", "instance", "part"}),
                                noise_seed=seeds[0])
        mask = _mask(label_frame(0, (hit,), first, pair[0].geometry, camera, renderer, self.taxonomy), camera)
        shots = [first.rgb, *(renderer.render(pair[1].geometry, camera, lighting, look, outputs=frozenset({"rgb"}),
                                              noise_seed=seed).rgb for seed in seeds[1:])]
        a, b, c = (decode(s)[None] for s in shots if s is not None)
        return Measured(cnr(a, b, c, mask), int(mask.sum()), (_cut(shots[0], side, camera), _cut(shots[1], side, camera)))

    def _thermal(self, hit: Finding, pair: Sequence[Subject], center: tuple[float, float], side: float, look: Look,
                 mode: Powered | Cooling, seed: int) -> Measured:
        seen, context = self.infrared, self.context
        pixels = _pixels(side, seen.pixel_size)
        camera = looking_down(seen.name, _snapped(center, seen.pixel_size), seen.pixel_size, pixels, pixels,
                              distance=seen.distance, model=seen.model)
        band = band_of(seen.band)
        room = float(band.of(seen.reflected))
        radiance, buffers = zip(*(self.renderer.radiance(
            s.geometry, camera, context.family.heat(context.product, s.state, mode), look, band.table, room,
            samples=seen.samples) for s in pair), strict=True)
        mask = _mask(label_frame(0, (hit,), buffers[0], pair[0].geometry, camera, self.renderer, self.taxonomy,
                                 modality="thermal"), camera)
        rng = np.random.Generator(np.random.SFC64(seed))
        a, b, c = (_several(lambda light: infrared.expose(light, seen, rng), light, mask)
                   for light in (radiance[0], radiance[1], radiance[1]))
        return Measured(cnr(a, b, c, mask), int(mask.sum()), (_cut(a[0], side, camera), _cut(b[0], side, camera)))

    def _xray(self, hit: Finding, pair: Sequence[Subject], center: tuple[float, float], side: float, tilt: float,
              seed: int) -> Measured:
        machine, renderer = self.machine, self.renderer
        pixels = _pixels(side, machine.pixel_size)
        camera = machine.camera(_snapped(center, machine.pixel_size), tilt=tilt, width=pixels, height=pixels)
        mask = _mask(label_xray(0, (hit,), pair[0].geometry, camera, renderer, self.taxonomy), camera)
        lengths = [renderer.paths(s.geometry, camera, xray.coefficients(machine)) for s in pair]
        seeds = np.random.Generator(np.random.SFC64(seed))
        a, b, c = (_several(lambda length: xray.picture(length, machine, int(seeds.integers(1 << 31))), length, mask)
                   for length in (lengths[0], lengths[1], lengths[1]))
        return Measured(cnr(a, b, c, mask), int(mask.sum()), (_cut(a[0], side, camera), _cut(b[0], side, camera)))


def window(hit: Finding, geometry: Geometry) -> tuple[tuple[float, float], float]:
    """Middle and side [m] of what the pictures show."""
    x0, y0, x1, y1 = extent_of(hit, geometry)
    least, margin, most = WINDOW
    return ((x0 + x1) / 2, (y0 + y1) / 2), min(max(x1 - x0 + 2 * margin, y1 - y0 + 2 * margin, least), most)


def _pixels(side: float, pixel_size: float) -> int:
    """Of a picture's side: few different ones, so that buffers are kept."""
    return 64 * math.ceil(side / pixel_size / 64 - 1e-9)


def _snapped(center: tuple[float, float], pixel_size: float, phase: float = 0.0) -> tuple[float, float]:
    """On one grid of pixels over the board: a defect does not choose where in a pixel it lies."""
    x, y = ((round(v / pixel_size) + phase) * pixel_size for v in center)
    return x, y


def _mask(instances: Sequence[Any], camera: Camera) -> Mask:
    return instances[0].amodal if instances else np.zeros((camera.height, camera.width), np.bool_)


def _several(shoot: Callable[[NDArray[Any]], NDArray[Any]], light: NDArray[Any], mask: Mask) -> NDArray[Any]:
    """Exposures of one drawing, (K, H, W): so many that the mask has ``ENOUGH`` pixels."""
    count = min(max(1, math.ceil(ENOUGH / max(int(mask.sum()), 1))), EXPOSURES)
    return np.stack([shoot(light) for _ in range(count)])


def _cut(picture: NDArray[Any] | None, side: float, camera: Camera) -> NDArray[Any]:
    """The middle of a picture, ``side`` [m] across."""
    assert picture is not None
    size = min(round(side / camera.pixel_size), camera.width)
    start = (camera.width - size) // 2
    return picture[start:start + size, start:start + size]


# --- tables and pictures --------------------------------------------------------------------------------------------

CELL, GAP = 118, 4                             # [px] of the sheet
V, W, H = "visible", "weak", "invisible"
EXPECTED: dict[str, tuple[str, str, str, str, str]] = {        # by column; "weak" promises nothing either way
    "missing": (V, V, V, V, V), "shift": (V, W, W, V, V), "rotation": (V, W, W, V, V), "tombstone": (V, V, V, V, V),
    "billboard": (V, W, W, W, W), "flipped": (V, W, W, W, W), "polarity": (V, W, W, W, W), "wrong_part": (V, V, V, V, V),
    "bridge": (V, V, W, V, V), "insufficient": (V, W, W, V, V), "excess": (V, W, W, V, V), "cold_joint": (V, W, W, W, W),
    "head_in_pillow": (H, W, H, W, W), "bga_void": (H, H, H, V, V), "lifted_lead": (V, W, W, W, W),
    "solder_ball": (V, W, W, V, V), "residue": (V, W, W, H, H), "scratch": (V, H, H, H, H)}


def verdict(expected: str, median: float) -> str:
    """Whether a median agrees with what physics says."""
    seen = V if median >= VISIBLE else H if median <= INVISIBLE else W
    return "as expected" if seen == expected else f"{seen}" if expected == W else f"CONTRADICTS: {seen}"


def table(rows: Sequence[dict[str, str]], names: Sequence[str]) -> tuple[str, int]:
    """Markdown of everything measured, and how many medians contradict what is expected."""
    short = ["| Defect | units | " + " | ".join(COLUMNS) + " |", "| --- " * (2 + len(COLUMNS)) + "|"]
    full = ["| Defect | instrument | median | 10 % | 90 % | ≥ 3 | ≤ 0.5 | signal | noise | expected | verdict |",
            "| --- " * 11 + "|"]
    wrong = 0
    for name in names:
        mine = [r for r in rows if r["defect"] == name]
        cells = []
        for column, expected in zip(COLUMNS, EXPECTED[name], strict=True):
            values = _column(mine, column, "cnr")
            if not len(values):
                cells.append("–")
                continue
            low, median, high = np.percentile(values, (10, 50, 90))
            said = verdict(expected, float(median))
            wrong += said.startswith("CON")
            mark = {V: "●", W: "◐", H: "○"}[V if median >= VISIBLE else H if median <= INVISIBLE else W]
            cells.append(f"{mark} {median:.2g}" if median < 10 else f"{mark} {median:.0f}")
            full.append(f"| {name} | {column} | {median:.2f} | {low:.2f} | {high:.2f} | {np.mean(values >= VISIBLE):.0%} | "
                        f"{np.mean(values <= INVISIBLE):.0%} | {np.median(_column(mine, column, 'signal')):.3g} | "
                        f"{np.median(_column(mine, column, 'noise')):.3g} | {expected} | {said} |")
        short.append(f"| {name} | {len(mine)} | " + " | ".join(cells) + " |")
    return "\n".join([*short, "", *full, ""]), wrong


def _column(rows: Sequence[dict[str, str]], column: str, what: str) -> F64:
    values = np.array([float(r[f"{column} {what}"]) for r in rows])
    return values[np.isfinite(values)]


def strip(found: dict[str, Measured]) -> NDArray[np.uint8]:
    """One row of the sheet: in every column the unit and, on its right, its golden twin, on one scale."""
    cells = []
    for name, measured in found.items():
        both = [np.asarray(p, np.float64) for p in measured.pictures]
        low, high = np.percentile(np.stack(both), (0.5, 99.5))
        for picture in both:
            if name == "rgb":
                shown = picture.astype(np.uint8)
            elif name.startswith("thermal"):
                shown = INFERNO[np.clip((picture - low) * (255 / max(high - low, 1.0)), 0, 255).astype(np.uint8)]
            else:
                shown = np.repeat(np.clip(picture * (255 / max(high, 1.0)), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
            method = Image.Resampling.BICUBIC if len(shown) < CELL else Image.Resampling.BOX
            cells.append(np.asarray(Image.fromarray(shown).resize((CELL, CELL), method)))
    out = np.full((CELL, len(cells) * CELL + (len(cells) // 2 - 1) * GAP, 3), 255, np.uint8)
    for k, cell in enumerate(cells):
        x = k * CELL + k // 2 * GAP
        out[:, x:x + CELL] = cell
    return out


def sheet(strips: dict[str, Path]) -> Image.Image:
    """All rows with their names."""
    rows = {name: np.asarray(Image.open(path)) for name, path in strips.items()}
    width = max(r.shape[1] for r in rows.values())
    page = Image.new("RGB", (width + 20, len(rows) * (CELL + GAP) + 18), (255, 255, 255))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for k, name in enumerate(COLUMNS):
        draw.text((20 + k * (2 * CELL + GAP), 1), f"{name}: defect | golden twin", (31, 41, 51), font)
    for k, (name, row) in enumerate(rows.items()):
        y = 18 + k * (CELL + GAP)
        page.paste(Image.fromarray(row), (20, y))
        label = Image.new("RGB", (CELL, 18), (255, 255, 255))
        ImageDraw.Draw(label).text((2, 1), name, (31, 41, 51), font)
        page.paste(label.rotate(90, expand=True), (1, y))
    return page


def main(out: Path, units: int = UNITS) -> int:
    bench = Bench(units)
    (out / "pictures").mkdir(parents=True, exist_ok=True)
    path, fields = out / "units.csv", ["index", "defect", "level", "severity", "host", "rule"]
    fields += [f"{column} {what}" for column in COLUMNS for what in ("cnr", "signal", "noise", "pixels")]
    done = {int(r["index"]) for r in _read(path)}
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        if not done:
            writer.writeheader()
        for index in bench.order():
            if index in done:
                continue
            row, found = bench.measure(index)
            for column, measured in found.items():
                for what, value in zip(("cnr", "signal", "noise"), measured.values, strict=True):
                    row[f"{column} {what}"] = f"{value:.6g}"
                row[f"{column} pixels"] = measured.pixels
            writer.writerow(row)
            file.flush()
            if row["level"] in ("moderate", "any") and len(list((out / "pictures").glob(f"{row['defect']}-*.png"))) < 4:
                Image.fromarray(strip(found)).save(out / "pictures" / f"{row['defect']}-{index:05d}.png")
    bench.context.close()
    names = [d.name for d in bench.taxonomy.defects]
    text, wrong = table(_read(path), names)
    (out / "contrast.md").write_text(text, encoding="utf-8")
    shown = {name: sorted((out / "pictures").glob(f"{name}-*.png")) for name in names}
    sheet({name: found[0] for name, found in shown.items() if found}).save(out / "sheet.jpg", quality=72, optimize=True)
    print(text)
    return int(wrong > 0)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("build/contrast"), *map(int, sys.argv[2:3])))
