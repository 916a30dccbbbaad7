"""Mesh: a package as a watertight triangle mesh. One builder per kind, all from the same few solids.

``mesh`` is cached by ``Package.key``. ``lifted`` bends single gull-wing leads upwards, for units with a lifted lead; such
variants are cached too, in a smaller store.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import Mesh, PartKind
from scenes.parts import shells
from scenes.parts.model import Package, Terminal
from scenes.parts.solids import Solid, bent, block, corners, cup, finish, lathe, loft, moulded, prism

F64 = NDArray[np.float64]
Lifted = tuple[tuple[int, float], ...]
Rect = tuple[float, float, float, float]

_VARIANTS = 256                                # lifted-lead variants kept; each is below a megabyte


class _Key:
    """A package that hashes by its key: the cache's notion of equality."""

    def __init__(self, package: Package) -> None:
        self.package, self.key = package, package.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key


def mesh(package: Package, lifted: Lifted = ()) -> Mesh:
    """The package's mesh in the package frame [m].

    Args:
        package: What to build.
        lifted: (terminal index, height [m]) of gull-wing leads whose foot is bent up by that height.
    """
    key = _Key(package)
    return _variant(key, lifted) if lifted else _plain(key)


@lru_cache(maxsize=4096)
def _plain(key: _Key) -> Mesh:
    return _painted(_build(key.package, ()), key.package)


@lru_cache(maxsize=_VARIANTS)
def _variant(key: _Key, lifted: Lifted) -> Mesh:
    return _painted(_build(key.package, lifted), key.package)


def _painted(made: Mesh, package: Package) -> Mesh:
    """The mesh with the package's own materials."""
    if not package.paint:
        return made
    paint = dict(package.paint)
    rows = np.array([paint.get(row, paint.get(-1, row)) for row in range(256)], np.uint8)
    return replace(made, material=rows[made.material])


def turn_of(package: Package) -> float:
    """Angle from a two-terminal part's canonical frame (first terminal at −x) to the package frame [rad]."""
    if not package.terminals:
        return 0.0
    first, (cx, cy) = package.terminals[0], package.center
    if first.kind != "through":
        return first.direction - math.pi
    dx, dy = first.center[0] - cx, first.center[1] - cy
    return (math.pi if dx > 0 else 0.0) if abs(dx) >= abs(dy) else (-math.pi / 2 if dy > 0 else math.pi / 2)


def _canonical(package: Package) -> tuple[float, float, float]:
    """Body length along the line through the terminals, width across it, height."""
    length, width, height = package.body
    return (length, width, height) if abs(math.cos(turn_of(package))) > 0.5 else (width, length, height)


def _build(package: Package, lifted: Lifted) -> Mesh:
    if package.model:
        from scenes.parts.step import body_mesh

        return body_mesh(package)
    if package.kind == "sod":
        solids, mark = _sod(package, dict(lifted))
        return finish(package.key, solids, turn=turn_of(package), at=package.center, marking=mark)
    if package.kind in _ALONG and not (package.kind == "chip_led" and len(package.terminals) > 2):
        solids, mark = _ALONG[package.kind](package)
        return finish(package.key, solids, turn=turn_of(package), at=package.center, marking=mark)
    if package.kind in ("sot", "soic", "tssop", "qfp"):
        solids, mark = _leaded(package, dict(lifted))
    else:
        solids, mark = _PLACED[package.kind](package)
    return finish(package.key, solids, marking=mark)


# --- along a line: two terminals, first one at −x -------------------------------------------------------------------

