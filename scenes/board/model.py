"""Board: one circuit board as designed, whatever file it came from.

Frame: metres, right-handed. x to the right, y up (KiCad's y is negated), z out of the front side. The origin is the
lower left corner of the outline's bounding box; z = 0 is the top of the front outer copper. Angles are radians,
counter-clockwise seen from the front. Everything that is on the back is given in this same frame, seen through the
board; :meth:`Board.seen_from` turns the board over so that code downstream only ever knows a front.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

Side = Literal["front", "back"]
PadKind = Literal["smd", "through", "npth", "edge"]         # edge: castellation or finger of an edge connector
PadShape = Literal["circle", "rect", "oval", "roundrect", "trapezoid", "polygon"]
LayerKind = Literal["copper", "mask", "paste", "silk"]


@dataclass(frozen=True, eq=False)
class Layer:
    """Artwork of one layer. Dark shapes add, clear ones (``dark`` False) erase what came before them, in order.

    ``mask`` holds the *openings* (as the Gerber file does), not the lacquer. ``index`` counts copper from the front, 0.
    """
    name: str                                  # "F.Cu", "In1.Cu", "B.Mask", …
    kind: LayerKind
    side: Literal["front", "back", "inner"]
    shapes: tuple[BaseGeometry, ...]           # shapely polygons, board frame [m]
    dark: tuple[bool, ...]                     # one per shape
    index: int = 0

    def region(self) -> BaseGeometry:
        """The area that the layer covers, as one shapely geometry [m²]. Slow on a filled copper layer (about a second)."""
        area: BaseGeometry = shapely.Polygon()
        run: list[BaseGeometry] = []
        for shape, dark in [*zip(self.shapes, self.dark, strict=True), (None, False)]:
            if dark:
                run.append(shape)
                continue
            if run:
                area = shapely.union_all([area, *run])
                run = []
            if shape is not None:
                area = area.difference(shape)
        return area


@dataclass(frozen=True)
class Drill:
    """One hole. A slot has ``length`` > ``diameter`` along ``angle``."""
    x: float
    y: float
    diameter: float                            # [m]
    plated: bool
    length: float = 0.0                        # [m] overall, slots only
    angle: float = 0.0
    via: bool = False


@dataclass(frozen=True)
class StackLayer:
    """One physical layer, from the front to the back."""
    name: str
    kind: Literal["copper", "dielectric", "mask", "silk", "paste", "other"]
    thickness: float                           # [m]; 0 where the file does not say
    material: str = ""
    color: str = ""


@dataclass(frozen=True, eq=False)
class Pad:
    """One pad in the board frame. ``x, y`` is the middle of its shape, which a drill may be off.

    A stencil aperture that the file draws as a pad without copper has neither ``front`` nor ``back``; the land under it
    has ``paste`` then, and ``paste_area`` says how much of the land the stencil opens.
    """
    number: str
    shape: PadShape
    x: float
    y: float
    size: tuple[float, float]                  # [m] along its own axes
    angle: float                               # [rad]
    kind: PadKind
    front: bool                                # has copper on the front
    back: bool
    net: str = ""
    mask: bool = True                          # opened in the mask on its side(s)
    paste: bool = True                         # printed with paste on its side(s)
    drill: Drill | None = None
    outline: BaseGeometry | None = None        # exact polygon (copper, or the aperture without copper), board frame [m]
    paste_area: float = 0.0                    # [m²] of stencil apertures over this pad, all its sides together


@dataclass(frozen=True, eq=False)
class Component:
    """One footprint with pads. ``x, y`` is the footprint's origin, which is not the centroid of its pads.

    ``angle`` is the direction of the library footprint's +x axis in the board frame. On the front its +y axis lies at
    ``angle + π/2``; on the back, where the footprint is mirrored, at ``angle − π/2`` until the board is turned over.
    """
    reference: str
    value: str
    package: str                               # footprint name, without library
    x: float
    y: float
    angle: float                               # [rad]
    side: Side
    pads: tuple[Pad, ...]
    placed: bool = True                        # False: do-not-populate, fiducial, logo, jumper
    library: str = ""
    models: tuple[Model3D, ...] = ()
    description: str = ""
    courtyard: BaseGeometry | None = None      # [m] board frame, where the file has one


@dataclass(frozen=True)
class Model3D:
    """A 3-D model that the board names: path as written, offset [m], rotation [rad] and scale in the footprint's frame."""
    path: str
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Fiducial:
    reference: str
    x: float
    y: float
    diameter: float                            # [m] of the copper dot
    side: Side


