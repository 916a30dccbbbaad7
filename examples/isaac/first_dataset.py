"""A first Replicator dataset of a linetwin stage, with Isaac Sim's own interpreter:

    .venv/bin/linetwin scene usd examples/inspector.scene.yaml -o build/stage --states bridge      # our Python: line.usda
    <isaac sim>/python.sh examples/isaac/first_dataset.py build/stage/line.usda build/raw --frames 4
    .venv/bin/linetwin import build/raw/twin -o build/dataset --defect bridge                      # our Python again

Frames go through the states of the unit in turn (healthy, and whatever else the stage holds), each under lamps that are a
little brighter or darker. Writers: twin (ours, lossless label ids), basic, pose, kitti, coco. docs/isaac.md tells the rest.
"""
from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", type=Path, help="line.usda of a stage that linetwin wrote")
    parser.add_argument("out", type=Path, help="new folder; each writer gets a folder in it")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--station", help="id of a station; default all that have cameras")
    parser.add_argument("--writers", default="twin", help="of twin, basic, pose, kitti, coco; with commas")
    parser.add_argument("--subframes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gain", type=float, help="of all lamps; raise it where pictures are dark")
    parser.add_argument("--renderer", default="RealTimePathTracing", help="RaytracedLighting on Isaac Sim 5.x; PathTracing")
    parser.add_argument("--native", type=Path, default=ROOT / "generators/render/isaac/native",
                        help="the folder 'native' of linetwin, where this script is not in a checkout")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if not options.stage.is_file():
        print(f"{options.stage}: no such file; write it with 'linetwin scene usd'", file=sys.stderr)
        return 2
    # First of all: it sets up everything that is imported later.
    from isaacsim import SimulationApp

    app = SimulationApp({"headless": True, "renderer": options.renderer})
    try:
        make(app, options)
    except (RuntimeError, ValueError) as error:
        print(f"first_dataset: {error}", file=sys.stderr, flush=True)
        os._exit(1)                            # app.close() may end the process itself, and then with status 0
    app.close()
    return 0


def make(app: object, options: argparse.Namespace) -> None:
    import numpy as np
    import omni.usd

    sys.path.insert(0, str(options.native.parent))
    from native import capture, writers
    from native import stage as stages

    context = omni.usd.get_context()
    if not context.open_stage(str(options.stage.resolve())):
        raise RuntimeError(f"{options.stage}: Isaac Sim did not open it; see its log")
    for _ in range(10):
        app.update()                           # type: ignore[attr-defined]    # let textures and materials load
    stage = context.get_stage()
    print(f"first_dataset: {stages.unshare(stage)} instanced parts now have prims of their own")
    views = stages.views(stage, options.station)
    opened = {name: writers.open_writer(name, options.out, stage) for name in options.writers.split(",")}
    states, rng = stages.states(stage), np.random.default_rng(options.seed)
    lamps = stages.lamps(stage)

    def change(frame: int) -> None:
        stages.light(stage, lamps, (options.gain or stages.GAIN) * float(rng.uniform(0.8, 1.2)))
        if states:
            stages.choose_state(stage, states[frame % len(states)])
            stages.unshare(stage)              # another state brings other parts
            if "twin" in opened:
                opened["twin"].know(writers.known(stage))

    capture.capture(views, list(opened.values()), options.frames, seed=options.seed, subframes=options.subframes, change=change)
    if "twin" in opened:
        capture.check_frames(options.out / "twin", views, options.frames)
    print(f"first_dataset: {options.frames} frames of {len(views)} cameras in {options.out}")


if __name__ == "__main__":
    sys.exit(main())
