"""settings: a station's own numbers as facts: what its machine is set to, and what its instrument is."""
from __future__ import annotations

import math
from typing import Literal

from generators.text.document import Fact, fact
from scenes.scene import Scene, Station
from scenes.smt.oven import reflow_profile
from scenes.smt.placement import VACUUM_LIMIT
from scenes.smt.process import NOZZLES, Process

Group = tuple[str, list[Fact]]                 # key of a table's title, and its rows


def settings(station: Station, scene: Scene, process: Process, part: Literal["settings", "instrument"] | str) -> list[Group]:
    """Tables of process settings, or of the instrument, of this station. Empty where it has none."""
    if part == "settings":
        make = {"printer": _printer, "placement": _placement, "reflow": _oven}.get(station.kind)
        return [make(scene, process)] if make else []
    groups: list[Group] = []
    if (camera := station.camera) is not None:
        sensor = camera.sensor
        groups.append(("camera", [
            Fact("camera_model", camera.model, camera.model), fact("pixel", camera.pixel_size * 1e6, "µm"),
            fact("width", camera.width, "px"), fact("height", camera.height, "px"), fact("distance", camera.distance * 1e3, "mm"),
            fact("bits", sensor.bits, "bit"), fact("full_well", sensor.full_well, "e-"),
            fact("efficiency", sensor.quantum_efficiency * 100, "%"), fact("dark_noise", sensor.dark_noise, "e-")]))
    if (infrared := station.infrared) is not None:
        groups.append(("infrared", [
            fact("band_low", infrared.band[0] * 1e6, "µm"), fact("band_high", infrared.band[1] * 1e6, "µm"),
            fact("netd", infrared.netd * 1e3, "mK"), fact("pixel", infrared.pixel_size * 1e6, "µm"),
            fact("width", infrared.width, "px"), fact("height", infrared.height, "px"),
            fact("distance", infrared.distance * 1e3, "mm")]))
    if (xray := station.xray) is not None:
        groups.append(("xray", [
            fact("tube", xray.tube_voltage / 1e3, "kV"), fact("spot", xray.focal_spot * 1e6, "µm"),
            fact("source_object", xray.source_object * 1e3, "mm"), fact("source_detector", xray.source_detector * 1e3, "mm"),
            fact("scintillator", xray.scintillator * 1e6, "µm"), fact("pixel", xray.pixel_size * 1e6, "µm"),
            fact("width", xray.width, "px"), fact("height", xray.height, "px")]))
    return groups


def _printer(scene: Scene, process: Process) -> Group:
    p = process.printer
    return "printer", [fact("force", p.force, "N"), fact("speed", p.speed * 1e3, "mm/s"),
                       fact("separation", p.separation * 1e3, "mm/s"),
                       fact("stencil", scene.product.stencil_thickness * 1e6, "µm"),
                       fact("wipe", p.wipe_interval)]


def _placement(scene: Scene, process: Process) -> Group:
    p = process.placement
    return "placement", [fact("accuracy", 4 * p.std * 1e6, "µm"),
                         fact("rotation", math.degrees(4 * p.rotation_std), "°", digits=3),
                         fact("nozzles", NOZZLES), fact("vacuum", p.vacuum / 1e3, "kPa"),
                         fact("vacuum_limit", VACUUM_LIMIT / 1e3, "kPa")]


def _oven(scene: Scene, process: Process) -> Group:
    oven = process.oven
    profile = reflow_profile(oven)
    return "oven", [fact("zone_count", len(oven.zones)), fact("zone_length", oven.zone_length, "m"),
                    fact("belt_speed", oven.speed, "m/min"), fact("convection", oven.convection, "W/(m²·K)"),
                    fact("soak", profile.soak, "s", digits=3), fact("above", profile.above, "s", digits=3),
                    fact("peak", profile.peak, "°C", digits=4)]


__all__ = ["Group", "settings"]
