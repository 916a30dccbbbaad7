"""The renderers side by side: one healthy unit, all labels, anti-aliasing and shadows on in both, in turns, same processes.

Run as a module it is the child that draws: ``python -m linetwin.bench_renderers SCENE RENDERER FRAMES``.
"""
from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from scenes.scene import Scene

PIXEL, SIDE = 20e-6, 1024


def _unit(scene: Path) -> tuple[Any, Any]:
    """Geometry of a healthy unit, and the tiles that cover it."""
    import numpy as np

    from domain_randomization.sampling import find_family
    from generators.render import benchmark
    from scenes.optics import Look

    read = Scene.read(scene)
    family = find_family(read)
    product = family.product(read)
    state = family.simulate(product, family.process(product, {}), np.random.default_rng(1))
    return family.geometry(product, state, Look()), benchmark.tiles(family.box(product), PIXEL, SIDE)


def compare_renderers(scene: Path, *, frames: int, peer_frames: int, processes: tuple[int, ...],
                      rounds: int = 2) -> dict[str, Any]:
    """Rates, memory and ratios per number of processes, and the error of anti-aliased edges against 8 × 8 samples."""
    from generators.render import benchmark

    names = ["gl", "pyrender"] if find_spec("pyrender") else ["gl"]
    counts = {"gl": frames, "pyrender": peer_frames}

    def child(name: str, count: int) -> list[str]:
        return [sys.executable, "-m", "linetwin.bench_renderers", str(scene), name, str(count)]

    result: dict[str, Any] = {"peer": "pyrender" if len(names) == 2 else "not installed"}
    for number in processes:
        rows = {row.renderer: row for row in benchmark.compare(child, names, number, counts, rounds)}
        found: dict[str, Any] = {name: asdict(row) for name, row in rows.items()}
        if len(names) == 2:
            ratios = [a / b for a, b in zip(rows["gl"].rates, rows["pyrender"].rates, strict=True)]
            found["ratio"] = {"median": median(ratios), "low": min(ratios), "high": max(ratios)}
            found["ratio_cpu"] = rows["pyrender"].cpu_ms / rows["gl"].cpu_ms
        result[f"{number}_processes"] = found
    geometry, cameras = _unit(scene)
    result["edges"] = benchmark.edge_error(geometry, cameras[len(cameras) // 2])
    return result


if __name__ == "__main__":
    from generators.render import benchmark

    drawn, views = _unit(Path(sys.argv[1]))
    benchmark.report(benchmark.run(sys.argv[2], drawn, views, int(sys.argv[3])))
