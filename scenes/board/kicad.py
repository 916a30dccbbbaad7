"""A KiCad board file (``.kicad_pcb``, versions 5 to 9) as a :class:`Board`.

The s-expression reader gives nested lists; everything typed happens here and in the ``kicad_*`` modules beside it. What is
not known is counted by kind and reported in ``Board.notes``; a number that cannot be read is an error with its line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.board.ink import Geometries, Ink
from scenes.board.kicad_component import make_components
from scenes.board.kicad_curves import Points, outline_points, pair
from scenes.board.kicad_footprint import FootprintRecord, item_layers, read_footprint
from scenes.board.kicad_graphics import draw_shape, draw_text, draw_text_box, expand, is_hidden, shape_points
from scenes.board.kicad_setup import Setup, read_setup, read_stackup
from scenes.board.kicad_sexpr import BadNode, Node, line_of, parse, read_text
from scenes.board.model import Board, Drill, Layer, LayerKind, Side
from scenes.board.outline import board_outline
from scenes.errors import SceneError

SILENT = {
    "version",
    "generator",
    "generator_version",
    "host",
    "general",
    "paper",
    "page",
    "title_block",
    "layers",
    "setup",
    "net",
    "net_class",
    "property",
    "group",
    "embedded_fonts",
    "embedded_files",
    "component_classes",
    "variants",
}
GRAPHICS = {"gr_line", "gr_arc", "gr_circle", "gr_rect", "gr_poly", "gr_curve"}
Frame = Callable[[Points], Points]


def read_kicad(path: Path) -> Board:
    """Read a board file.

    Raises:
        AssetError: the file is missing, unreadable or too large.
        SceneError: it is no board, is truncated or damaged, has no footprint, or its outline is open. Names file and line.
    """
    text = read_text(path)
    root = parse(text, str(path))
    if root.name != "kicad_pcb":
        raise SceneError(f"{path}:1: ({root.name or '?'} …) is no board; give the .kicad_pcb file")
    try:
        return _read(root, path)
    except BadNode as error:
        raise SceneError(
            f"{path}:{line_of(text, error.node.position)}: cannot read {error}; save the board again from KiCad"
        ) from None


class _Items:
    """What the pass over the file gathers."""

    def __init__(self, setup: Setup):
        self.inks = {name: Ink() for name in (*setup.copper, *(f"{s}.{k}" for s in "FB" for k in ("Mask", "Paste", "SilkS")))}
        self.edge: list[Points] = []
        self.footprints: list[FootprintRecord] = []
        self.vias: list[tuple[float, float, float]] = []  # x, y, drill
        self.unknown: dict[str, int] = {}
        self.unfilled = 0
        self.hidden_vias = 0  # blind and buried


def _read(root: Node, path: Path) -> Board:
    setup = read_setup(root)
    items = _Items(setup)
    for node in root.nodes():
        _item(node, setup, items)
    if not items.footprints:
        raise SceneError(
            f"{path}: no footprint found in a board of version {setup.version}; a line needs parts to place, "
            "check that the file is the finished board"
        )
    stack, thickness, colors = read_stackup(root)

    def locate(point: Points) -> str:
        return f"x {point[0]:.3f} mm, y {point[1]:.3f} mm"

    outline, notes = board_outline(items.edge, str(path), locate)
    x0, _, _, y1 = outline.bounds

    def frame(points: Points) -> Points:
        return np.column_stack([points[:, 0] - x0, y1 - points[:, 1]]) * 1e-3

    layers, shapes = _layers(setup, items, frame)
    components, fiducials, pad_drills, more = make_components(items.footprints, frame, shapes)
    via_drills = tuple(Drill((x - x0) * 1e-3, (y1 - y) * 1e-3, d * 1e-3, True, via=True) for x, y, d in items.vias)
    return Board(
        name=path.stem,
        outline=shapely.orient_polygons(shapely.transform(outline, frame)),
        thickness=thickness,
        stackup=stack,
        layers=layers,
        drills=(*pad_drills, *via_drills),
        components=components,
        fiducials=fiducials,
        source=str(path),
        format=f"kicad {setup.version}",
        notes=(*notes, *_notes(items), *more),
        colors=colors,
        counts=_counts(items.footprints),
    )


def _item(node: Node, setup: Setup, items: _Items) -> None:
    """Draw or gather one top-level item."""
    kind = node.name
    if kind in ("footprint", "module"):
        items.footprints.append(read_footprint(node, setup, items.inks, items.edge, items.unknown))
        for zone in node.nodes("zone"):
            _zone(zone, setup, items)
    elif kind == "segment":
        ink = items.inks.get(setup.alias.get(node.text("layer"), node.text("layer")))
        if ink is not None:
            ink.line(np.array([pair(node, "start"), pair(node, "end")]), node.number("width"))
    elif kind in GRAPHICS or kind == "arc":
        for layer in item_layers(node, setup):
            if layer in items.inks:
                draw_shape(node, items.inks[layer], fill_default=kind == "gr_poly")
            elif layer == "Edge.Cuts":
                points, closed = shape_points(node)
                items.edge.append(np.concatenate([points, points[:1]]) if closed and len(points) else points)
    elif kind == "via":
        _via(node, setup, items)
    elif kind == "zone":
        _zone(node, setup, items)
    elif kind in ("gr_text", "gr_text_box"):
        _text(node, setup, items)
    elif kind in ("dimension", "table"):
        _compound(node, setup, items)
    elif kind not in SILENT:
        items.unknown[kind] = items.unknown.get(kind, 0) + 1


def _text(node: Node, setup: Setup, items: _Items) -> None:
    if is_hidden(node):
        return
    for layer in item_layers(node, setup):
        if layer not in items.inks:
            continue
        text = expand(node.atom(1), {**setup.variables, "LAYER": layer})
        if node.name == "gr_text_box" or node.name == "table_cell":
            draw_text_box(node, text, items.inks[layer], legacy=setup.legacy)
        else:
            at = node.node("at")
            numbers = at.numbers(len([a for a in at.atoms() if a != "unlocked"][:3])) if at is not None else (0.0, 0.0)
            draw_text(
                node, text, items.inks[layer], np.array(numbers[:2]), numbers[2] if len(numbers) > 2 else 0.0, legacy=setup.legacy
            )


def _compound(node: Node, setup: Setup, items: _Items) -> None:
    """A dimension or a table: its texts; lines of one on an artwork layer are reported as not drawn."""
    drawn = [layer for layer in item_layers(node, setup) if layer in items.inks]
    for text in node.nodes("gr_text"):
        _text(text, setup, items)
    cells = node.node("cells")
    for cell in cells.nodes("table_cell") if cells is not None else []:
        if drawn and cell.node("layer") is None:
            cell.append(Node(["layer", drawn[0]]))
        _text(cell, setup, items)
    if drawn:
        items.unknown[f"{node.name} lines"] = items.unknown.get(f"{node.name} lines", 0) + 1


def _zone(node: Node, setup: Setup, items: _Items) -> None:
    """A filled area. To KiCad 5 its outline is drawn with the zone's least width; later files say that it is not."""
    thick = node.text("filled_areas_thickness", "yes") != "no"
    width = node.number("min_thickness") if thick else 0.0
    layers = item_layers(node, setup)
    fills = node.nodes("filled_polygon")
    for fill in fills:
        pts = fill.node("pts")
        for layer in item_layers(fill, setup) or layers:
            if pts is not None and layer in items.inks:
                items.inks[layer].fill(outline_points(pts), width)
    for fill in node.nodes("fill_segments"):
        for layer in layers:
            pts = fill.node("pts")
            points = outline_points(pts) if pts is not None else np.zeros((0, 2))
            for a, b in zip(points[::2], points[1::2], strict=False):
                if layer in items.inks:
                    items.inks[layer].line(np.array([a, b]), node.number("min_thickness"))
    drawn = any(layer in items.inks for layer in layers)
    if drawn and not fills and not node.nodes("fill_segments") and node.node("keepout") is None:
        items.unfilled += 1