def _capacitor(package: Package) -> tuple[list[Solid], Rect | None]:
    length, width, height = _canonical(package)
    term, wall = package.dims["termination"], 0.02 * width + 8e-6
    material = (
        "ceramic_mlcc" if package.kind == "chip_capacitor" else "ferrite" if package.kind == "chip_inductor" else "epoxy_black"
    )
    cut = 0.10 * min(width, height)
    inner = (width - 2 * wall, height - 2 * wall)
    section = corners(inner[0] / 2, inner[1] / 2, cut)
    ends = [np.column_stack([np.full(len(section), x), section[:, 0], section[:, 1] + height / 2])
            for x in (-length / 2 + wall, length / 2 - wall)]
    solids = [loft(ends, material)]
    for s in (-1, 1):
        solids.append(cup((width, height), inner, s * (length / 2 - term), s * (length / 2 - wall), s * length / 2, height / 2,
                          "tin", min(0.06 * width, 0.3 * term), cut + wall))
    mark = (-length / 2 + term, -width * 0.42, length / 2 - term, width * 0.42) if package.kind == "chip_diode" else None
    return solids, mark


def _resistor(package: Package) -> tuple[list[Solid], Rect | None]:
    length, width, height = _canonical(package)
    term, wall, glass = package.dims["termination"], 15e-6, min(22e-6, 0.06 * height)
    core = height - 2 * wall - glass * 0.3
    solids = [block((length - 2 * wall, width, core), "alumina", z0=wall)]
    solids.append(block((length - 2 * term * 0.92, width * 0.93, glass), "resistor_glass", z0=wall + core, bevel=glass * 0.4))
    solids += _wraps(length, width, wall + core + wall, term, wall, 0.0)
    inset = length / 2 - term * 1.02
    return solids, (-inset, -width * 0.40, inset, width * 0.40)


def _wraps(length: float, width: float, height: float, term: float, wall: float, y: float) -> list[Solid]:
    """C-shaped terminations around both ends of a chip resistor or array element."""
    chamfer = min(0.09 * height, 0.2 * term)
    outer_x, z0, z1, x_in = length / 2 - wall / 2, wall / 2, height - wall / 2, length / 2 - term
    path = np.array([[x_in, z0], [outer_x - chamfer, z0], [outer_x, z0 + chamfer], [outer_x, z1 - chamfer],
                     [outer_x - chamfer, z1], [x_in, z1]])
    piece = bent(path, wall, width * 0.985, "tin")
    return [piece.moved(at=(0, y, 0)), piece.moved(turn=math.pi, at=(0, y, 0))]


def _melf(package: Package) -> tuple[list[Solid], Rect | None]:
    length, width, _ = _canonical(package)
    r, term = width / 2, package.dims["termination"]
    e = 0.05 * r
    solids = [
        lathe(
            [(r * 0.93, -length / 2 + term * 0.5), (r * 0.93, length / 2 - term * 0.5)],
            24,
            "ceramic_mlcc",
            center=(0, r),
            axis="x",
        ),
        lathe(
            [(r * 0.94, -length / 2 + term * 1.15), (r * 0.94, -length / 2 + term * 1.15 + 0.14 * length)],
            24,
            "plastic_black",
            center=(0, r),
            axis="x",
        ),
    ]  # the band marks the cathode
    for s in (-1, 1):
        mouth, floor = s * (length / 2 - term), s * (length / 2 - term * 0.5)      # a cap over the ceramic, not a plug
        profile = [(r * 0.935, floor), (r * 0.935, mouth), (r, mouth), (r, s * (length / 2 - e)), (r - e, s * length / 2)]
        solids.append(lathe(profile, 24, "tin", PartKind.LEAD, center=(0, r), axis="x"))
    return solids, None


def _chip_led(package: Package) -> tuple[list[Solid], Rect | None]:
    length, width, height = _canonical(package)
    term = package.dims["termination"]
    base = 0.45 * height
    solids = [block((length * 0.985, width * 0.97, base * 0.9), "plastic_white", z0=base * 0.03)]
    solids.append(
        prism(
            corners(length / 2 - term * 0.95, width * 0.47, 0.06 * width),
            [base * 0.9, height - 0.05 * height, height],
            "led_lens",
            inset=[0, 0.05 * width, 0.10 * width],
        )
    )
    solids.append(block((0.22 * width, 0.22 * width, 8e-6), "led_die", z0=height))
    for s in (-1, 1):
        solids.append(
            block(
                (term, width, base),
                "brass_gold",
                PartKind.LEAD,
                center=(s * (length - term) / 2, 0),
                bevel=0.1 * base,
                cut=0.12 * width,
            )
        )
    return solids, (-length / 2 + term, -width * 0.42, length / 2 - term, width * 0.42)


