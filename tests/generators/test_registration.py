"""Registration against projecting the points themselves, for every pair of instruments."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from generators.registration import carried, homography
from scenes.instruments.xray import XrayMachine
from scenes.optics import looking_down

CAMERAS = {
    "aoi": looking_down("aoi", (0.01, 0.02), 20e-6, 1024, 1024, roll=0.01),
    "lens": looking_down("lens", (0.012, 0.018), 25e-6, 800, 600, model="perspective"),
    "infrared": looking_down("infrared", (0.011, 0.02), 150e-6, 640, 480),
    "axi": XrayMachine(tilt=0.8, azimuth=0.5).camera((0.0105, 0.0195)),
}


@pytest.mark.parametrize("height", [0.0, 1.3e-3])
@pytest.mark.parametrize("source", CAMERAS)
@pytest.mark.parametrize("target", CAMERAS)
def test_a_point_is_carried_to_where_the_other_camera_sees_it(source, target, height):
    x, y = np.meshgrid(np.linspace(0.004, 0.016, 5), np.linspace(0.014, 0.026, 5))
    points = np.column_stack([x.ravel(), y.ravel(), np.full(25, height)])
    here, there = CAMERAS[source].project(points), CAMERAS[target].project(points)
    np.testing.assert_allclose(carried(here, homography(CAMERAS[source], CAMERAS[target], height)), there, atol=1e-6)


def test_parallax_is_what_a_homography_of_the_wrong_plane_leaves():
    machine = dataclasses.replace(XrayMachine(), projection="parallel", tilt=np.pi / 4)
    oblique, straight = machine.camera((0.0, 0.0)), looking_down("aoi", (0.0, 0.0), 20e-6, 1024, 1024)
    point = np.array([[0.0, 0.0, 0.5e-3]])     # parallel rays at 45°: seen 0.5 mm · cos 45° from where its foot is
    off = carried(straight.project(point), homography(straight, oblique)) - oblique.project(point)
    assert np.hypot(*off[0]) == pytest.approx(0.5e-3 * np.sqrt(0.5) / 20e-6, rel=1e-9)
