"""Footprints as read become components, fiducials and holes in the board frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import shapely

from scenes.board.ink import Geometries
from scenes.board.kicad_curves import Points
from scenes.board.kicad_footprint import FootprintRecord, PadRecord
from scenes.board.model import Component, Drill, Fiducial, Pad, PadKind, PadShape
from scenes.board.outline import TOLERANCE

Frame = Callable[[Points], Points]

SHAPES: dict[str, PadShape] = {
    "circle": "circle",
    "rect": "rect",
    "oval": "oval",
    "roundrect": "roundrect",
    "trapezoid": "trapezoid",
}


def make_components(
    footprints: Sequence[FootprintRecord],
    frame: Frame,
    layers: Mapping[str, Geometries],
) -> tuple[tuple[Component, ...], tuple[Fiducial, ...], tuple[Drill, ...], list[str]]:
    """Components (footprints with pads), fiducials, the holes of all pads, and notes.

    Args:
        footprints: As read, in the file's frame [mm].
        frame: From the file's frame to the board's [m].
        layers: Artwork by layer name in the board frame; paste is looked up in it.
    """
    records = [pad for footprint in footprints for pad in footprint.pads]
    outlines = _outlines(records, frame)
    pasted = _paste_areas(footprints, outlines, frame)
    components: list[Component] = []
    fiducials: list[Fiducial] = []
    drills: list[Drill] = []
    names: dict[str, int] = {}
    doubled = 0
    position = 0
    for footprint in footprints:
        pads = []
        for record in footprint.pads:
            pads.append(_pad(record, frame, outlines[position], pasted[position]))
            position += 1
        drills += [p.drill for p in pads if p.drill is not None]
        found = _fiducial(footprint, pads)
        if found is not None:
            fiducials.append(found)
        if not pads:
            continue
        base = footprint.reference or "?"
        names[base] = names.get(base, 0) + 1
        doubled += names[base] > 1
        reference = base if names[base] == 1 else f"{base}#{names[base]}"
        x, y = frame(footprint.at[None])[0].tolist()
        components.append(
            Component(
                reference,
                footprint.value,
                footprint.package,
                x,
                y,
                math.radians(footprint.angle),
                footprint.side,
                tuple(pads),
                footprint.placed and found is None and any(p.front or p.back for p in pads),
                footprint.library,
                footprint.models,
                footprint.description,
                _courtyard(footprint.courtyard, frame),
            )
        )
    notes = [f"{doubled} components share a reference with another one; a number was added, such as R1#2"] if doubled else []
    return tuple(components), tuple(fiducials), tuple(drills), notes


def _outlines(records: Sequence[PadRecord], frame: Frame) -> Geometries:
    """Outline of every pad in the board frame, None for a pad without extent."""
    out = np.full(len(records), None, dtype=object)
    ringed = [i for i, r in enumerate(records) if r.ring is not None]
    if ringed:
        rings = [np.concatenate([records[i].ring, records[i].ring[:1]]) for i in ringed]  # type: ignore[index,list-item]
        index = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
        out[ringed] = shapely.polygons(shapely.linearrings(frame(np.concatenate(rings)), indices=index))
    for i, record in enumerate(records):
        if record.polygon is not None:
            out[i] = shapely.transform(record.polygon, frame)
    return shapely.orient_polygons(out)


def _paste_areas(footprints: Sequence[FootprintRecord], outlines: Geometries, frame: Frame) -> list[float]:
    """Stencil opening over every pad [m²]: its own apertures, and those that the footprint draws as pads without copper."""
    areas: list[float] = []
    position = 0
    for footprint in footprints:
        rows = range(position, position + len(footprint.pads))
        position += len(footprint.pads)
        windows = [
            (name[0], outlines[i])
            for i, pad in zip(rows, footprint.pads, strict=True)
            if not pad.copper
            for name in pad.layers
            if name.endswith(".Paste") and outlines[i] is not None
        ]
        for i, pad in zip(rows, footprint.pads, strict=True):
            area = sum((s.area if isinstance(s, shapely.Geometry) else _ring_area(s)) for s in pad.paste) * 1e-6
            if windows and pad.copper and outlines[i] is not None:
                sides = {name[0] for name in pad.layers if name.endswith(".Cu")}
                shapes = np.array([w for side, w in windows if side in sides], dtype=object)
                if len(shapes):
                    area += float(shapely.area(shapely.intersection(shapes, outlines[i])).sum())
            areas.append(area)
    return areas


def _ring_area(ring: Points) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _pad(record: PadRecord, frame: Frame, outline: shapely.Geometry | None, paste_area: float) -> Pad:
    x, y = frame(record.centre[None])[0].tolist()
    angle = math.radians(record.angle)
    drill = None
    if record.drill is not None:
        width, height, plated = record.drill
        hole = frame(record.hole[None])[0].tolist()
        slot = width != height
        drill = Drill(
            hole[0],
            hole[1],
            min(width, height) * 1e-3,
            plated,
            max(width, height) * 1e-3 if slot else 0.0,
            angle + (math.pi / 2 if height > width else 0.0) if slot else 0.0,
        )
    front, back = (record.copper and f"{side}.Cu" in record.layers for side in "FB")
    kind: PadKind
    if record.type == "np_thru_hole":
        kind = "npth"
    elif "castellated" in record.property or record.type == "connect":
        kind = "edge"
    else:
        kind = "through" if record.type == "thru_hole" else "smd"
    shape = "polygon" if record.form.chamfered else SHAPES.get(record.form.shape, "polygon")
    return Pad(
        record.number,
        shape,
        x,
        y,
        (record.form.size[0] * 1e-3, record.form.size[1] * 1e-3),
        angle,
        kind,
        front,
        back,
        record.net,
        any(n.endswith(".Mask") for n in record.layers),
        any(n.endswith(".Paste") for n in record.layers) or paste_area > 0,
        drill,
        outline,
        paste_area,
    )


def _fiducial(footprint: FootprintRecord, pads: Sequence[Pad]) -> Fiducial | None:
    """The footprint's fiducial mark: by the pad's property, or by name with one dot of copper."""
    named = "fiducial" in footprint.package.lower() or footprint.reference.upper().startswith("FID")
    marked = any("fiducial" in p.property for p in footprint.pads)
    dots = [p for p in pads if p.drill is None and (p.front or p.back) and p.shape == "circle"]
    if not dots or not (marked or (named and len(pads) <= 3)):
        return None
    dot = min(dots, key=lambda p: p.size[0])
    return Fiducial(footprint.reference, dot.x, dot.y, dot.size[0], "front" if dot.front else "back")


def _courtyard(lines: Sequence[Points], frame: Frame) -> shapely.Geometry | None:
    """The area that the courtyard's strokes enclose; None where they do not close."""
    if not lines:
        return None
    rings = [shapely.LineString(np.round(p / TOLERANCE) * TOLERANCE) for p in lines if len(p) >= 2]
    faces = shapely.get_parts(shapely.polygonize([shapely.unary_union(rings)]))
    area = shapely.union_all([shapely.Polygon(f.exterior) for f in faces])
    return None if area.is_empty else shapely.transform(area, frame)


__all__ = ["make_components"]
