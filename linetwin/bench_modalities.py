"""What further modalities cost: the same units in colour alone, and in colour, infrared and X-ray, in turns in one process.

Run as a module it is the child that works: ``python -m linetwin.bench_modalities SCENE SAMPLES``.
"""
from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from scenes.errors import BackendError

MODALITIES = ("rgb", "thermal", "xray")
_WARM = 4
_SIZE = "pixel_um: 20, width: 1024, height: 1024"


def compare_modalities(scene: Path, samples: int) -> dict[str, Any]:
    """CPU time per sample [ms] with one modality and with three of one resolution, all labels, encoded; and the ratio.

    Args:
        scene: As ``linetwin scene new`` writes it; a copy of it beside it has all cameras at one resolution.
        samples: Of each.
    """
    text, authored = scene.read_text(), "infrared: {pixel_um: 150, view: board,"
    if authored not in text or f"xray: {{tube_kv: 130, {_SIZE}}}" not in text:
        raise BackendError(f"bench of modalities: {scene} is not as 'linetwin scene new' writes it; "
                           "its cameras cannot be made equal")
    text = text.replace(authored, f"infrared: {{{_SIZE}, view: tiles,")
    even = scene.with_name("even.yaml")
    even.write_text(text)
    command = [sys.executable, "-m", "linetwin.bench_modalities", str(even), str(samples)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise BackendError(f"bench of modalities: ended with {run.returncode}; {run.stderr.strip()[-300:]}")
    return dict(json.loads(run.stdout.splitlines()[-1]))


def measure(scene: Path, samples: int) -> dict[str, Any]:
    """The child's work."""
    from domain_randomization.execution import dataset_info
    from domain_randomization.recipe import Recipe
    from domain_randomization.sampling import Context, make_sample
    from generators.dataset.schema import row
    from scenes.scene import Scene

    contexts: list[Context] = []
    for modalities in (MODALITIES[:1], MODALITIES):
        recipe = Recipe.parse(f"scene: {scene.name}\ncount: {samples + _WARM}\nmodalities: [{', '.join(modalities)}]\nframes: "
                              f"{{view: tiles, {_SIZE}}}")
        contexts.append(Context(Scene.read(scene), recipe, "gl", contexts[0].product if contexts else None))
    infos = [dataset_info(c, c.renderer.build) for c in contexts]
    spent: list[list[float]] = [[], []]
    for index in range(samples + _WARM):
        for context, info, times in zip(contexts, infos, spent, strict=True):
            begun = time.process_time()
            row(make_sample(context, index), info)
            times.append(1e3 * (time.process_time() - begun))
    one, all_ = (times[_WARM:] for times in spent)
    return {"samples": samples, "rgb_ms": median(one), "all_ms": median(all_), "ratio": sum(all_) / sum(one)}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
