"""Renderers side by side: frames per second, memory, edges.

    python benchmarks/render_speed.py                                     the shipped board
    python benchmarks/render_speed.py --scene line.yaml --json out.json
    python benchmarks/render_speed.py --board path/to/board.kicad_pcb --processes 1 2 --frames 24 --pyrender-frames 4

Frames of 1024 × 1024 pixels at 20 µm cycle over the tiles of the board. Both renderers run in the same session, in turns,
with the same lamps, shadows, labels, anti-aliasing and number of processes. Takes a few minutes: pyrender is slow.
"""
from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import yaml

from generators.render import benchmark
from scenes.optics import Look
from scenes.scene import Scene

ROOT = Path(__file__).resolve().parent.parent


def product_of(arguments: argparse.Namespace):
    """The product, one unit of it, and the box of its board."""
    from scenes.smt.family import FAMILY

    path = arguments.scene
    if path is None:
        board = (arguments.board or ROOT / "examples" / "boards" / "inspector.kicad_pcb").resolve()
        folder = Path(tempfile.mkdtemp(prefix="linetwin-bench-"))
        path = folder / "scene.yaml"
        path.write_text(yaml.safe_dump({"linetwin": 1, "name": "bench", "product": {"board": str(board)},
                                        "stations": [{"id": "aoi", "camera": {}}]}))
    product = FAMILY.product(Scene.read(path))
    state = FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(1))
    return FAMILY.geometry(product, state, Look()), FAMILY.box(product)


def cameras_of(box, arguments):
    if arguments.whole:
        return [benchmark.whole(box, arguments.side)]
    return benchmark.tiles(box, arguments.pixel_um * 1e-6, arguments.side)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", type=Path)
    parser.add_argument("--board", type=Path)
    parser.add_argument("--renderers", nargs="+", default=["gl", "pyrender"])
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--pyrender-frames", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--pixel-um", type=float, default=20.0)
    parser.add_argument("--whole", action="store_true", help="one picture of the whole board in place of tiles")
    parser.add_argument("--edges", type=int, default=8, metavar="N", help="compare edges with N × N samples per pixel; 0 to skip")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        geometry, box = product_of(arguments)
        benchmark.report(benchmark.run(arguments.child, geometry, cameras_of(box, arguments), arguments.frames))
        return 0

    def command(name: str, frames: int, whole: bool = False) -> list[str]:
        extra = [f"--{key}={value}" for key, value in (("scene", arguments.scene), ("board", arguments.board)) if value]
        return [sys.executable, __file__, "--child", name, "--frames", str(frames), "--side", str(arguments.side),
                "--pixel-um", str(arguments.pixel_um), *extra, *(["--whole"] if whole else [])]

    frames = {name: arguments.pyrender_frames if name == "pyrender" else arguments.frames for name in arguments.renderers}
    result: dict = {"side": arguments.side, "pixel_um": arguments.pixel_um, "tiles": [], "whole": []}
    for kind in ("tiles", "whole"):
        print(f"{kind}, {arguments.side} px, all labels, anti-aliased, shadows\n"
              f"{'renderer':10s} {'processes':>9s} {'frames/s':>9s} {'range':>13s} {'CPU ms':>7s} {'MB':>6s}")
        for processes in arguments.processes if kind == "tiles" else arguments.processes[:1]:
            child = partial(command, whole=kind == "whole")
            rows = benchmark.compare(child, arguments.renderers, processes, frames, arguments.rounds)
            for row in rows:
                print(f"{row.renderer:10s} {row.processes:9d} {np.median(row.rates):9.2f} "
                      f"{min(row.rates):6.2f}–{max(row.rates):<6.2f} {row.cpu_ms:7.0f} {row.resident_mb:6.0f}")
                result[kind].append(asdict(row))
            if {"gl", "pyrender"} <= {r.renderer for r in rows}:
                fast, slow = (next(r for r in rows if r.renderer == n) for n in ("gl", "pyrender"))
                ratios = [a / b for a, b in zip(fast.rates, slow.rates, strict=True)]
                print(f"{'ratio':10s} {processes:9d} {np.median(ratios):9.1f} {min(ratios):6.1f}–{max(ratios):<6.1f}")
    if arguments.edges:
        geometry, box = product_of(arguments)
        middle = benchmark.tiles(box, arguments.pixel_um * 1e-6, arguments.side)
        result["edges"] = benchmark.edge_error(geometry, middle[len(middle) // 2], factor=arguments.edges)
        rounded = {key: round(value, 3) for key, value in result["edges"].items()}
        print(f"edges against {arguments.edges} × {arguments.edges} samples: {rounded}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