def _sod(package: Package, lifted: dict[int, float]) -> tuple[list[Solid], Rect | None]:
    length, width, height = _canonical(package)
    lead = package.dims["lead"]
    t = package.terminals[0]
    solids = [moulded((length, width, height * 0.97), 0.03 * height, 0.45 * height)]
    for i, turn in enumerate((math.pi, 0.0)):  # the first terminal is at −x
        piece = gull(package.dims["span"] / 2, t.size[0], length / 2, 0.45 * height, lead, t.size[1], lifted.get(i, 0.0))
        solids.append(piece.moved(turn=turn))
    return solids, (-length * 0.42, -width * 0.38, length * 0.42, width * 0.38)


def _sma(package: Package) -> tuple[list[Solid], Rect | None]:
    """Leads leave the body at half height and fold down and under it."""
    length, width, height = _canonical(package)
    lead, span = package.dims["lead"], package.dims["span"]
    t = package.terminals[0]
    tantalum = "tantalum" in package.dims
    solids = [
        moulded(
            (length, width, height - 0.12e-3), 0.12e-3, 0.45 * height, "plastic_beige" if tantalum else "epoxy_black", draft=0.07
        )
    ]
    wall, out, exit_z = length / 2 - 0.06e-3, span / 2 - lead / 2, 0.45 * height
    bend = max(lead * 0.8, 0.05e-3)
    path = np.array([[wall, exit_z], [out - bend, exit_z], [out, exit_z - bend], [out, lead / 2 + bend], [out - bend, lead / 2],
                     [span / 2 - t.size[0], lead / 2]])
    piece = bent(path, lead, t.size[1])
    solids += [piece, piece.moved(turn=math.pi)]
    return solids, (-length * 0.40, -width * 0.40, length * 0.40, width * 0.40)


def _can(package: Package) -> tuple[list[Solid], Rect | None]:
    base, _, height = _canonical(package)
    r = package.dims["diameter"] / 2
    h = base / 2
    cut = 0.22 * base
    outline = np.array(
        [[h, -h], [h, h], [-h + cut, h], [-h, h - cut], [-h, -h + cut], [-h + cut, -h]]
    )  # cut at pin 1, the plus pin
    thick = 0.10 * height + 0.3e-3
    solids = [prism(outline, [0.02e-3, thick], "plastic_black")]
    neck = thick + 0.12 * height
    solids.append(
        lathe(
            [
                (r * 0.98, thick * 0.6),
                (r, thick + 0.03 * height),
                (r, neck),
                (r * 0.93, neck + 0.03 * height),
                (r, neck + 0.06 * height),
                (r, height - 0.09 * r),
                (r * 0.97, height - 0.03 * r),
                (r * 0.91, height),
            ],
            28,
            "aluminium",
        )
    )
    t = package.terminals[0]
    outer = base / 2 + 0.3e-3
    solids += [
        block((t.size[0], t.size[1], 0.2e-3), "lead_frame_tin", PartKind.LEAD, center=(s * (outer - t.size[0] / 2), 0))
        for s in (-1, 1)
    ]
    return solids, (-0.9 * r, -0.9 * r, 0.9 * r, 0.9 * r)


