"""printing: paste volumes, print offsets and beads between lands."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.smt.assembly import METAL_FRACTION, transfer_efficiency
from scenes.smt.draws import Streams, normals
from scenes.smt.layout import Layout
from scenes.smt.process import Process
from scenes.smt.state import Assembly

F64 = NDArray[np.float64]

SPREAD_MAX = 3.0                               # paste release is bounded: noise is cut at ±3σ
OVERFILL = 1.3                                 # [1] a sealed opening cannot leave more than this share of its volume
GASKET_PAIRS = 1.0                             # [1] bleed width per metre of lost gasket and standard normal
FORCE = (80.0, 0.25)                           # [N] best force; [1] volume lost per relative deviation below it
SEPARATION = (0.005, 0.05)                     # [m/s] best speed; [1] area ratio lost per factor of two above it
CLOG_PER_BOARD = 0.002                         # [1] of the area ratio, per board since the last wipe


@dataclass(frozen=True, eq=False)
class Print:
    """Printed boards before placement; leading axes as those of the streams."""
    volume: F64                                # (…, J) solder in the paste [m³]
    offset: F64                                # (…, J, 2) [m] print − land
    bleed: F64                                 # (…, P) [m] paste squeezed towards the other land, per pair of Layout
    bead: F64                                  # (P,) [m] width of a smeared bead that spans the gap, 0 for none; on every board


def noise(printer_low: float, printer_high: float, ratio: F64) -> F64:
    """Coefficient of variation of the printed volume [1]: low for area ratio ≥ 0.9, rising linearly to high at 0.5."""
    return printer_low + (printer_high - printer_low) * np.clip((0.9 - ratio) / 0.4, 0, 1)


def expected_volume(assembly: Assembly, process: Process) -> F64:
    """Solder that each opening leaves on average [m³], (J,), local faults aside."""
    printer, rows = process.printer, assembly.joints
    clog = 1 - (1 - printer.clog) * (1 - min(CLOG_PER_BOARD * max(printer.since_wipe - printer.wipe_interval, 0), 0.8))
    ratio = rows.aperture_ratio * (1 - clog) - SEPARATION[1] * max(np.log2(printer.separation / SEPARATION[0]), 0)
    factor = (1 - FORCE[1] * max(1 - printer.force / FORCE[0], 0)) * (1 + printer.gasket / assembly.stencil_thickness)
    return METAL_FRACTION * rows.aperture_area * assembly.stencil_thickness * transfer_efficiency(ratio) * factor


def print_paste(assembly: Assembly, layout: Layout, process: Process, rng: Streams) -> Print:
    """Print one board, or one per stream.

    A joint's solder is ½ · aperture · thickness · TE(AR_eff) · noise, with AR_eff = AR · (1 − clog) (domain reference 3.1
    and 6.4). A lost gasket adds its lift to the deposit's height and lets paste bleed towards the neighbours.

    Draws: J, 3 and P standard normals, whatever the settings.
    """
    printer, rows = process.printer, assembly.joints
    count = len(rows)
    drawn = normals(rng, count + 3 + len(layout.gap))
    z, board, leak = drawn[..., :count], drawn[..., count:count + 3], drawn[..., count + 3:]
    spread = noise(printer.noise_low, printer.noise_high, rows.aperture_ratio)
    mean = expected_volume(assembly, process)
    volume = mean * np.minimum(1 + spread * np.clip(z, -SPREAD_MAX, SPREAD_MAX), OVERFILL)
    for fault in process.of("clogged_aperture"):
        volume[..., fault.joint] *= fault.values[0]
    for fault in process.of("overprint"):                                 # what is pressed in has no release noise
        volume[..., fault.joint] += (fault.values[0] - 1) * mean[fault.joint]

    shift = np.array([printer.offset_x, printer.offset_y]) + printer.offset_std * board[..., :2]
    angle = printer.rotation + printer.offset_std * board[..., 2:] / 0.05
    x0, y0, x1, y1 = assembly.board.outline.bounds
    arm = rows.land_center - np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    offset = np.empty((*volume.shape, 2))
    offset[..., 0], offset[..., 1] = shift[..., :1] + angle * -arm[:, 1], shift[..., 1:] + angle * arm[:, 0]
    offset[..., ~layout.printed, :] = 0.0

    pressed = printer.gasket + 20e-6 * max(printer.force / FORCE[0] - 1.3, 0)
    bleed = GASKET_PAIRS * pressed * np.abs(leak)
    bead = np.zeros(len(layout.gap))
    for fault in process.of("smear"):                                     # between lands that are no neighbours it draws back
        a, b = sorted((fault.joint, fault.other))
        pair = (layout.first == a) & (layout.second == b)
        bead[pair] = np.maximum(bead[pair], fault.values[0])
    return Print(volume, offset, bleed, bead)


__all__ = ["Print", "expected_volume", "noise", "print_paste"]
