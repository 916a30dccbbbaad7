"""The first script for a person with an RTX GPU, run whole against the stand-in, and where nothing is installed."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def check(out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINETWIN_ISAAC_")}
    return subprocess.run([sys.executable, ROOT / "examples/isaac/check_backend.py", out, "--pixel-um", "150"],
                          capture_output=True, text=True, timeout=240, cwd=ROOT, env=kept | environment)


def test_it_compares_and_reports(tmp_path):
    ended = check(tmp_path, LINETWIN_ISAAC_PYTHON=sys.executable, LINETWIN_ISAAC_PATH=str(ROOT / "tests/standin"),
                  LINETWIN_ISAAC_SUBFRAMES="1", OMNI_KIT_ACCEPT_EULA="yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["passed"] and "gl against isaac: agree" in report["agreement"] and "Isaac Sim" in report["build"]
    assert set(report["seconds"]) == {"start", "first picture", "second picture"}
    both = np.asarray(Image.open(tmp_path / "gl_and_isaac.png")).astype(float)
    assert np.abs(np.subtract(*np.split(both, 2, axis=1))).mean() < 25         # two pictures of one board


def test_it_says_why_there_is_no_picture(tmp_path):
    ended = check(tmp_path)
    assert ended.returncode == 3 and "LINETWIN_ISAAC_PYTHON is not set" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1 and not (tmp_path / "report.json").exists()
