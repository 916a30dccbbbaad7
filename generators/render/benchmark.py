"""How fast the renderers are, and how good their edges: measured in one run, in turns, on equal terms.

Both draw the same geometry, cameras, lamps and labels, with shadows and anti-aliasing on. Work is timed in child
processes of one thread each (``LP_NUM_THREADS=1``), so that start-up, memory and scaling are those of real workers.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from generators.memory import resident
from generators.render.protocol import ALL
from scenes.geometry import Geometry
from scenes.optics import Camera, Directional, Lighting, Look, Ring, looking_down

DEG = np.pi / 180

STATION = Lighting(
    rings=(Ring(8 * DEG, 28 * DEG, (0.6, 0.6, 0.6)), Ring(35 * DEG, 50 * DEG, (0.7, 0.7, 0.7)),
           Ring(60 * DEG, 80 * DEG, (0.6, 0.6, 0.6))),
    dome=(0.35, 0.35, 0.35), directional=(Directional((0.42, 0.3, 0.86), (0.25, 0.25, 0.25)),), noise=0.004)
"""A white dome over three white tiers and one lamp that casts shadows: what both renderers are timed under."""


@dataclass(frozen=True)
class Timing:
    """One process's run."""
    renderer: str
    build: str
    frames: int
    seconds: float                             # wall clock over all frames, first one not counted
    cpu_seconds: float
    first_frame: float                         # [s] from the renderer's start to its first picture
    resident_mb: float                         # at the end

    @property
    def rate(self) -> float:
        return self.frames / self.seconds


@dataclass(frozen=True)
class Comparison:
    """Timings of one renderer, run by run."""
    renderer: str
    processes: int
    rates: tuple[float, ...]                   # [frames/s] of all processes together, per round
    resident_mb: float                         # of the largest process
    cpu_ms: float                              # per frame


def tiles(box: tuple[float, float, float, float], pixel_size: float, side: int) -> list[Camera]:
    """Cameras of side × side pixels that cover a box (x0, y0, x1, y1) [m], row by row."""
    x0, y0, x1, y1 = box
    span = pixel_size * side
    columns, rows = (max(1, int(np.ceil((b - a) / span))) for a, b in ((x0, x1), (y0, y1)))
    middles = [(x0 + (c + 0.5) * (x1 - x0) / columns, y0 + (r + 0.5) * (y1 - y0) / rows)
               for r in range(rows) for c in range(columns)]
    return [looking_down(f"tile_{i}", middle, pixel_size, side, side) for i, middle in enumerate(middles)]


def whole(box: tuple[float, float, float, float], side: int) -> Camera:
    """One camera over the whole box, ``side`` pixels along its longer edge."""
    x0, y0, x1, y1 = box
    pixel = max(x1 - x0, y1 - y0) / side
    width, height = (max(16, round(length / pixel)) for length in (x1 - x0, y1 - y0))
    return looking_down("board", ((x0 + x1) / 2, (y0 + y1) / 2), pixel, width, height)


def run(renderer: str, geometry: Geometry, cameras: Sequence[Camera], frames: int, *, lighting: Lighting = STATION,
        look: Look | None = None, after: Callable[[Any], None] | None = None) -> Timing:
    """Draw ``frames`` pictures with all labels, cycling over the cameras. ``after`` gets each frame's buffers (encoding)."""
    from generators.render import open_renderer

    look = look or Look()
    start = time.perf_counter()
    drawer = open_renderer(renderer)
    try:
        for camera in cameras[:1]:
            drawer.render(geometry, camera, lighting, look, outputs=ALL)
        first = time.perf_counter() - start
        wall, cpu = time.perf_counter(), time.process_time()
        for i in range(frames):
            buffers = drawer.render(geometry, cameras[i % len(cameras)], lighting, look, outputs=ALL, noise_seed=i)
            if after is not None:
                after(buffers)
        return Timing(renderer, drawer.build, frames, time.perf_counter() - wall, time.process_time() - cpu, first,
                      resident() / 1e6)
    finally:
        drawer.close()


def compare(command: Callable[[str, int], list[str]], renderers: Sequence[str], processes: int, frames: dict[str, int],
            rounds: int = 3) -> list[Comparison]:
    """Renderers in turns, ``rounds`` times, each with ``processes`` children at once.

    Args:
        command: (renderer, frames) → argument list of a child that prints one ``Timing`` as JSON on its last line.
        frames: per renderer, frames of one child in one round.
    """
    environment = dict(os.environ, LP_NUM_THREADS="1", OMP_NUM_THREADS="1")
    collected: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in renderers}
    for _ in range(rounds):
        for name in renderers:
            children = [subprocess.Popen(command(name, frames[name]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         env=environment) for _ in range(processes)]
            done = [child.communicate() for child in children]
            for child, (_, errors) in zip(children, done, strict=True):
                if child.returncode:
                    raise RuntimeError(f"benchmark: the child for {name!r} failed: {errors.strip().splitlines()[-1:]}")
            collected[name].append([json.loads(out.strip().splitlines()[-1]) for out, _ in done])
    out = []
    for name in renderers:
        runs = collected[name]
        rates = tuple(sum(t["frames"] / t["seconds"] for t in children) for children in runs)
        every = [t for children in runs for t in children]
        out.append(Comparison(name, processes, rates, max(t["resident_mb"] for t in every),
                              1e3 * float(np.median([t["cpu_seconds"] / t["frames"] for t in every]))))
    return out


def edge_error(geometry: Geometry, camera: Camera, *, lighting: Lighting = STATION, look: Look | None = None,
               factor: int = 8) -> dict[str, float]:
    """How far anti-aliased edges are from ``factor`` × ``factor`` samples per pixel: RMS and 99th percentile in sRGB codes.

    "edge" counts the pixels that anti-aliasing changes; "none" is the error there without anti-aliasing.
    """
    from dataclasses import replace

    from generators.render.gl import GlRenderer

    look, still = look or Look(), replace(lighting, noise=0.0, blur=0.0)
    smooth, rough = GlRenderer(), GlRenderer(antialias=False)
    try:
        exact = smooth.reference(geometry, camera, still, look, factor=factor).astype(float)
        a = smooth.render(geometry, camera, still, look, outputs={"rgb"}).rgb
        b = rough.render(geometry, camera, still, look, outputs={"rgb"}).rgb
    finally:
        smooth.close()
        rough.close()
    assert a is not None and b is not None
    edge = (a != b).any(axis=-1)
    error = np.abs(a - exact)[edge]
    return {"edge_share": float(edge.mean()), "rms": float(np.sqrt((error**2).mean())), "p99": float(np.percentile(error, 99)),
            "rms_without": float(np.sqrt(((b - exact)[edge] ** 2).mean())),
            "rms_elsewhere": float(np.sqrt(((a - exact)[~edge] ** 2).mean()))}


def report(timing: Timing) -> None:
    """What a child prints."""
    print(json.dumps(asdict(timing)), file=sys.stdout)


__all__ = ["STATION", "Comparison", "Timing", "compare", "edge_error", "report", "run", "tiles", "whole"]
