"""One KiCad footprint: its pads, its artwork, and what it is as a component. Millimetres, y down, as in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely

from scenes.board.ink import Ink
from scenes.board.kicad_curves import Points, rotate
from scenes.board.kicad_graphics import draw_shape, draw_text, draw_text_box, expand, is_hidden, shape_points
from scenes.board.kicad_pads import PadForm, custom_polygon, pad_form, pad_outline, place
from scenes.board.kicad_setup import Setup
from scenes.board.kicad_sexpr import BadNode, Node
from scenes.board.model import Model3D, Side
from scenes.board.unplaced import is_unplaced

SILENT = {
    "layer",
    "tedit",
    "tstamp",
    "uuid",
    "at",
    "descr",
    "tags",
    "path",
    "attr",
    "model",
    "locked",
    "placed",
    "sheetname",
    "sheetfile",
    "clearance",
    "zone_connect",
    "thermal_width",
    "thermal_gap",
    "solder_mask_margin",
    "solder_paste_margin",
    "solder_paste_ratio",
    "solder_paste_margin_ratio",
    "autoplace_cost90",
    "autoplace_cost180",
    "net_tie_pad_groups",
    "private_layers",
    "group",
    "units",
    "version",
    "generator",
    "generator_version",
    "embedded_fonts",
    "embedded_files",
    "component_classes",
    "duplicate_pad_numbers_are_jumpers",
    "jumper_pad_groups",
    "point",
    "stackup",
    "barcode",
    "dimension",
    "allow_soldermask_bridges",
    "variant",
    "transform",
}


@dataclass
class PadRecord:
    """A pad as read. Lengths [mm], angles [deg], all in the file's frame."""

    number: str
    type: str  # smd, thru_hole, np_thru_hole, connect
    form: PadForm
    hole: Points  # (2,) the pad's position, where a hole would be
    centre: Points  # (2,) middle of the shape
    angle: float
    layers: tuple[str, ...]
    net: str
    drill: tuple[float, float, bool] | None  # width, height, plated
    property: str
    ring: Points | None  # copper (or aperture) outline in the board, None for a custom pad
    polygon: shapely.Geometry | None = None  # the same, of a custom pad
    copper: bool = True
    paste: list[Points | shapely.Geometry] = field(default_factory=list)


@dataclass
class FootprintRecord:
    """A footprint as read."""

    node: Node
    library: str
    package: str
    reference: str
    value: str
    at: Points
    angle: float
    side: Side
    placed: bool
    description: str
    pads: list[PadRecord]
    models: tuple[Model3D, ...]
    courtyard: list[Points]  # strokes in the board


def _margins(pad: Node, layers: tuple[str, ...], footprint: Node, setup: Setup) -> tuple[float, float, float]:
    """Margins of mask and paste [mm] and the paste's share of the size [1]: pad before footprint before board.

    To KiCad 7 a zero means "inherit" and is not written; from 8 on, what is written counts. Both are: first that is there.
    A pad without copper is drawn as it is.
    """
    if not any(name.endswith(".Cu") for name in layers):
        return 0.0, 0.0, 0.0

    def first(names: tuple[str, ...], default: float) -> float:
        for owner in (pad, footprint):
            for name in names:
                if owner.node(name) is not None:
                    return owner.number(name)
        return default

    return (
        first(("solder_mask_margin",), setup.mask_margin),
        first(("solder_paste_margin",), setup.paste_margin),
        first(("solder_paste_margin_ratio", "solder_paste_ratio"), setup.paste_ratio),
    )


def _stack_forms(pad: Node, form: PadForm, setup: Setup) -> dict[str, PadForm]:
    """The pad's shape per copper layer: one for all, or KiCad 9's pad stack."""
    forms = dict.fromkeys(setup.copper, form)
    stack = pad.node("padstack")
    if stack is None:
        return forms
    for layer in stack.nodes("layer"):
        if layer.node("size") is None:
            continue
        other = pad_form(layer, layer.text("shape", form.shape))
        for name in setup.copper[1:-1] if layer.atom(1) == "Inner" else setup.expand([layer.atom(1)]):
            if name in forms:
                forms[name] = other
    return forms


def _put(
    ink: Ink, form: PadForm, grow: tuple[float, float], at: Points, angle: float, rounded: bool
) -> Points | shapely.Geometry | None:
    """Draw one shape of a pad, grown, and return it."""
    if form.shape == "custom":
        polygon = shapely.transform(custom_polygon(form, min(grow)), lambda p: place(p, at, angle, form.offset))
        if polygon.is_empty:
            return None
        ink.ready.append(polygon)
        return polygon
    ring = pad_outline(form, grow, rounded=rounded)
    if ring is None:
        return None
    ring = place(ring, at, angle, form.offset)
    ink.fill(ring)
    return ring


