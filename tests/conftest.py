"""Shared fixtures. Real boards are found through LINETWIN_BOARDS and never copied here."""
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine and in every run, however slow: a failure is a fact, not the weather.
settings.register_profile("linetwin", deadline=None, derandomize=True)
settings.load_profile("linetwin")
os.environ.setdefault("LP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def boards() -> Path:
    """The folder of real boards, or a skip that says why."""
    value = os.environ.get("LINETWIN_BOARDS")
    if not value:
        pytest.skip("LINETWIN_BOARDS is not set: tests on real boards need a folder of them")
    folder = Path(value)
    if not folder.is_dir():
        pytest.skip(f"LINETWIN_BOARDS={value} is not a folder")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def isaac_environment() -> dict[str, str]:
    """Variables under which renderer 'isaac' runs here: Isaac Sim where LINETWIN_ISAAC_PYTHON names it, else the stand-in."""
    if os.environ.get("LINETWIN_ISAAC_PYTHON"):
        return {}
    return {"LINETWIN_ISAAC_PYTHON": sys.executable, "LINETWIN_ISAAC_PATH": str(ROOT / "tests" / "standin"),
            "OMNI_KIT_ACCEPT_EULA": "yes"}
