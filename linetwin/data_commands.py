"""What ``linetwin generate``, ``inspect``, ``export`` and ``import`` do."""
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
    from linetwin.scene_commands import edits_told
    from scenes.scene import Scene

    read = Recipe.read(recipe)
    scene = Scene.read(read.scene)
    summary = run(scene, read, out, workers=workers, renderer=renderer, address=address, progress=progress)
    return {**summary.to_dict(), **edits_told(scene.edits)}


def run_inspect(dataset: Path, *, limit: int | None, progress: Any) -> tuple[dict[str, Any], str, int]:
    """The gate: its result, a text for people and the exit code."""
    from generators.dataset import Dataset
    from generators.inspect import inspect_dataset

    report = inspect_dataset(Dataset.read(dataset), limit=limit, progress=progress)
    return report.to_dict(), f"{report}\nreport: {dataset / 'report' / 'index.html'}", 0 if report.passed else 1


def run_export(dataset: Path, format: str, out: Path, *, progress: Any = None) -> tuple[dict[str, Any], str]:
    """Export through the plug-in of that name: what was written, and a text for people."""
    from generators.dataset import Dataset

    report = Dataset.read(dataset).export(format, out, progress=progress)
    return report.to_dict(), str(report)


def run_import(folder: Path, out: Path, *, progress: Any = None, **options: Any) -> tuple[dict[str, Any], str]:
    """Import what another tool wrote: what was read, and a text for people."""
    from generators.imports import import_folder

    report = import_folder(folder, out, progress=progress, **options)
    return report.to_dict(), f"{report}\nnext: linetwin inspect {out}"


__all__ = ["run_export", "run_generate", "run_import", "run_inspect", "run_plan"]
