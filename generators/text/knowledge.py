"""knowledge: what a drift shows to people and machines, what it turns out to be, what is done about it. No words of a language.

A symptom is something a person at the line can see, hear or read off a display. Next to it stands the severity from which it can
be noticed (engineering defaults, ordered by physics: what a sensor shows comes before what the product shows). A cause is known
only to whoever has opened the machine. ``english.yaml`` and ``korean.yaml`` hold the words, under the same keys.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """A drift kind, or a kind of random stop, as people meet it."""
    code: int                                  # of the machine's alarm, within its station
    alarm: str                                 # symptom that the machine itself reports
    symptoms: Mapping[str, float]              # symptom: severity [1] from which it can be noticed
    actions: Mapping[str, tuple[str, ...]]     # what mends it, and what that can use up; () for nothing
    module: str = ""                           # word for the module where the drift names none


DRIFTS: dict[str, Trouble] = {
    "stencil_clog": Trouble(11, "force_high", {"volume_low": 0.35, "force_high": 0.45, "small_openings": 0.6, "volume_bad": 0.8},
                            {"clean_stencil": ("stencil_wipe", "stencil_solvent"), "change_stencil": ()}),
    "squeegee_wear": Trouble(12, "force_uneven", {"force_uneven": 0.4, "volume_high": 0.5, "paste_left": 0.6, "paste_smear": 0.8},
                             {"change_blades": ("squeegee_blade",)}),
    "nozzle_wear": Trouble(21, "vacuum_low", {"vacuum_low": 0.35, "pick_retry": 0.5, "head_shakes": 0.6, "parts_shifted": 0.65,
                                              "parts_missing": 0.9},
                           {"change_nozzle": ("nozzle",)}, "nozzle"),
    "feeder_pitch": Trouble(22, "feeder_current", {"feeder_current": 0.4, "pick_off_center": 0.45, "parts_turned": 0.7,
                                                   "pick_errors": 0.75},
                            {"change_feeder": (), "calibrate_feeder": ("feeder_sprocket",)}, "feeder"),
    "air_leak": Trouble(23, "pressure_low", {"flow_high": 0.35, "hiss": 0.4, "pressure_low": 0.5, "all_vacuum_low": 0.65,
                                             "parts_dropped": 0.85},
                        {"change_fitting": ("air_fitting",), "change_hose": ("air_hose",)}),
    "zone_heater": Trouble(31, "duty_high", {"duty_high": 0.35, "zone_cold": 0.6, "slow_recovery": 0.5, "profile_cold": 0.75,
                                             "joints_dull": 0.85},
                           {"change_heater": ("heater",)}, "zone"),
    "zone_blower_bearing": Trouble(32, "blower_vibration", {"blower_noise": 0.4, "blower_vibration": 0.5, "blower_current": 0.6,
                                                            "zone_uneven": 0.75},
                                   {"change_blower_bearing": ("blower_bearing",), "change_blower": ("blower",)}, "zone"),
    "conveyor_bearing": Trouble(33, "conveyor_vibration", {"conveyor_noise": 0.4, "conveyor_vibration": 0.5, "belt_jerks": 0.65,
                                                           "shift_before_oven": 0.8},
                                {"change_roller_bearing": ("roller_bearing",)}),
    "tube_ageing": Trouble(61, "xray_dark", {"xray_dark": 0.4, "xray_noisy": 0.6, "axi_false_calls": 0.7},
                           {"change_tube": ("xray_tube",)}),
    "lamp_ageing": Trouble(51, "light_low", {"light_low": 0.4, "image_dark": 0.5, "aoi_false_calls": 0.65},
                           {"change_lamp": ("ring_light",)}),
    "camera_focus": Trouble(52, "sharpness_low", {"sharpness_low": 0.4, "image_blurred": 0.55, "marks_unread": 0.7,
                                                  "focus_false_calls": 0.75},
                            {"set_focus": ()}),
}
"""By drift kind, as in ``scenes/line/model.py``."""

STOPS: dict[str, Trouble] = {
    "jam": Trouble(1, "board_stuck", {"board_stuck": 0.0}, {"clear_board": ()}),
    "paste": Trouble(2, "paste_low", {"paste_low": 0.0}, {"refill_paste": ()}),
    "feeder": Trouble(3, "feeder_empty", {"feeder_empty": 0.0}, {"splice_tape": ()}),
    "pick": Trouble(4, "pick_stop", {"pick_stop": 0.0}, {"reset_pick": ()}),
    "fiducial": Trouble(5, "mark_unseen", {"mark_unseen": 0.0}, {"clean_mark": ()}),
    "sensor": Trouble(6, "sensor_blocked", {"sensor_blocked": 0.0}, {"clean_sensor": ()}),
    "communication": Trouble(7, "link_lost", {"link_lost": 0.0}, {"restart_link": ()}),
    "temperature": Trouble(8, "temperature_alarm", {"temperature_alarm": 0.0}, {"restart_heating": ()}),
    "probe": Trouble(9, "contact_bad", {"contact_bad": 0.0}, {"clean_probes": ()}),
    "conveyor": Trouble(10, "transport_stop", {"transport_stop": 0.0}, {"free_belt": ()}),
    "camera": Trouble(13, "camera_stop", {"camera_stop": 0.0}, {"restart_camera": ()}),
    "stop": Trouble(14, "stopped", {"stopped": 0.0}, {"reset": ()}),
}
"""Random stops by event code; a code that is not here is told as "stop"."""

SERIES = {"printer": 1000, "spi": 2000, "placement": 3000, "reflow": 4000, "aoi": 5000, "axi": 6000, "infrared": 6500,
          "test": 7000}
"""Alarm numbers of a machine start here."""
OTHER_SERIES = 9000


def stop_of(code: str) -> str:
    """Key of ``STOPS`` for an event code."""
    return code if code in STOPS else "stop"


__all__ = ["DRIFTS", "OTHER_SERIES", "SERIES", "STOPS", "Trouble", "stop_of"]