def read_pad(node: Node, footprint: Node, origin: Points, turn: float, setup: Setup, inks: Mapping[str, Ink]) -> PadRecord:
    """Read one pad and draw it on its copper, mask and paste layers."""
    number, kind, shape = node.atom(1), node.atom(2), node.atom(3)
    at_node = node.node("at")
    if at_node is None:
        raise BadNode(node)
    at = origin + rotate(np.array(at_node.numbers(2)), turn)
    angle = at_node.numbers(3)[2] if len(at_node.atoms()) >= 3 and at_node.atoms()[2] != "unlocked" else 0.0
    form = pad_form(node, shape)
    layers_node = node.node("layers")
    layers = setup.expand(layers_node.atoms()) if layers_node is not None else ()
    mask_margin, paste_margin, paste_ratio = _margins(node, layers, footprint, setup)
    paste_grow = (paste_margin + paste_ratio * form.size[0], paste_margin + paste_ratio * form.size[1])
    drill = _drill(node, kind)
    bare = kind == "np_thru_hole" and drill is not None and form.size[0] <= drill[0] and form.size[1] <= drill[1]
    forms, none = _stack_forms(node, form, setup), Ink()
    outline = _put(none, form, (0.0, 0.0), at, angle, False)
    paste: list[Points | shapely.Geometry] = []
    for layer in layers:
        if layer.endswith(".Cu") and not bare:
            _put(inks.get(layer, none), forms.get(layer, form), (0.0, 0.0), at, angle, False)
        elif layer.endswith(".Mask"):
            outer = forms[setup.copper[0 if layer[0] == "F" else -1]]
            _put(inks.get(layer, none), outer, (mask_margin, mask_margin), at, angle, not setup.legacy)
        elif layer.endswith(".Paste"):
            printed = _put(inks.get(layer, none), form, paste_grow, at, angle, False)
            if printed is not None:
                paste.append(printed)
        elif layer.endswith(".SilkS"):
            _put(inks.get(layer, none), form, (0.0, 0.0), at, angle, False)
    net = node.node("net")
    name = (
        ""
        if net is None or not net.atoms()
        else net.atoms()[1]
        if len(net.atoms()) > 1
        else setup.nets.get(net.atoms()[0], net.atoms()[0])
    )
    prop = node.node("property")
    return PadRecord(
        number,
        kind,
        form,
        at,
        at + rotate(np.array(form.offset), angle),
        angle,
        layers,
        name,
        drill,
        prop.atoms()[0] if prop is not None and prop.atoms() else "",
        outline if isinstance(outline, np.ndarray) else None,
        None if isinstance(outline, np.ndarray) else outline,
        any(name.endswith(".Cu") for name in layers) and not bare,
        paste,
    )


def _drill(node: Node, kind: str) -> tuple[float, float, bool] | None:
    """Width and height of a pad's hole [mm], and whether it is plated."""
    drill = node.node("drill")
    if drill is None:
        return None
    sizes = [float(a) for a in drill.atoms() if re.fullmatch(r"[-+\d.eE]+", a)]
    if not sizes or sizes[0] <= 0:
        return None
    height = sizes[1] if "oval" in drill.atoms() and len(sizes) > 1 else sizes[0]
    return sizes[0], height, kind != "np_thru_hole"


def _model(node: Node) -> Model3D:
    """A 3-D model. ``at`` is KiCad 5's offset in inches, ``offset`` its successor in millimetres."""

    def triple(name: str, default: float) -> tuple[float, float, float]:
        child = node.node(name)
        xyz = child.node("xyz") if child is not None else None
        return xyz.numbers(3) if xyz is not None else (default,) * 3  # type: ignore[return-value]

    unit, source = (1e-3, "offset") if node.node("offset") is not None else (25.4e-3, "at")
    x, y, z = (v * unit for v in triple(source, 0.0))
    rx, ry, rz = (float(np.radians(v)) for v in triple("rotate", 0.0))
    return Model3D(node.atom(1), (x, y, z), (rx, ry, rz), triple("scale", 1.0))


def _texts(node: Node) -> list[tuple[str, str, Node]]:
    """Texts of a footprint as (role, text, node); a property without a layer is data only."""
    out = [(c.atom(1), c.atom(2), c) for c in node.nodes("fp_text")]
    return out + [(c.atom(1).lower(), c.atom(2), c) for c in node.nodes("property") if len(c.atoms()) >= 2]


