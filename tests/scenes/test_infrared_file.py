"""The infrared camera as a scene says it."""
from __future__ import annotations

import pytest
from pydantic import ValidationError

from scenes.heat import Cooling, Powered
from scenes.instruments.infrared import InfraredCamera, InfraredFile


def test_an_empty_file_is_the_default_camera():
    made, default = InfraredFile.model_validate({}).instrument(), InfraredCamera()
    assert made.mode == default.mode == Powered()
    assert made.band == pytest.approx(default.band) and made.pixel_size == pytest.approx(default.pixel_size)
    assert made.netd == pytest.approx(default.netd) and made.reflected == pytest.approx(default.reflected)
    assert made.fixed_pattern == pytest.approx(default.fixed_pattern)


def test_units_are_in_the_keys():
    made = InfraredFile.model_validate({
        "pixel_um": 200, "netd_mk": 30, "band_um": [7.5, 13], "reflected_c": 20, "display_c": [20, 80], "distance_mm": 300,
        "powered": {"air_c": 30, "film_w_m2k": 12, "total_w": 1.5, "supply_v": 5, "fault_current_a": 1}}).instrument()
    assert made.pixel_size == pytest.approx(200e-6) and made.netd == pytest.approx(0.03) and made.distance == pytest.approx(0.3)
    assert made.band == pytest.approx((7.5e-6, 13e-6)) and made.reflected == pytest.approx(293.15)
    assert made.display == pytest.approx((293.15, 353.15))
    assert made.mode == Powered(pytest.approx(303.15), 12, 1.5, 5, 1)


def test_cooling_is_a_mode_of_its_own():
    made = InfraredFile.model_validate({"cooling": {"after_s": 45, "start_c": 230}}).instrument()
    assert isinstance(made.mode, Cooling) and made.mode.after == 45 and made.mode.start == pytest.approx(503.15)
    assert made.mode.tunnel == Cooling().tunnel


@pytest.mark.parametrize(("data", "says"), [
    ({"pixel_mm": 0.2}, "Extra inputs"), ({"netd_mk": -1}, "greater than or equal"), ({"emissivity": 1.2}, "less than or equal"),
    ({"emissivity": 0.0}, "greater than"), ({"band_um": [14, 8]}, "band_um must rise"), ({"band_um": [1, 8]}, "within 2 and 20"),
    ({"display_c": [80, 20]}, "display_c must rise"), ({"powered": {}, "cooling": {}}, "exclude each other"),
    ({"powered": {"watts": 3}}, "Extra inputs"), ({"cooling": {"after_s": -1}}, "greater than or equal"),
    ({"cooling": {"film_w_m2k": 0}}, "greater than or equal"), ({"width": 100000}, "less than or equal"),
    ({"pixel_um": "nan"}, "pixel_um"), ({"powered": {"total_w": float("inf")}}, "total_w"), ({"model": "fisheye"}, "telecentric"),
    ({"samples": 9}, "less than or equal"), ({"netd_mk": "cold"}, "valid number"),
])
def test_what_does_not_make_sense_is_refused(data, says):
    with pytest.raises(ValidationError, match=says):
        InfraredFile.model_validate(data)
