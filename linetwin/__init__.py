"""linetwin: a digital twin of production lines and a generator of labelled synthetic defect data.

    import linetwin as lt
    scene = lt.Scene.read("line.yaml")
    recipe = lt.Recipe.read("recipe.yaml")
    for sample in lt.generate(scene, recipe, "out/dataset"): ...

Five nouns: Scene, Recipe, Sample, Dataset, Report. Names are imported when they are first used, so that
``import linetwin`` costs nothing but this file.
"""
from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain_randomization import Recipe, generate, plan
    from generators.dataset import Dataset
    from generators.dataset.sample import Sample
    from generators.reports import Report
    from scenes.errors import (
        AssetError,
        BackendError,
        BackendUnavailable,
        DatasetError,
        InputError,
        InvariantError,
        LinetwinError,
        ModelError,
        RecipeError,
        ResumeError,
        SceneError,
        StorageError,
    )
    from scenes.scene import Scene
    from training_bridge import train, validate

__version__ = "0.1.0"

_HOME = {
    "Scene": "scenes.scene", "Recipe": "domain_randomization", "plan": "domain_randomization", "generate": "domain_randomization",
    "Sample": "generators.dataset.sample", "Dataset": "generators.dataset", "Report": "generators.reports",
    "train": "training_bridge", "validate": "training_bridge",
    **dict.fromkeys(("AssetError", "BackendError", "BackendUnavailable", "DatasetError", "InputError", "InvariantError",
                     "LinetwinError", "ModelError", "RecipeError", "ResumeError", "SceneError", "StorageError"), "scenes.errors"),
}


def _own_room(module: str) -> Any:
    """Import one of our rooms, and say so clearly where a package of the user's shadows it."""
    room = importlib.import_module(module.split(".")[0])
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = [os.path.abspath(p) for p in getattr(room, "__path__", [])]
    places = places or [os.path.dirname(os.path.abspath(room.__file__ or ""))]
    if not any(os.path.dirname(place) == ours for place in places):
        raise ImportError(f"{places[0]}: shadows linetwin's own package '{room.__name__}'; "
                          f"rename that folder, or run from another directory than its parent")
    return importlib.import_module(module)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'linetwin' has no attribute '{name}'; known: {', '.join(__all__)}")
    value = getattr(_own_room(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "AssetError", "BackendError", "BackendUnavailable", "Dataset", "DatasetError", "InputError", "InvariantError",
    "LinetwinError", "ModelError", "Recipe", "RecipeError", "Report", "ResumeError", "Sample", "Scene", "SceneError",
    "StorageError", "__version__", "generate", "plan", "train", "validate",
]
