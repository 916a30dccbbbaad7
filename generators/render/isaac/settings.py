"""How the worker is started: from the environment, checked before anything is started.

    LINETWIN_ISAAC_PYTHON      Isaac Sim's interpreter: python.sh of an installation, or the python of an environment with the
                               isaacsim wheels (Isaac Sim 6.x: Python 3.12, 5.x: Python 3.11). Required.
    LINETWIN_ISAAC_PATH        further folders that this interpreter imports from, separated by ":". Default: none.
    LINETWIN_ISAAC_MODE        RealTimePathTracing (default, 6.x), RaytracedLighting (5.x) or PathTracing.
    LINETWIN_ISAAC_SUBFRAMES   frames that RTX accumulates per picture. Default: 8, with PathTracing 32.
    LINETWIN_ISAAC_START_S     time limit of the start [s]. Default: 600 (the first start compiles shaders).
    LINETWIN_ISAAC_LIMIT_S     time limit of everything else [s], per request. Default: 180.
    LINETWIN_ISAAC_SETTINGS    further settings of the application, "/rtx/post/tonemap/op=1,/rtx/…=…". Default: none.
    LINETWIN_ISAAC_ONLINE      1: Isaac Sim may fetch extensions from its registry. Default: 0.

The licence is Isaac Sim's own matter: who has read and accepted it sets OMNI_KIT_ACCEPT_EULA=yes.
"""
from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scenes.errors import BackendUnavailable

MODES = ("RealTimePathTracing", "RaytracedLighting", "PathTracing")
VARIABLE = "LINETWIN_ISAAC_PYTHON"
FOUND = ("set it to Isaac Sim's interpreter: python.sh of an installation, or bin/python of an environment with the isaacsim "
         "wheels; or use --renderer gl")


@dataclass(frozen=True)
class Setup:
    """What the worker is started with."""
    python: Path
    paths: tuple[str, ...] = ()
    mode: str = "RealTimePathTracing"
    subframes: int = 8
    start_limit: float = 600.0                 # [s]
    limit: float = 180.0                       # [s]
    offline: bool = True
    settings: Mapping[str, bool | int | float | str] = field(default_factory=dict)


def from_environment(environment: Mapping[str, str] = os.environ) -> Setup:
    """The setup that the environment asks for.

    Raises:
        BackendUnavailable: no interpreter, one that cannot be run, or a variable that makes no sense.
    """
    named = environment.get(VARIABLE, "").strip()
    if not named:
        raise BackendUnavailable(f"renderer 'isaac': {VARIABLE} is not set; {FOUND}")
    python = Path(named).expanduser()
    if not python.is_file():
        raise BackendUnavailable(f"renderer 'isaac': {VARIABLE}: {named} is not a file; {FOUND}")
    if not os.access(python, os.X_OK):
        raise BackendUnavailable(f"renderer 'isaac': {VARIABLE}: {named} cannot be executed; make it executable (chmod +x), "
                                 "or name another interpreter")
    mode = environment.get("LINETWIN_ISAAC_MODE", MODES[0])
    if mode not in MODES:
        raise BackendUnavailable(f"renderer 'isaac': LINETWIN_ISAAC_MODE: {mode!r} unknown; known: {', '.join(MODES)}")
    return Setup(
        python=python.absolute(),              # not resolved: a virtual environment's python is a link, and must stay one
        paths=tuple(p for p in environment.get("LINETWIN_ISAAC_PATH", "").split(os.pathsep) if p), mode=mode,
        subframes=int(_number(environment, "LINETWIN_ISAAC_SUBFRAMES", 32 if mode == "PathTracing" else 8, 1, 1024)),
        start_limit=_number(environment, "LINETWIN_ISAAC_START_S", 600, 1, 86400),
        limit=_number(environment, "LINETWIN_ISAAC_LIMIT_S", 180, 1, 86400),
        offline=environment.get("LINETWIN_ISAAC_ONLINE", "0") != "1",
        settings=_settings(environment.get("LINETWIN_ISAAC_SETTINGS", "")))


def _settings(text: str) -> dict[str, bool | int | float | str]:
    out: dict[str, bool | int | float | str] = {}
    for word in filter(None, (w.strip() for w in text.split(","))):
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", name):
            raise BackendUnavailable(f"renderer 'isaac': LINETWIN_ISAAC_SETTINGS: {word!r}; write /path/of/setting=value")
        out[name] = _typed(value)
    return out


def _typed(value: str) -> bool | int | float | str:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _number(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environment.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise BackendUnavailable(f"renderer 'isaac': {name}: {text!r}; a number from {low:g} to {high:g}")
    return value


__all__ = ["MODES", "VARIABLE", "Setup", "from_environment"]