def read_footprint(
    node: Node, setup: Setup, inks: Mapping[str, Ink], edge: list[Points], unknown: dict[str, int]
) -> FootprintRecord:
    """Read one ``footprint`` (or ``module``), draw it on ``inks``, and append its strokes on the edge layer to ``edge``."""
    at_node = node.node("at")
    numbers = at_node.numbers(len(at_node.atoms()[:3])) if at_node is not None else (0.0, 0.0)
    at = np.array((*numbers, 0.0, 0.0)[:2])
    turn = numbers[2] if len(numbers) > 2 else 0.0
    side: Side = "back" if setup.alias.get(node.text("layer"), node.text("layer")).startswith("B.") else "front"
    name = node.atom(1) if len(node.atoms()) else ""
    library, _, package = name.rpartition(":")
    texts = _texts(node)
    reference = next((t.strip() for role, t, _ in texts if role == "reference"), "")
    value = next((t.strip() for role, t, _ in texts if role == "value"), "")
    variables = {
        **setup.variables,
        **{role.upper(): t for role, t, _ in texts if role != "user"},
        "REFERENCE": reference,
        "VALUE": value,
    }
    attributes = {a for n in node.nodes("attr") for a in n.atoms()}

    def to_board(points: Points) -> Points:
        return rotate(points, turn) + at

    pads: list[PadRecord] = []
    models: list[Model3D] = []
    courtyard: list[Points] = []
    for child in node.nodes():
        kind = child.name
        if kind == "pad":
            pads.append(read_pad(child, node, at, turn, setup, inks))
        elif kind in ("fp_text", "property", "fp_text_box"):
            continue
        elif kind == "model":
            models.append(_model(child))
        elif kind.startswith("fp_"):
            for layer in item_layers(child, setup):
                if layer in inks:
                    draw_shape(child, inks[layer], to_board, fill_default=kind == "fp_poly")
                elif layer in ("Edge.Cuts", f"{side[0].upper()}.CrtYd"):
                    points, closed = shape_points(child)
                    points = to_board(points)
                    (edge if layer == "Edge.Cuts" else courtyard).append(
                        np.concatenate([points, points[:1]]) if closed else points
                    )
        elif kind not in SILENT and kind != "zone":
            unknown[kind] = unknown.get(kind, 0) + 1
    for _, text, child in texts:
        _draw_footprint_text(child, expand(text, variables), at, turn, setup, inks, property_=child.name == "property")
    for child in node.nodes("fp_text_box"):
        for layer in item_layers(child, setup):
            if layer in inks and not is_hidden(child):
                draw_text_box(child, expand(child.atom(1), variables), inks[layer], to_board, legacy=setup.legacy)
    placed = (
        not (attributes & {"virtual", "board_only", "dnp", "exclude_from_pos_files"})
        and not node.has("dnp")
        and not is_unplaced(value, package)
    )
    return FootprintRecord(
        node, library, package, reference, value, at, turn, side, placed, node.text("descr"), pads, tuple(models), courtyard
    )


def item_layers(node: Node, setup: Setup) -> tuple[str, ...]:
    """Canonical layers of a drawn item."""
    layers = node.node("layers")
    if layers is None:
        layers = node.node("layer")
    return setup.expand([a for a in layers.atoms() if a != "knockout"]) if layers is not None else ()


def _draw_footprint_text(
    node: Node, text: str, at: Points, turn: float, setup: Setup, inks: Mapping[str, Ink], *, property_: bool
) -> None:
    if is_hidden(node) or not text:
        return
    for layer in item_layers(node, setup):
        if layer in inks:
            position = node.node("at")
            values = [a for a in position.atoms() if a != "unlocked"] if position is not None else []
            numbers = position.numbers(len(values[:3])) if position is not None else (0.0, 0.0)
            angle = numbers[2] if len(numbers) > 2 else 0.0
            unlocked = node.has("unlocked") or (position is not None and position.has("unlocked"))
            if not unlocked:  # pcbnew keeps text upright
                kept = setup.legacy and angle == -90  # KiCad 5 keeps −90, its successors turn it round
                angle = angle if kept else 90 - (90 - angle) % 180
            draw_text(node, text, inks[layer], rotate(np.array(numbers[:2]), turn) + at, angle, legacy=setup.legacy)


__all__ = ["FootprintRecord", "PadRecord", "item_layers", "read_footprint", "read_pad"]
