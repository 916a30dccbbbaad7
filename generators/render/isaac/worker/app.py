"""Isaac Sim: started without a window, with the settings that pictures for training need."""
from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import replicator
from .errors import Refused


def start(mode: str, seed: int, offline: bool, further: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """A running SimulationApp and what it is made of.

    Args:
        mode: RTX renderer, as in ``launch_config["renderer"]``.
        seed: Of Replicator's own samplers. We ask them for nothing; it is set so that nothing can differ.
        offline: Do not ask the extension registry.
        further: Settings beyond ours.

    Raises:
        Refused: "import", "eula" or "extensions".
    """
    try:
        from isaacsim import SimulationApp
    except ImportError as error:
        raise Refused("import", f"{error} (Python {platform.python_version()})") from error
    except SystemExit as ended:                # the licence prompt has nobody to answer it
        raise Refused("eula", f"Isaac Sim's licence is not accepted ({ended.code})") from ended
    options: dict[str, Any] = {"headless": True, "renderer": mode, "multi_gpu": False, "sync_loads": True,
                               "extra_args": replicator.arguments(offline, further)}
    try:
        app = SimulationApp(options)
    except SystemExit as ended:
        raise Refused("extensions", f"SimulationApp ended while starting (SystemExit {ended.code})") from ended
    for setting, value in {**replicator.SETTINGS, **further}.items():      # an experience file may have overruled the arguments
        app.set_setting(setting, value)
    try:
        replicator.prepare(seed)
    except ImportError as error:
        raise Refused("extensions", f"{error}") from error
    return app, versions(mode)


def versions(mode: str) -> dict[str, str]:
    import numpy

    return {"isaacsim": _isaac(), "mode": mode, "python": platform.python_version(), "numpy": numpy.__version__}


def _isaac() -> str:
    """Of the wheels, or of the file VERSION in an installation."""
    try:
        return importlib.metadata.version("isaacsim")
    except importlib.metadata.PackageNotFoundError:
        pass
    for folder in (os.environ.get("ISAAC_PATH"), os.environ.get("ISAACSIM_PATH")):
        if folder and (file := Path(folder) / "VERSION").is_file():
            return file.read_text(encoding="utf-8", errors="replace").strip()[:80]
    return "of unknown version"


__all__ = ["start", "versions"]