def _radial(package: Package) -> tuple[list[Solid], Rect | None]:
    length, width, height = package.body
    r = min(length, width) / 2
    solids = [
        lathe(
            [(r * 0.92, 0.1e-3), (r, 0.5e-3), (r, height - 0.5e-3), (r * 0.95, height - 0.08e-3), (r * 0.82, height - 0.05e-3)],
            32,
            "plastic_sleeve",
        ),
        lathe([(r * 0.80, height - 0.3e-3), (r * 0.80, height)], 32, "aluminium"),
    ]
    spin, (cx, cy) = -turn_of(package), package.center
    for t in package.terminals:
        dx, dy = t.center[0] - cx, t.center[1] - cy
        x, y = dx * math.cos(spin) - dy * math.sin(spin), dx * math.sin(spin) + dy * math.cos(spin)
        solids.append(
            lathe([(t.size[0] / 2, -2.2e-3), (t.size[0] / 2, 0.3e-3)], 12, "lead_frame_tin", PartKind.LEAD, center=(x, y))
        )
    return solids, (-0.95 * r, -0.95 * r, 0.95 * r, 0.95 * r)


def _inductor(package: Package) -> tuple[list[Solid], Rect | None]:
    length, width, height = _canonical(package)
    t = package.terminals[0]
    foot = t.height
    solids = [
        block(
            (2 * 1e-6 + t.size[0], t.size[1], foot),
            "tin",
            PartKind.LEAD,
            center=(s * (length - t.size[0]) / 2, 0),
            bevel=0.05 * foot,
        )
        for s in (-1, 1)
    ]
    if package.dims.get("drum"):
        r = min(length * 0.46, width / 2)
        base = 0.18 * height
        solids.append(prism(corners(length / 2, width / 2, 0.3 * width, steps=2), [0.05e-3, base], "plastic_black"))
        solids.append(lathe([(r, base), (r, base + 0.15 * height), (r * 0.5, base + 0.16 * height), (r * 0.5, 0.84 * height),
                             (r, 0.85 * height), (r, 0.98 * height), (r * 0.97, height)], 36, "ferrite"))
        low, high = base + 0.16 * height, 0.84 * height                    # wound around the core, on an insulating disk
        solids.append(lathe([(r * 0.51, low + 30e-6), (r * 0.51, high), (r * 0.95, high), (r * 0.95, low)], 36, "copper_wire"))
        return solids, (-0.62 * r, -0.62 * r, 0.62 * r, 0.62 * r)
    solids.append(block((length * 0.97, width, height - 0.02e-3), "ferrite", z0=0.02e-3, bevel=0.05 * height, cut=0.04 * width))
    return solids, (-length * 0.3, -width * 0.35, length * 0.3, width * 0.35)


# --- leads -------------------------------------------------------------------------------------------------------------

def _rounded(points: F64, radius: float) -> F64:
    """A polyline with its inner corners cut round: three points each."""
    out = [points[0]]
    for before, at, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        u, v = before - at, after - at
        lu, lv = float(np.hypot(*u)), float(np.hypot(*v))
        r = min(radius, 0.48 * lu, 0.48 * lv)
        a, b = at + u / lu * r, at + v / lv * r
        out += [a, 0.25 * a + 0.5 * at + 0.25 * b, b]
    out.append(points[-1])
    return np.array(out)


def gull(tip: float, foot: float, wall: float, exit_z: float, thickness: float, width: float, lift: float = 0.0) -> Solid:
    """A gull-wing lead along +x: from inside the body's wall down to a foot whose tip lies at ``tip`` [m].

    A lead too short to bend stays flat on the seating plane, as in flat-lead packages.
    """
    half = thickness / 2
    reach = tip - wall
    if reach < 1.15 * foot or reach - foot < 0.8 * thickness:
        path = np.array([[wall - 0.06e-3, half + lift], [(wall + tip) / 2, half + lift], [tip, half + lift]])
        return bent(path, thickness, width)
    heel = tip - foot
    shoulder = wall + 0.35 * (heel - wall)
    path = np.array([[wall - 0.06e-3, exit_z], [shoulder, exit_z], [heel, half + lift], [tip, half + lift]])
    return bent(_rounded(path, max(1.2 * thickness, 0.12e-3)), thickness, width)


