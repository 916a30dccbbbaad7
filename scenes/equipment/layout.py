"""Where everything stands: stations in their order along x, conveyors between them, a loader and an unloader at the ends.

Line frame [m]: the origin is on the floor where the first machine begins, x along the flow, y away from the operators, z up.
"""
from __future__ import annotations

import math
import re

import numpy as np

from scenes.equipment.authored import free_equipment, stand_in
from scenes.equipment.axi import PANEL, axi
from scenes.equipment.furniture import Board
from scenes.equipment.handling import conveyor, loader
from scenes.equipment.inspection import Optics, aoi, infrared, spi
from scenes.equipment.model import Machine, Placed
from scenes.equipment.oven import oven
from scenes.equipment.placer import NOZZLES, placer
from scenes.equipment.printer import printer
from scenes.equipment.tester import tester
from scenes.instruments.infrared import InfraredCamera
from scenes.scene import CameraSpec, Scene, Station
from scenes.smt.oven import Oven

SHORTEST, LONGEST = 0.60, 1.80                 # [m] of a link conveyor
GAP = 0.04                                     # [m] between two boards that wait on one
_ZONE = re.compile(r"zone(\d+)$")


def board_of(box: tuple[float, float, float, float], thickness: float) -> Board:
    """What the rails are set to: the extent of the product (x0, y0, x1, y1) and its laminate [m]."""
    return Board(round(box[2] - box[0], 6), round(box[3] - box[1], 6), round(thickness, 6))


def machine_of(scene: Scene, station: Station, board: Board) -> Machine:
    """The machine of a station, built from what the scene says of it, or the authored model of the same id."""
    authored = stand_in(scene, station, board)
    if authored is not None:
        return authored
    if station.kind == "printer":
        return printer(board)
    if station.kind == "spi":
        return spi(board, optics(station.camera, board))
    if station.kind == "placement":
        nozzles = _modules(scene, station, r"nozzle(\d+)$") or NOZZLES
        return placer(board, feeders=_modules(scene, station, r"feeder(\d+)$"), nozzles=nozzles)
    if station.kind == "reflow":
        profile = Oven()                       # the zones that the process heats, and no other place says how long they are
        count = max(_modules(scene, station, _ZONE.pattern), len(profile.zones))
        hottest = int(np.argmax(profile.zones))
        return oven(board, zones=count, cooling=len(profile.zones) - 1 - hottest, zone_length=profile.zone_length)
    if station.kind == "axi":
        if station.xray is None:
            return axi(board)
        x = station.xray
        share = x.source_detector / x.source_object if x.projection == "cone" else 1.0
        field = tuple(min(max(n * x.pixel_size * share, 0.10), PANEL[0]) for n in (x.width, x.height))
        return axi(board, source_object=x.source_object, source_detector=x.source_detector, detector=(field[0], field[1]))
    if station.kind == "infrared":
        return infrared(board, optics(station.infrared, board))
    if station.kind == "test":
        return tester(board, optics(station.infrared, board) if station.infrared else None)
    return aoi(board, optics(station.camera, board))


def optics(spec: CameraSpec | InfraredCamera | None, board: Board) -> Optics:
    """Where a station's camera is and how wide it sees; a station without one has a usual one."""
    if spec is None:
        return Optics()
    field = (board.length, board.width) if spec.view == "board" else (spec.width * spec.pixel_size, spec.height * spec.pixel_size)
    return Optics(spec.distance, field, spec.model)


def _modules(scene: Scene, station: Station, pattern: str) -> int:
    """The highest number among the station's modules of one name, in its sensors and drifts; 0 where it has none."""
    line = scene.production
    if line is None:
        return 0
    names = [s.channel.split("/")[1] for s in line.sensors if s.station == station.id and s.channel.count("/") == 2]
    names += [d.module for d in line.drifts if d.station == station.id]
    found = [int(m.group(1)) for name in names if (m := re.match(pattern, name))]
    return max(found, default=0)


def line_layout(scene: Scene, board: Board | None = None) -> tuple[Placed, ...]:
    """Every machine of a line where it stands, from the loader to the unloader, then the free equipment.

    A conveyor is as long as the boards need that may wait before its station (its ``buffer``), within 0.6 to 1.8 m.

    Args:
        scene: Gives stations in order, their instruments, buffers, zones, feeders and authored equipment.
        board: What the rails are set to; None is 160 × 100 × 1.6 mm.
    """
    board = board or Board()
    buffers = {f.station: f.buffer for f in scene.production.stations} if scene.production else {}
    row: list[tuple[str, str, Machine, str]] = [(f"{scene.line}/loader", "", loader(board), "loader")]
    for station in scene.stations:
        need = math.ceil(100 * (buffers.get(station.id, 2) * (board.length + GAP) + 0.10)) / 100
        link = conveyor(min(max(need, SHORTEST), LONGEST), board)
        row.append((f"{scene.line}/conveyor_{station.id}", "", link, "conveyor"))
        row.append((station.path, station.id, machine_of(scene, station, board), station.kind))
    row.append((f"{scene.line}/conveyor_unloader", "", conveyor(SHORTEST, board), "conveyor"))
    row.append((f"{scene.line}/unloader", "", loader(board, unloads=True), "unloader"))
    out, x = [], 0.0
    for path, station_id, machine, label in row:
        pose = np.eye(4)
        pose[0, 3] = x + machine.size[0] / 2
        x = round(x + machine.size[0], 9)
        out.append(Placed(path, station_id, machine, pose, label))
    return (*out, *free_equipment(scene))


__all__ = ["board_of", "line_layout", "machine_of", "optics"]
