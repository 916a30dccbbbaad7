"""A folder of Gerber and Excellon files, with centroid and BOM tables where there are any, as a :class:`Board`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from scenes.board.gerber_parts import make_components
from scenes.board.gerber_roles import Role, role_of
from scenes.board.gerber_shapes import Shapes, layer_shapes, parse_drill, parse_gerber, read_text
from scenes.board.model import Board, Drill, Layer, LayerKind, StackLayer
from scenes.board.outline import board_outline
from scenes.board.tables import read_bom, read_centroid
from scenes.errors import AssetError, SceneError

MAX_FILES = 500
SUFFIXES_SKIPPED = {
    ".csv",
    ".png",
    ".jpg",
    ".pdf",
    ".zip",
    ".md",
    ".step",
    ".stp",
    ".kicad_pcb",
    ".kicad_sch",
    ".kicad_pro",
    ".html",
    ".gbrjob",
}


@dataclass
class _Files:
    """What the folder holds, in the files' own frame [mm]."""

    layers: list[tuple[Role, Path, Any]] = field(default_factory=list)  # role, file, gerbonara GerberFile
    outline: list[tuple[Path, Any]] = field(default_factory=list)
    drills: list[tuple[Role, Path, Any]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_gerber(folder: Path, *, centroid: Path | None = None, bom: Path | None = None, thickness: float = 1.6e-3) -> Board:
    """Read a folder of fabrication files.

    Args:
        folder: Gerber (RS-274X, X2) and Excellon files. Only files directly inside it are read, and no link out of it.
        centroid: Pick-and-place table. Without it the board has artwork and no components.
        bom: Bill of materials.
        thickness: Of the board [m]: Gerber files do not say.

    Raises:
        AssetError: a file is missing, unreadable or too large.
        SceneError: no copper or no outline among the files, or one of them is damaged.
    """
    files = _collect(folder)
    if not any(role.kind == "copper" for role, _, _ in files.layers):
        raise SceneError(
            f"{folder}: no copper layer among its files; name them as KiCad or Protel do, or plot them with X2 attributes"
        )
    shapes = Shapes()
    outline, notes = _outline(files, folder, shapes)
    x0, y0, _, _ = outline.bounds
    origin = np.array([x0, y0])

    def frame(points: Any) -> Any:
        return (points - origin) * 1e-3

    layers, order = _layers(files, shapes, frame)
    drills = _drills(files, origin)
    placements = read_centroid(centroid) if centroid is not None else ()
    rows = read_bom(bom) if bom is not None else {}
    flashes = [(role, item) for role, _, gerber in order for item in gerber.objects if role.side != "inner"]
    components, fiducials, drills, more = make_components(
        placements, rows, flashes, layers, drills, shapes, origin, shapely.transform(outline, frame), str(centroid)
    )
    if centroid is None:
        more = ["no centroid table was given, so there are no components"]
    unread = [f"{len(files.other)} files are none of the board's layers: {', '.join(files.other[:6])}"] if files.other else []
    pads = [p for c in components for p in c.pads]
    sides = [c.side for c in components]
    return Board(
        name=folder.name,
        outline=shapely.orient_polygons(shapely.transform(outline, frame)),
        thickness=thickness,
        stackup=_stackup(layers, thickness),
        layers=layers,
        drills=drills,
        components=components,
        fiducials=fiducials,
        source=str(folder),
        format="gerber",
        notes=(*notes, *files.notes, *unread, *more),
        counts={
            "footprints": len(components),
            "front": sides.count("front"),
            "back": sides.count("back"),
            "pads": len(pads),
            "smd_pads": sum(p.kind == "smd" for p in pads),
        },
    )


def _collect(folder: Path) -> _Files:
    files = _Files()
    root = folder.resolve()
    try:
        paths = sorted(p for p in folder.iterdir() if p.is_file())
    except OSError as error:
        raise AssetError(f"{folder}: cannot be read ({error.strerror or error}); give a folder of Gerber files") from None
    if len(paths) > MAX_FILES:
        raise AssetError(f"{folder}: {len(paths)} files, more than the {MAX_FILES} allowed; give the folder of one board")
    for path in paths:
        if not path.resolve().is_relative_to(root):
            raise AssetError(f"{path}: links out of its folder; copy the file into it")
        if path.suffix.lower() in SUFFIXES_SKIPPED:
            continue
        text = read_text(path)
        role = role_of(path, text)
        if role is None:
            files.other.append(path.name)
        elif role.kind == "drill":
            if role.through:
                files.drills.append((role, path, parse_drill(text, path)))
            else:
                files.notes.append(f"{path.name}: blind or buried holes are not read")
        elif role.kind == "outline":
            files.outline.append((path, parse_gerber(text, path)))
        else:
            same = [
                p
                for r, p, _ in files.layers
                if (r.kind, r.side, r.number) == (role.kind, role.side, role.number) and r.side != "inner"
            ]
            if same:
                raise SceneError(
                    f"{path}: {same[0].name} is the {role.side} {role.kind} layer already; keep one of the two in the folder"
                )
            files.layers.append((role, path, parse_gerber(text, path)))
    return files


def _outline(files: _Files, folder: Path, shapes: Shapes) -> tuple[shapely.Geometry, list[str]]:
    if not files.outline:
        raise SceneError(f"{folder}: no outline among its files; add the plot of the edge layer (Edge_Cuts.gbr, .gko or .gm1)")
    lines = [
        shapes.path(item)
        for _, gerber in files.outline
        for item in gerber.objects
        if type(item).__name__ in ("Line", "Arc", "Region")
    ]

    def locate(point: Any) -> str:
        return f"x {point[0]:.3f} mm, y {point[1]:.3f} mm"

    return board_outline(lines, str(files.outline[0][0]), locate)


def _layers(files: _Files, shapes: Shapes, frame: Any) -> tuple[tuple[Layer, ...], list[tuple[Role, Path, Any]]]:
    """Artwork of all layers, copper from the front to the back first, and the copper files in that order."""
    rank = {"front": 0, "inner": 1, "back": 2}
    copper = sorted((f for f in files.layers if f[0].kind == "copper"), key=lambda f: (rank[f[0].side], f[0].number, f[1].name))
    out = []
    for index, (role, path, gerber) in enumerate(copper):
        name = {"front": "F.Cu", "back": "B.Cu"}.get(role.side, f"In{index}.Cu")
        # index counts from the front; a folder without a front layer still calls its back one the last
        out.append(_layer(name, "copper", role, path, gerber, shapes, frame, index))
    for kind, short in (("mask", "Mask"), ("paste", "Paste"), ("silk", "SilkS")):
        for side in ("front", "back"):
            for role, path, gerber in files.layers:
                if (role.kind, role.side) == (kind, side):
                    out.append(_layer(f"{side[0].upper()}.{short}", kind, role, path, gerber, shapes, frame, 0))
    return tuple(out), copper


def _layer(name: str, kind: Any, role: Role, path: Path, gerber: Any, shapes: Shapes, frame: Any, index: int) -> Layer:
    polygons, dark = layer_shapes(gerber.objects, shapes)
    side: LayerKind = role.side  # type: ignore[assignment]
    return Layer(name, kind, side, tuple(shapely.transform(polygons, frame)), tuple(dark), index)  # type: ignore[arg-type]


def _drills(files: _Files, origin: Any) -> tuple[Drill, ...]:
    from gerbonara.utils import MM

    out = []
    for role, _, drill in files.drills:
        for item in drill.objects:
            moved = item.converted(MM)
            diameter = item.aperture.equivalent_width(MM) * 1e-3
            plated = role.plated if role.plated is not None else bool(getattr(item, "plated", None) is not False)
            if type(item).__name__ == "Flash":
                x, y = (np.array([moved.x, moved.y]) - origin) * 1e-3
                out.append(Drill(float(x), float(y), diameter, plated))
                continue
            a, b = (np.array([moved.x1, moved.y1]) - origin) * 1e-3, (np.array([moved.x2, moved.y2]) - origin) * 1e-3
            along = b - a
            x, y = (a + b) / 2
            out.append(
                Drill(
                    float(x),
                    float(y),
                    diameter,
                    plated,
                    float(np.hypot(*along)) + diameter,
                    math.atan2(along[1], along[0]) % math.pi,
                )
            )
    return tuple(out)


def _stackup(layers: Sequence[Layer], thickness: float) -> tuple[StackLayer, ...]:
    """Copper of 35 µm (1 oz) on evenly spaced dielectric: the files say no more than how many layers there are."""
    copper = [a.name for a in layers if a.kind == "copper"]
    foil = 35e-6
    gap = (thickness - foil * len(copper)) / max(1, len(copper) - 1)
    out: list[StackLayer] = []
    for index, name in enumerate(copper):
        out.append(StackLayer(name, "copper", foil))
        if index + 1 < len(copper):
            out.append(StackLayer(f"dielectric {index + 1}", "dielectric", gap, "FR4"))
    return tuple(out)


__all__ = ["read_gerber"]