def _leaded(package: Package, lifted: dict[int, float]) -> tuple[list[Solid], Rect | None]:
    bx, by, height = package.body
    cx, cy = package.center
    stand, thick = package.dims["standoff"], package.dims["lead"]
    flat = (
        min(package.dims["span_x"] - bx, package.dims["span_y"] - by) / 2 < 1.15 * package.terminals[0].size[0]
        and height < 0.8e-3
    )
    if flat:
        stand = 0.01e-3
    exit_z = stand + 0.45 * (height - stand)
    solids = [moulded((bx, by, height - stand), stand, exit_z - stand, center=(cx, cy), draft=0.12)]
    for i, t in enumerate(package.terminals):
        if t.kind == "thermal":
            solids.append(block((*t.size, stand + 0.02e-3), "lead_frame_tin", PartKind.LEAD, center=t.center, z0=0.0))
            continue
        c, s = math.cos(t.direction), math.sin(t.direction)
        half = (bx if abs(c) > 0.5 else by) / 2
        tip = (t.center[0] - cx) * c + (t.center[1] - cy) * s + t.size[0] / 2
        lateral = -(t.center[0] - cx) * s + (t.center[1] - cy) * c
        if t.kind == "tab":
            lead = block((tip - half + 0.4 * t.size[0], t.size[1], max(t.height, 0.15e-3)), "lead_frame_tin", PartKind.LEAD,
                         center=((tip + half - 0.4 * t.size[0]) / 2, lateral), bevel=0.1 * t.height)
        else:
            lead = gull(tip, t.size[0], half - 0.06 * height, exit_z, thick, t.size[1], lifted.get(i, 0.0)).moved(
                at=(0, lateral, 0)
            )
        solids.append(lead.moved(turn=t.direction, at=(cx, cy, 0)))
    m = 0.9
    return solids, (cx - m * bx / 2, cy - m * by / 2, cx + m * bx / 2, cy + m * by / 2)


def _leadless(package: Package) -> tuple[list[Solid], Rect | None]:
    bx, by, height = package.body
    cx, cy = package.center
    solids = [block((bx, by, height - 0.02e-3), "epoxy_black", center=(cx, cy), z0=0.02e-3, bevel=0.012e-3)]
    solids += contacts(package, "lead_frame_tin", 0.012e-3)
    m = 0.92
    return solids, (cx - m * bx / 2, cy - m * by / 2, cx + m * bx / 2, cy + m * by / 2)


def contacts(package: Package, material: str, proud: float) -> list[Solid]:
    """Flat contacts under a body's edge, standing ``proud`` of its side [m]."""
    out = []
    for t in package.terminals:
        if t.kind == "thermal":
            out.append(block((*t.size, 0.03e-3), material, PartKind.LEAD, center=t.center))
        elif t.kind == "bottom":
            piece = block(
                (t.size[0] + proud, t.size[1], t.height),
                material,
                PartKind.LEAD,
                center=(proud / 2, 0),
                bevel=min(0.01e-3, 0.1 * t.height),
            )
            out.append(piece.moved(turn=t.direction, at=(*t.center, 0)))
    return out


def _bga(package: Package) -> tuple[list[Solid], Rect | None]:
    bx, by, height = package.body
    cx, cy = package.center
    ball = package.terminals[0].height if package.terminals else 0.0
    substrate, height_above = ball + 0.32 * height, ball + height
    inset = 0.35e-3 if min(bx, by) > 9e-3 else 0.04e-3
    solids = [
        block((bx, by, 0.32 * height), "substrate_bt", center=(cx, cy), z0=ball, bevel=0.01e-3),
        prism(
            corners(bx / 2 - inset, by / 2 - inset, 0.05e-3, (cx, cy)),
            [substrate, height_above - 0.03e-3, height_above],
            "epoxy_black",
            inset=[0, 0.07 * height, 0.07 * height + 0.03e-3],
        ),
    ]
    solids += [
        lathe(
            [(t.size[0] / 2 * 0.95, ball - 0.004e-3), (t.size[0] / 2 * 0.95, ball + 0.01e-3)],
            12,
            "copper",
            PartKind.LEAD,
            center=t.center,
        )
        for t in package.terminals
    ]
    m = 0.86
    return solids, (cx - m * bx / 2, cy - m * by / 2, cx + m * bx / 2, cy + m * by / 2)