@dataclass(frozen=True, eq=False)
class Board:
    """A board as designed. ``outline`` is the laminate with its cut-outs (milled, not drilled) [m]."""
    name: str
    outline: BaseGeometry                      # shapely Polygon or MultiPolygon (panel)
    thickness: float                           # [m]
    stackup: tuple[StackLayer, ...]
    layers: tuple[Layer, ...]
    drills: tuple[Drill, ...]                  # every hole: pads, vias, mounting holes
    components: tuple[Component, ...]
    fiducials: tuple[Fiducial, ...]
    source: str                                # path as given by the user
    format: str                                # "kicad 20221018", "gerber", …
    notes: tuple[str, ...] = ()                # what the importer could not read, one line each
    serial: str = ""                           # code on this copy (panels)
    colors: dict[str, str] = field(default_factory=dict)   # "mask", "silk", "finish" where the file names them
    counts: dict[str, int] = field(default_factory=dict)   # in the file: "footprints", "front", "back", "pads", "smd_pads"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the outline's bounding box [m]."""
        x0, y0, x1, y1 = self.outline.bounds
        return x1 - x0, y1 - y0

    def layer(self, kind: LayerKind, side: Side) -> Layer | None:
        """The outer layer of this kind on that side, or None."""
        return next((a for a in self.layers if a.kind == kind and a.side == side), None)

    def seen_from(self, side: Side) -> Board:
        """This board with ``side`` turned to the front: x is mirrored about the board's middle line, sides swap names.

        Components keep their reference; ``angle`` becomes the angle seen from the new front. Turning twice is identity.
        """
        return self if side == "front" else _turned(self)


_SWAP: dict[str, Any] = {"front": "back", "back": "front", "inner": "inner"}


def _mirrored(shapes: tuple[BaseGeometry, ...], width: float) -> tuple[BaseGeometry, ...]:
    """All shapes of a layer in one call, which is ten times faster than one by one."""
    return tuple(shapely.transform(np.array(shapes, dtype=object),
                                   lambda points: np.column_stack([width - points[:, 0], points[:, 1]])))


def _turned(board: Board) -> Board:
    width = board.size[0]

    def shape(geometry: BaseGeometry | None) -> BaseGeometry | None:
        if geometry is None:
            return None
        return shapely.transform(geometry, lambda points: np.column_stack([width - points[:, 0], points[:, 1]]))

    def drill(hole: Drill) -> Drill:
        return replace(hole, x=width - hole.x, angle=np.pi - hole.angle)

    def pad(item: Pad) -> Pad:
        return replace(item, x=width - item.x, angle=np.pi - item.angle, front=item.back, back=item.front,
                       drill=drill(item.drill) if item.drill else None, outline=shape(item.outline))

    copper = max((a.index for a in board.layers if a.kind == "copper"), default=0)
    return replace(
        board,
        outline=shape(board.outline),
        stackup=board.stackup[::-1],
        layers=tuple(replace(a, side=_SWAP[a.side], shapes=_mirrored(a.shapes, width),
                             index=copper - a.index if a.kind == "copper" else a.index) for a in board.layers),
        drills=tuple(drill(d) for d in board.drills),
        components=tuple(replace(c, x=width - c.x, angle=np.pi - c.angle, side=_SWAP[c.side],
                                 pads=tuple(pad(p) for p in c.pads), courtyard=shape(c.courtyard))
                         for c in board.components),
        fiducials=tuple(replace(f, x=width - f.x, side=_SWAP[f.side]) for f in board.fiducials),
    )


__all__ = ["Board", "Component", "Drill", "Fiducial", "Layer", "LayerKind", "Model3D", "Pad", "PadKind", "PadShape", "Side",
           "StackLayer"]
