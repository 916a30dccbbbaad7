"""What ``linetwin train``, ``control`` and ``validate`` do."""
from __future__ import annotations

from pathlib import Path
from typing import Any

EXIT = {"passed": 0, "failed": 1, "inconclusive": 5}


def run_train(dataset: Path, out: Path, *, epochs: int, seed: int, shuffle_labels: bool, progress: Any) -> dict[str, Any]:
    """Train the compact model; returns its card."""
    from training_bridge import train

    return train(dataset, out, epochs=epochs, seed=seed, shuffle_labels=shuffle_labels, progress=progress).to_dict()


def run_control(dataset: Path, units: Path, out: Path, *, seeds: int, epochs: int,
                progress: Any) -> tuple[dict[str, Any], str, int]:
    """The shuffled-label control: result, text and exit code."""
    from training_bridge import control

    report = control(dataset, units, out, seeds=seeds, epochs=epochs, progress=progress)
    return report.to_dict(), f"{report}\nreport: {out / 'index.html'}", EXIT[report.verdict]


def run_validate(model: Path, scene: Path, out: Path, *, units: int, seed: int, recipe: Path | None, renderer: str,
                 allow_drift: bool, workers: int | None, progress: Any) -> tuple[dict[str, Any], str, int]:
    """The virtual line test: result, text and exit code."""
    from scenes.scene import Scene
    from training_bridge import validate

    report = validate(model, Scene.read(scene), units=units, out=out, seed=seed, recipe=recipe, renderer=renderer,
                      allow_drift=allow_drift, workers=workers, progress=progress)
    return report.to_dict(), f"{report}\nreport: {out / 'index.html'}", EXIT[report.verdict]


__all__ = ["EXIT", "run_control", "run_train", "run_validate"]