def _via(node: Node, setup: Setup, items: _Items) -> None:
    x, y = pair(node, "at").tolist()
    span = setup.expand(node.node("layers").atoms()) if node.node("layers") is not None else ()  # type: ignore[union-attr]
    known = [setup.copper.index(layer) for layer in span if layer in setup.copper]
    first, last = (min(known), max(known)) if len(known) > 1 else (0, len(setup.copper) - 1)
    sizes = dict.fromkeys(setup.copper, node.number("size"))
    stack = node.node("padstack")
    for layer in stack.nodes("layer") if stack is not None else []:
        for name in setup.copper[1:-1] if layer.atom(1) == "Inner" else setup.expand([layer.atom(1)]):
            sizes[name] = layer.number("size", sizes.get(name, 0.0))
    for name in setup.copper[first : last + 1]:
        if sizes[name] > 0:
            items.inks[name].disc(x, y, sizes[name])
    tenting, outer = node.node("tenting"), (setup.copper[0], setup.copper[-1])
    for index, (word, mask) in enumerate((("front", "F.Mask"), ("back", "B.Mask"))):
        tented = (
            tenting.has(word)
            if tenting is not None and (tenting.node(word) is not None or tenting.atoms())
            else setup.tented[index]
        )
        if not tented and outer[index] in setup.copper[first : last + 1]:
            items.inks[mask].disc(x, y, sizes[outer[index]] + 2 * setup.mask_margin)
    if (first, last) == (0, len(setup.copper) - 1):
        items.vias.append((x, y, node.number("drill", setup.via_drill)))
    else:
        items.hidden_vias += 1


