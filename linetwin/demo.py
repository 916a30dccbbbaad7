"""``linetwin demo``: the whole chain on the shipped board, small. Every step is what a user would call."""
from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from scenes.errors import AssetError

# A disjoint stream for the virtual line: never the seed of a training recipe.
FRESH_SEED = 90_001


def example(name: str) -> Path:
    """A file of the shipped examples. Raises AssetError where linetwin was installed without them."""
    path = Path(str(files("linetwin"))).parent / "examples" / name
    if not path.exists():
        raise AssetError(f"{path}: not there; the demo runs from a clone of the project, which carries examples/")
    return path


def run_demo(out: Path, *, samples: int, units: int, workers: int | None, as_json: bool) -> tuple[dict[str, Any], str, int]:
    """Import → generate → inspect → train → validate. Running it again on the same folder resumes.

    Returns the figures, a closing text that names the files to open, and the exit code of the worst step.
    """
    from domain_randomization import Recipe, run
    from generators.dataset import Dataset
    from generators.inspect import inspect_dataset
    from linetwin.cli import progress_bar
    from linetwin.model_commands import EXIT
    from linetwin.scene_commands import describe_board, preview
    from scenes.scene import Scene
    from training_bridge import train, validate

    took: dict[str, float] = {}
    out.mkdir(parents=True, exist_ok=True)

    def step(number: int, name: str, what: str) -> float:
        if not as_json:
            print(f"[{number}/5] {name}: {what}", flush=True)
        return time.perf_counter()

    scene_path, recipe_path = example("inspector.scene.yaml"), example("inspector.demo.yaml")

    start = step(1, "import", "the shipped KiCad board, its parts and its artwork")
    scene = Scene.read(scene_path)
    board = describe_board(scene.product.board)
    preview(scene_path, out / "board.png", pixel_um=None, renderer="gl")
    took["import"] = time.perf_counter() - start

    start = step(2, "generate", f"{samples} labelled units, defects by physics")
    recipe = Recipe.read(recipe_path).with_count(samples)
    run(scene, recipe, out / "dataset", workers=workers, progress=progress_bar(as_json))
    took["generate"] = time.perf_counter() - start

    start = step(3, "inspect", "the dataset gate")
    gate = inspect_dataset(Dataset.read(out / "dataset"), progress=progress_bar(as_json))
    took["inspect"] = time.perf_counter() - start

    start = step(4, "train", "a compact model on component crops")
    card = train(out / "dataset", out / "model", progress=progress_bar(as_json))
    took["train"] = time.perf_counter() - start

    start = step(5, "validate", f"the model on {units} fresh units of the virtual line")
    verdict = validate(out / "model", scene, units=units, out=out / "verdict", seed=FRESH_SEED, workers=workers,
                       progress=progress_bar(as_json))
    took["validate"] = time.perf_counter() - start

    result = {
        "board": {"name": board["board"], "components": board["sides"]["front"]["components"]},
        "gate": gate.to_dict(), "model": card.to_dict(), "verdict": verdict.to_dict(),
        "seconds": {name: round(value, 1) for name, value in took.items()}, "seconds_total": round(sum(took.values()), 1),
    }
    text = "\n".join([
        "", f"gate: {gate.verdict}; verdict: {verdict.verdict}; " + ", ".join(f"{k} {v:.0f} s" for k, v in took.items()),
        str(verdict), "",
        "Open these:",
        f"  {out / 'board.png'}                     a healthy unit as the camera sees it",
        f"  {out / 'dataset' / 'report' / 'index.html'}    the dataset gate: contact sheets with overlays",
        f"  {out / 'dataset' / 'meta' / 'scene.usda'}      the scene that was rendered, for usdview or Isaac Sim",
        f"  {out / 'verdict' / 'index.html'}           the verdict on the virtual line",
    ])
    # The demo succeeds when the chain ran and the gate passed. The verdict on so small a model is shown, not enforced.
    return result, text, EXIT["passed" if gate.passed else "failed"]


__all__ = ["FRESH_SEED", "example", "run_demo"]
