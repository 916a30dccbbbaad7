"""NVIDIA's asset validator over whole stages: every example scene and both real boards, machines and variants included."""
from __future__ import annotations

import pytest

from linetwin.stage_commands import write_usd
from scenes.usd.check import check_stage

pytestmark = pytest.mark.soak
pytest.importorskip("usd_validation_nvidia")
_SCENE = """\
name: real
product: {{board: {board}, side: front}}
stations:
  - id: AOI-1
    kind: aoi
    camera: {{name: top, pixel_um: 20, width: 1024, height: 1024}}
    lighting: {{dome: [0.5, 0.5, 0.5]}}
  - {{id: AXI-1, kind: axi, xray: {{}}}}
"""


def check(scene, folder, states=""):
    found = check_stage(write_usd(scene, folder, states=states)["stage"])
    assert (found.errors, found.warnings, found.skipped) == ((), (), ())


@pytest.mark.parametrize("name", ["inspector", "inspector.clip", "living_line"])
def test_example_scenes(examples, tmp_path, name):
    check(examples / f"{name}.scene.yaml", tmp_path)


@pytest.mark.boards
@pytest.mark.parametrize("board", ["rp2040_stamp/rp2040_stamp.kicad_pcb", "esp32_poe/rev_m1.kicad_pcb"])
def test_real_boards(boards, tmp_path, board):
    (tmp_path / "scene.yaml").write_text(_SCENE.format(board=boards / board))
    check(tmp_path / "scene.yaml", tmp_path / "out", "none")


def test_every_state_of_a_unit(examples, tmp_path):
    check(examples / "inspector.clip.scene.yaml", tmp_path, "all")
