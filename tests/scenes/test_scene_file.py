"""Scene files: what is read, what is refused and how."""
from __future__ import annotations

import math

import pytest

from scenes.errors import SceneError
from scenes.scene import Scene

GOOD = """\
linetwin: 1
name: test line
line: Plant/SMT/Line 3
product: {board: a.kicad_pcb, side: back, stencil_um: 100, panel: {rows: 2, columns: 3, gap_mm: 1.5}}
stations:
  - id: SPI-1
    kind: spi
  - id: AOI-1
    camera: {pixel_um: 15, width: 640, height: 480, view: board, distance_mm: 300}
    lighting:
      rings: [{zenith_deg: [10, 25], radiance: [1, 0, 0]}]
      directional: [{elevation_deg: 30, azimuth_deg: 90, irradiance: [1, 1, 1]}]
"""


def write(tmp_path, text):
    path = tmp_path / "line.yaml"
    path.write_text(text)
    return path


def test_units_become_si(tmp_path):
    scene = Scene.read(write(tmp_path, GOOD))
    station = scene.camera_station()
    assert station.path == "Plant/SMT/Line 3/AOI-1"
    assert station.camera.pixel_size == pytest.approx(15e-6)
    assert station.camera.distance == pytest.approx(0.3)
    assert station.lighting.rings[0].zenith_max == pytest.approx(math.radians(25))
    assert station.lighting.directional[0].direction == pytest.approx((0, math.cos(math.pi / 6), 0.5))
    assert scene.product.stencil_thickness == pytest.approx(1e-4)
    assert scene.product.panel.gap == pytest.approx(1.5e-3)
    assert scene.product.board == (tmp_path / "a.kicad_pcb").resolve()


@pytest.mark.parametrize(("change", "said"), [
    (("pixel_um", "pixle_um"), "did you mean 'pixel_um'?"),
    (("pixel_um: 15", "pixel_um: -15"), "stations.1.camera.pixel_um"),
    (("side: back", "side: left"), "product.side"),
    (("id: SPI-1", "id: AOI-1"), "id 'AOI-1' is used 2 times"),
    (("name: test line\n", ""), "name: missing"),
    (("linetwin: 1", "linetwin: ["), "not valid YAML"),
])
def test_refusals_name_the_file_the_key_and_the_remedy(tmp_path, change, said):
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(SceneError) as caught:
        Scene.read(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_yaml_cannot_make_objects(tmp_path):
    with pytest.raises(SceneError, match="not valid YAML"):
        Scene.read(write(tmp_path, "!!python/object/apply:os.system ['true']"))


def test_digest_follows_content_not_place(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.kicad_pcb").write_text("(kicad_pcb)")
    one, two = (Scene.read(write(tmp_path / name, GOOD)) for name in ("one", "two"))
    assert one.digest() == two.digest()
    (tmp_path / "two" / "a.kicad_pcb").write_text("(kicad_pcb )")
    assert one.digest() != two.digest()
