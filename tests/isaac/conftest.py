"""Where NVIDIA's wheels are. ``scripts/isaac_wheels`` sets them up; without them these tests are skipped, each with its reason.

LINETWIN_ISAAC_PYTHON   a Python that has the package ``isaacsim``
LINETWIN_ISAAC_WHEELS   a folder with ``isaacsim/exts/…``: its site-packages, or the unpacked wheel isaacsim-replicator;
                        found from LINETWIN_ISAAC_PYTHON where it is not set
OMNI_KIT_ACCEPT_EULA    NVIDIA's own: set it to YES if you accept their licence. No test accepts it for you.
"""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from generators.render import open_renderer
from scenes.errors import BackendUnavailable

SETUP = "run scripts/isaac_wheels and set LINETWIN_ISAAC_PYTHON as it says"


@pytest.fixture(scope="session")
def isaac_python() -> Path:
    """An interpreter with the real package ``isaacsim``."""
    value = os.environ.get("LINETWIN_ISAAC_PYTHON")
    if not value or not Path(value).is_file():
        pytest.skip(f"LINETWIN_ISAAC_PYTHON is {value or 'not set'}: no interpreter with Isaac Sim's wheels; {SETUP}")
    if not (_packages(value) / "isaacsim" / "kit").is_dir():
        pytest.skip(f"LINETWIN_ISAAC_PYTHON={value}: has no public Isaac Sim wheels; {SETUP}")
    return Path(value)


@pytest.fixture(scope="session")
def accepted() -> None:
    """NVIDIA's licence has been accepted by whoever runs the tests."""
    if os.environ.get("OMNI_KIT_ACCEPT_EULA", "").lower() not in ("y", "yes", "1"):
        pytest.skip("OMNI_KIT_ACCEPT_EULA is not YES: NVIDIA's licence has not been accepted here, so Isaac Sim is not started")


@pytest.fixture(scope="session")
def wheels() -> Path:
    """The folder ``isaacsim/exts`` of the public wheels, with isaacsim-replicator in it."""
    value = os.environ.get("LINETWIN_ISAAC_WHEELS")
    python = os.environ.get("LINETWIN_ISAAC_PYTHON")
    root = Path(value) if value else _packages(python) if python else None
    if root is None or not (root / "isaacsim" / "exts" / "isaacsim.replicator.writers").is_dir():
        pytest.skip(f"LINETWIN_ISAAC_WHEELS is {value or 'not set'}: no isaacsim-replicator wheel; {SETUP}")
    return root / "isaacsim" / "exts"


@pytest.fixture(scope="module")
def gl():
    try:
        renderer = open_renderer("gl")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    yield renderer
    renderer.close()


def _packages(python: str) -> Path:
    """site-packages beside an interpreter of a virtual environment."""
    found = sorted(Path(python).parent.parent.glob("lib/python3.*/site-packages"))
    return found[0] if found else Path(python).parent