def _array(package: Package) -> tuple[list[Solid], Rect | None]:
    bx, by, height = package.body
    cx, cy = package.center
    across_x = abs(math.cos(package.terminals[0].direction)) > 0.5
    turn = 0.0 if across_x else math.pi / 2
    span, length = (bx, by) if across_x else (by, bx)
    wall = 15e-6
    term = package.terminals[0].size[0]
    solids = [block((span - 2 * wall, length, height - 2 * wall), "alumina", z0=wall),
              block((span - 2 * term, length * 0.96, 20e-6), "resistor_glass", z0=height - wall)]
    chamfer = 0.08 * height
    for t in package.terminals:
        x = span / 2 - wall / 2
        path = np.array(
            [
                [span / 2 - term, wall / 2],
                [x - chamfer, wall / 2],
                [x, wall / 2 + chamfer],
                [x, height - wall / 2 - chamfer],
                [x - chamfer, height - wall / 2],
                [span / 2 - term, height - wall / 2],
            ]
        )
        c, s = math.cos(t.direction), math.sin(t.direction)
        lateral = -(t.center[0] - cx) * s + (t.center[1] - cy) * c
        solids.append(bent(path, wall, t.size[1], "tin").moved(at=(0, lateral, 0)).moved(turn=t.direction - turn))
    solids = [s.moved(turn=turn, at=(cx, cy, 0)) for s in solids]
    half = (span / 2 - term) if across_x else length * 0.46, (length * 0.46 if across_x else span / 2 - term)
    return solids, (cx - half[0], cy - half[1], cx + half[0], cy + half[1])


def tab(package: Package, t: Terminal, thickness: float = 0.2e-3) -> Solid:
    """A flat lead on the seating plane, from the body's wall to the terminal's outer end."""
    c, s = math.cos(t.direction), math.sin(t.direction)
    cx, cy = package.center
    wall = (package.body[0] if abs(c) > 0.5 else package.body[1]) / 2
    middle = (t.center[0] - cx) * c + (t.center[1] - cy) * s
    outer, inner = middle + t.size[0] / 2, min(middle - t.size[0] / 2, wall - 0.05e-3)
    lateral = -(t.center[0] - cx) * s + (t.center[1] - cy) * c
    piece = block(
        (outer - inner, t.size[1], thickness),
        "lead_frame_tin",
        PartKind.LEAD,
        center=((outer + inner) / 2, lateral),
        bevel=0.08 * thickness,
    )
    return piece.moved(turn=t.direction, at=(cx, cy, 0))


_Builder = Callable[[Package], tuple[list[Solid], Rect | None]]
_ALONG: dict[str, _Builder] = {
    "chip_capacitor": _capacitor,
    "chip_inductor": _capacitor,
    "chip_diode": _capacitor,
    "chip_resistor": _resistor,
    "melf": _melf,
    "sma": _sma,
    "electrolytic_can": _can,
    "electrolytic_radial": _radial,
    "inductor": _inductor,
    "chip_led": _chip_led,
}
_PLACED: dict[str, _Builder] = {
    "qfn": _leadless, "dfn": _leadless, "bga": _bga, "resistor_array": _array,
    "crystal": lambda p: shells.crystal(p, contacts(p, "brass_gold", 0.01e-3)),
    "button": lambda p: shells.button(p, [tab(p, t) for t in p.terminals if t.kind == "tab"]),
    "header": shells.header,
    "connector": lambda p: shells.connector(p, [tab(p, t) for t in p.terminals if t.kind == "tab"]),
    "module": lambda p: shells.module(p, contacts(p, "brass_gold", 0.01e-3)),
    "box": lambda p: shells.box(p, [tab(p, t) for t in p.terminals if t.kind == "tab"]),
    "chip_led": lambda p: shells.led(p, contacts(p, "lead_frame_tin", 0.012e-3)),
}

__all__ = ["gull", "mesh", "turn_of"]