def _layers(setup: Setup, items: _Items, frame: Frame) -> tuple[tuple[Layer, ...], dict[str, Geometries]]:
    """All artwork in the board frame, and the same as arrays by name."""
    out: list[Layer] = []
    arrays: dict[str, Geometries] = {}
    kinds: tuple[tuple[str, LayerKind], ...] = (("Mask", "mask"), ("Paste", "paste"), ("SilkS", "silk"))
    for name, ink in items.inks.items():
        shapes = ink.geometries()
        if name.endswith(".Mask") and setup.mask_web > 0 and len(shapes):
            shapes = _bridged(shapes, setup.mask_web)
        arrays[name] = shapely.transform(shapes, frame)
    for index, name in enumerate(setup.copper):
        side: str = "front" if index == 0 else "back" if index == len(setup.copper) - 1 else "inner"
        out.append(_layer(name, "copper", side, arrays[name], index))
    for short, kind in kinds:
        out.append(_layer(f"F.{short}", kind, "front", arrays[f"F.{short}"], 0))
        out.append(_layer(f"B.{short}", kind, "back", arrays[f"B.{short}"], 0))
    return tuple(out), arrays


def _layer(name: str, kind: LayerKind, side: str, shapes: NDArray[np.object_], index: int) -> Layer:
    return Layer(name, kind, side, tuple(shapes), (True,) * len(shapes), index)  # type: ignore[arg-type]


def _bridged(shapes: Geometries, web: float) -> Geometries:
    """Openings with the webs between them removed that are too thin to print."""
    grown = shapely.union_all(shapely.buffer(shapes, web / 2, quad_segs=4))
    closed = shapely.union_all([shapely.buffer(grown, -web / 2, quad_segs=4), *shapes])
    return shapely.get_parts(closed)


def _notes(items: _Items) -> list[str]:
    notes = [f"{count} × ({kind} …) not read" for kind, count in sorted(items.unknown.items())]
    if items.unfilled:
        notes.append(f"{items.unfilled} copper zones are not filled in the file; in KiCad press B and save")
    if items.hidden_vias:
        notes.append(f"{items.hidden_vias} blind or buried vias: their copper is read, their holes are not")
    return notes


def _counts(footprints: list[FootprintRecord]) -> dict[str, int]:
    sides: list[Side] = [f.side for f in footprints]
    pads = [p for f in footprints for p in f.pads]
    return {
        "footprints": len(footprints),
        "front": sides.count("front"),
        "back": sides.count("back"),
        "pads": len(pads),
        "smd_pads": sum(p.type == "smd" for p in pads),
    }


__all__ = ["read_kicad"]
