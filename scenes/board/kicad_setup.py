"""What a KiCad board file says about itself: version, layers, stack-up, margins, text variables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scenes.board.kicad_sexpr import Node
from scenes.board.model import StackLayer

FIRST_FOOTPRINT = 20200000  # files from about here on say "footprint" and round grown rectangles
TYPED_TENTING = 20240900  # from KiCad 9 tenting is a property of the board, not of the plot
ART = ("F.Mask", "B.Mask", "F.Paste", "B.Paste", "F.SilkS", "B.SilkS")
Kind = Literal["copper", "dielectric", "mask", "silk", "paste", "other"]


@dataclass(frozen=True)
class Setup:
    """Facts of the file that its items are read with. Lengths in millimetres, as in the file."""

    version: int
    copper: tuple[str, ...]  # canonical names, front to back
    alias: dict[str, str]  # name in this file → canonical name
    mask_margin: float
    paste_margin: float
    paste_ratio: float
    mask_web: float  # openings closer than this are one
    tented: tuple[bool, bool]  # front, back: vias covered with mask
    via_drill: float
    nets: dict[str, str]  # number → name
    variables: dict[str, str]

    @property
    def legacy(self) -> bool:
        """KiCad 5 and older."""
        return self.version < FIRST_FOOTPRINT

    def expand(self, names: Sequence[str]) -> tuple[str, ...]:
        """Canonical layers of a list with wildcards such as ``*.Cu`` or ``F&B.Cu``."""
        out: list[str] = []
        for name in names:
            if name == "*.Cu":
                out += self.copper
            elif name == "F&B.Cu":
                out += [self.copper[0], self.copper[-1]]
            elif name in ("*In.Cu", "In*.Cu"):
                out += self.copper[1:-1]
            elif name.startswith("*."):
                out += [f"F.{name[2:]}", f"B.{name[2:]}"]
            else:
                out.append(self.alias.get(name, name))
        return tuple(dict.fromkeys(out))


def _first(root: Node | None, name: str) -> Node:
    return (root.node(name) if root is not None else None) or Node([name])


def _layers(root: Node) -> tuple[tuple[str, ...], dict[str, str]]:
    """Canonical copper layers, front to back, and what this file calls each layer."""
    rows = [row for row in _first(root, "layers").nodes() if len(row.atoms()) >= 2]
    copper = [
        row.atoms()[0]
        for row in rows
        if row.atoms()[1] in ("signal", "power", "mixed", "jumper") or re.fullmatch(r"(F|B|In\d+)\.Cu", row.atoms()[0])
    ]
    alias: dict[str, str] = {}
    canonical: list[str] = []
    for index, name in enumerate(copper):
        known = re.fullmatch(r"(F|B|In\d+)\.Cu", name)
        plain = name if known else "F.Cu" if index == 0 else "B.Cu" if index == len(copper) - 1 else f"In{index}.Cu"
        alias[name] = plain
        canonical.append(plain)
    order = {"F.Cu": 0, "B.Cu": 1000}
    canonical = sorted(dict.fromkeys(canonical), key=lambda n: order.get(n, int(re.sub(r"\D", "", n) or 0)))
    for row in rows:  # the user's own names stand third, or second in files before KiCad 6
        if len(row.atoms()) > 2 and row.atoms()[2] != "hide":
            alias.setdefault(row.atoms()[2], alias.get(row.atoms()[0], row.atoms()[0]))
    alias.update({"F.Silkscreen": "F.SilkS", "B.Silkscreen": "B.SilkS", "F.Courtyard": "F.CrtYd", "B.Courtyard": "B.CrtYd"})
    return (tuple(canonical) if len(canonical) >= 2 else ("F.Cu", "B.Cu")), alias


def read_setup(root: Node) -> Setup:
    """Read everything that the items depend on. Raises BadNode for an unreadable number."""
    setup, title = _first(root, "setup"), _first(root, "title_block")
    version = int(float(root.text("version", "0") or 0)) if re.fullmatch(r"[\d.]+", root.text("version", "0")) else 0
    copper, alias = _layers(root)
    plot = _first(setup, "pcbplotparams")
    tenting = setup.node("tenting")
    if tenting is not None:
        tented = (tenting.has("front"), tenting.has("back"))
    else:
        covered = version >= TYPED_TENTING or plot.text("viasonmask", "false") not in ("true", "yes")
        tented = (covered, covered)
    classes = root.nodes("net_class")
    nets = {n.atoms()[0]: n.atoms()[-1] for n in root.nodes("net") if n.atoms()}
    variables = {p.atoms()[0]: p.atoms()[1] for p in root.nodes("property") if len(p.atoms()) >= 2}
    for name, key in (("title", "TITLE"), ("date", "ISSUE_DATE"), ("rev", "REVISION"), ("company", "COMPANY")):
        variables.setdefault(key, title.text(name))
    for comment in title.nodes("comment"):
        if len(comment.atoms()) >= 2:
            variables.setdefault(f"COMMENT{comment.atoms()[0]}", comment.atoms()[1])
    return Setup(
        version,
        copper,
        alias,
        setup.number("pad_to_mask_clearance"),
        setup.number("pad_to_paste_clearance"),
        setup.number("pad_to_paste_clearance_ratio"),
        setup.number("solder_mask_min_width"),
        tented,
        (classes[0] if classes else setup).number("via_drill", setup.number("via_drill", 0.3)),
        nets,
        variables,
    )


_KINDS: tuple[tuple[str, Kind], ...] = (
    ("copper", "copper"),
    ("mask", "mask"),
    ("silk", "silk"),
    ("paste", "paste"),
    ("core", "dielectric"),
    ("prepreg", "dielectric"),
    ("dielectric", "dielectric"),
)


def read_stackup(root: Node) -> tuple[tuple[StackLayer, ...], float, dict[str, str]]:
    """Physical layers front to back, the board's thickness [m], and the colours that the file names.

    The thickness is the file's own total where it gives one; the stack-up's sum otherwise, 1.6 mm where it says nothing.
    """
    stack: list[StackLayer] = []
    colors: dict[str, str] = {}
    node = _first(root, "setup").node("stackup") or Node(["stackup"])
    for layer in node.nodes("layer"):
        name, kind_text = layer.atom(1), layer.text("type").lower()
        kind: Kind = next((k for word, k in _KINDS if word in kind_text or (not kind_text and word in name.lower())), "other")
        color = layer.text("color")
        stack.append(
            StackLayer(name, kind, sum(t.numbers(1)[0] for t in layer.nodes("thickness")) * 1e-3, layer.text("material"), color)
        )
        if color and kind in ("mask", "silk"):
            colors.setdefault(kind, color)
    if node.text("copper_finish") not in ("", "None", "none"):
        colors["finish"] = node.text("copper_finish")
    total = sum(layer.thickness for layer in stack)
    return tuple(stack), _first(root, "general").number("thickness", 0.0) * 1e-3 or total or 1.6e-3, colors


__all__ = ["ART", "Setup", "read_setup", "read_stackup"]
