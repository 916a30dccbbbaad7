"""What ``linetwin generate``, ``inspect`` and ``export`` do."""
from __future__ import annotations

from pathlib import Path
from typing import Any


def run_plan(recipe: Path) -> tuple[dict[str, Any], str]:
    """Counts, time and disk of a recipe, without rendering."""
    from domain_randomization import Recipe, plan
    from scenes.scene import Scene

    read = Recipe.read(recipe)
    made = plan(Scene.read(read.scene), read)
    return made.to_dict(), made.text()


def run_generate(recipe: Path, out: Path, *, workers: int | None, renderer: str, address: str | None,
                 progress: Any) -> dict[str, Any]:
    """Generate or resume; returns what was committed."""
    from domain_randomization import Recipe, run
    from scenes.scene import Scene

    read = Recipe.read(recipe)
    summary = run(Scene.read(read.scene), read, out, workers=workers, renderer=renderer, address=address, progress=progress)
    return summary.to_dict()


def run_inspect(dataset: Path, *, limit: int | None, progress: Any) -> tuple[dict[str, Any], str, int]:
    """The gate: its result, a text for people and the exit code."""
    from generators.dataset import Dataset
    from generators.inspect import inspect_dataset

    report = inspect_dataset(Dataset.read(dataset), limit=limit, progress=progress)
    return report.to_dict(), f"{report}\nreport: {dataset / 'report' / 'index.html'}", 0 if report.passed else 1


def run_export(dataset: Path, format: str, out: Path) -> dict[str, Any]:
    """Export through the plug-in of that name."""
    from generators.dataset import Dataset

    return Dataset.read(dataset).export(format, out).to_dict()


__all__ = ["run_export", "run_generate", "run_inspect", "run_plan"]
