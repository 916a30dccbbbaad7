"""The first thing to run on a machine with an RTX GPU: one unit drawn by ``isaac`` and by ``gl``, held against each other.

    export OMNI_KIT_ACCEPT_EULA=yes LINETWIN_ISAAC_PYTHON=<isaac sim>/python.sh        # the licence: if you accept it
    .venv/bin/python examples/isaac/check_backend.py build/check

Writes both pictures and ``report.json``, which is what a report of how it went should carry. Exit code 0: they agree, 1: they do
not, 3: Isaac Sim did not start or failed, and the line says why.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from domain_randomization.portrait import healthy_state
from domain_randomization.recipe import Frames, Recipe
from domain_randomization.sampling import Context
from generators.render import open_renderer
from generators.render.agreement import compare
from scenes.errors import LinetwinError
from scenes.optics import Look
from scenes.scene import Scene

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scene", type=Path, default=ROOT / "examples/inspector.scene.yaml")
    parser.add_argument("--pixel-um", type=float, default=50.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        report = check(options.scene, options.pixel_um, options.out)
    except LinetwinError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    (options.out / "report.json").write_text(json.dumps(report, indent=1, sort_keys=True))
    print(report["agreement"])
    return 0 if report["passed"] else 1


def check(path: Path, pixel_um: float, out: Path) -> dict[str, object]:
    scene = Scene.read(path)
    with Context(scene, Recipe(scene=scene.path, count=1, frames=Frames(pixel_um=pixel_um))) as context:
        geometry = context.family.geometry(context.product, healthy_state(context), Look())
        camera, lighting = replace(context.cameras[0], lens=None), context.station.lighting
        assert lighting is not None
        gl = context.renderer.render(geometry, camera, lighting, Look())
    seconds = {}
    begun = time.monotonic()
    isaac = open_renderer("isaac")
    seconds["start"] = time.monotonic() - begun
    try:
        for name in ("first picture", "second picture"):
            begun = time.monotonic()
            seen = isaac.render(geometry, camera, lighting, Look())
            seconds[name] = time.monotonic() - begun
    finally:
        isaac.close()
    found = compare(gl, seen, names=("gl", "isaac"))
    assert gl.rgb is not None and seen.rgb is not None
    Image.fromarray(np.concatenate([gl.rgb, seen.rgb], axis=1)).save(out / "gl_and_isaac.png")
    return {"build": isaac.build, "passed": found.passed, "agreement": str(found), "seconds": seconds,
            "mean level": {"gl": gl.rgb.mean(axis=(0, 1)).tolist(), "isaac": seen.rgb.mean(axis=(0, 1)).tolist()}}


if __name__ == "__main__":
    sys.exit(main())
