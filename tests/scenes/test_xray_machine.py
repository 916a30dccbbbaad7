"""The X-ray machine of a scene: file to machine, magnification, views."""
from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from scenes.instruments.xray import XrayFile, XrayMachine


def test_an_empty_file_is_the_default_machine():
    """Field by field: what the file leaves out, the machine has by itself."""
    made, own = XrayFile().machine(), XrayMachine()
    for name in XrayMachine.__dataclass_fields__:
        a, b = getattr(made, name), getattr(own, name)
        if name == "filters":
            assert [e for e, _ in a] == [e for e, _ in b] and [t for _, t in a] == pytest.approx([t for _, t in b])
        else:
            assert a == (pytest.approx(b) if isinstance(b, float) else b), name


def test_units_are_in_the_keys():
    machine = XrayFile.model_validate({"tube_kv": 100, "filters": [{"element": "Cu", "thickness_mm": 0.2}], "focal_spot_um": 8,
                                       "source_object_mm": 50, "source_detector_mm": 500, "tilt_deg": 45, "pixel_um": 5,
                                       "scatter_mm": 2, "energy_kev": 60}).machine()
    assert (machine.tube_voltage, machine.energy) == (100e3, 60e3)
    assert machine.filters == (("Cu", pytest.approx(0.2e-3)),)
    assert machine.tilt == pytest.approx(math.pi / 4)
    assert machine.magnification == pytest.approx(10)
    assert machine.unsharpness == pytest.approx(8e-6 * 9)                  # U_g = f (M − 1)
    assert machine.spot_blur == pytest.approx(72e-6 / 10 / 4 / 5e-6)       # a disk's deviation is a quarter of its diameter


@pytest.mark.parametrize("bad", [{"pixel": 5}, {"source_object_mm": 500}, {"energy_kev": 150}, {"tube_kv": 20}, {"tilt_deg": 80},
                                 {"filters": [{"element": "U", "thickness_mm": 1}]}, {"photons": float("nan")}])
def test_wrong_files_are_refused(bad):
    with pytest.raises(ValidationError):
        XrayFile.model_validate(bad)


def test_straight_down_it_is_oriented_like_the_colour_camera():
    camera = XrayMachine().camera((0.03, 0.02))
    assert camera.pose[:3, :3] == pytest.approx(np.eye(3))
    assert camera.project(np.array([[0.03, 0.02, 0]])) == pytest.approx(np.array([[512, 512]]))
    assert camera.project(np.array([[0.031, 0.02, 0]]))[0] == pytest.approx([512 + 50, 512])      # 1 mm at 20 µm
    assert camera.project(np.array([[0.03, 0.021, 0]]))[0] == pytest.approx([512, 512 - 50])


def test_what_is_nearer_to_the_source_is_larger():
    camera = XrayMachine().camera((0.0, 0.0))
    x = [camera.project(np.array([[1e-3, 0, z]]))[0, 0] - 512 for z in (8e-3, 0.0, -1.6e-3)]
    assert x == pytest.approx([50 * 80 / 72, 50, 50 * 80 / 81.6])


@pytest.mark.parametrize("azimuth", [0.0, 40.0, 90.0, 200.0])
def test_oblique_views_keep_their_centre_and_lean(azimuth):
    """A point above the board moves away from the source's side by its height times tan 45°, over √2 for the tilted image."""
    machine = XrayMachine(tilt=math.radians(45), projection="parallel")
    camera = machine.camera((0.01, 0.02), azimuth=math.radians(azimuth))
    assert camera.project(np.array([[0.01, 0.02, 0]]))[0] == pytest.approx([512, 512])
    shift = camera.project(np.array([[0.01, 0.02, 1e-3]]))[0] - 512
    away = 1e-3 / math.sqrt(2) / 20e-6
    assert shift == pytest.approx([-away * math.cos(math.radians(azimuth)), away * math.sin(math.radians(azimuth))], abs=1e-6)
    back = camera.pose[:3, 2]
    assert back == pytest.approx([math.sin(math.radians(45)) * math.cos(math.radians(azimuth)),
                                  math.sin(math.radians(45)) * math.sin(math.radians(azimuth)), math.cos(math.radians(45))])


def test_a_view_may_have_its_own_size():
    camera = XrayMachine().camera((0, 0), pixel_size=5e-6, width=300, height=200)
    assert (camera.pixel_size, camera.width, camera.height) == (5e-6, 300, 200)
    assert camera.near < camera.distance < camera.far
