"""Fixtures: the toy line as an installed plug-in, and a small scene and recipe on it."""
from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

SCENE = """
linetwin: 1
name: toy
product: {family: fake, board: plate.txt}
stations:
  - id: aoi
    camera: {name: top, pixel_um: 100, width: 96, height: 64, view: tiles}
    lighting: {dome: [0.5, 0.5, 0.5], rings: [{zenith_deg: [10, 30], radiance: [1, 1, 1]}]}
"""
RECIPE = """
scene: toy.scene.yaml
seed: 7
count: 24
shard_size: 4
defective_fraction: 0.5
quotas:
  - {defect: shift, count: 2, levels: all}
  - {defect: missing, count: 3}
process: {drifts: {bias_um: {normal: {mean: 0, std: 3}}}}
"""


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toy line and its entry points, on the path of this process and of those it starts."""
    folder = tmp_path_factory.mktemp("plugins")
    shutil.copy(Path(__file__).parent / "fakes" / "fake_line.py", folder)
    info = folder / "fake_line-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-line\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[linetwin.families]\nfake = fake_line:FAMILY\n[linetwin.renderers]\nfake = fake_line:open\n")
    sys.path.insert(0, str(folder))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), before]))
    yield folder
    sys.path.remove(str(folder))
    os.environ["PYTHONPATH"] = before or ""


@pytest.fixture
def toy(plugins: Path, tmp_path: Path) -> Path:
    """A folder with plate.txt, toy.scene.yaml and toy.yaml."""
    (tmp_path / "plate.txt").write_text("24 12\n")
    (tmp_path / "toy.scene.yaml").write_text(SCENE)
    (tmp_path / "toy.yaml").write_text(RECIPE)
    return tmp_path
