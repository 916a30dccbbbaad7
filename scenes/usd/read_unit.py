"""Reading units: what stands below a ``Product``."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scenes.usd.contents import HEALTHY, Film, Package, Part, Piece, Solid, Unit
from scenes.usd.names import PROTOTYPES
from scenes.usd.read_mesh import Notes, labels, local, piece, twin


def read_states(product: Any, notes: Notes) -> tuple[str, Unit, tuple[tuple[str, Unit], ...]]:
    """Which state stands here, the healthy unit and the others. The stage's session layer is used and left as it was."""
    from pxr import Usd

    reader = _Reader(product, notes)
    sets = product.GetVariantSets()
    if not sets.HasVariantSet("unit"):
        return HEALTHY, reader.unit(), ()
    chosen = sets.GetVariantSet("unit")
    names, selected = chosen.GetVariantNames(), chosen.GetVariantSelection()
    healthy = HEALTHY if HEALTHY in names else selected
    stage = product.GetStage()
    told = stage.GetEditTarget()
    stage.SetEditTarget(Usd.EditTarget(stage.GetSessionLayer()))
    try:
        units = {}
        for name in sorted(names, key=lambda n: (n != healthy, n)):
            chosen.SetVariantSelection(name)
            units[name] = reader.unit()
        chosen.ClearVariantSelection()
    finally:
        stage.SetEditTarget(told)
    return selected, units.pop(healthy), tuple(units.items())


def state_of(product: Any) -> str:
    """Which state of the unit stands here."""
    sets = product.GetVariantSets()
    return sets.GetVariantSelection("unit") if sets.HasVariantSet("unit") else HEALTHY


class _Reader:
    """Reads the unit in its states, what they share only once: a prim that is made of the same specs says the same."""

    def __init__(self, product: Any, notes: Notes) -> None:
        self.product, self.notes = product, notes
        self.known: dict[tuple[Any, ...], Any] = {}
        self.packages: dict[str, Package] = {}

    def unit(self) -> Unit:
        product = self.product
        parts, solder, films = (self._group(group, make) for group, make in (
            ("Parts", self._part), ("Solder", self._solid), ("Films", self._film)))
        order = {name: k for k, name in enumerate(_prototypes(product))}
        used = {p.package for p in parts}
        board = product.GetChild("Board")
        mass = product.GetAttribute("physics:mass").Get()
        return Unit(self._read(board, self._board) if board else (),
                    tuple(sorted((p for p in self.packages.values() if p.name in used),
                                 key=lambda p: (order.get(p.name, len(order)), p.name))),
                    parts, solder, films, float(mass or 0.0))

    def _group(self, name: str, make: Callable[[Any], Any]) -> tuple[Any, ...]:
        found = [v for prim in _below(self.product, name) if (v := self._read(prim, make)) is not None]
        return tuple(sorted(found, key=lambda v: v.instance))

    def _read(self, prim: Any, make: Callable[[Any], Any]) -> Any:
        key = tuple((spec.layer.identifier, str(spec.path)) for spec in prim.GetPrimStack())
        if key not in self.known:
            self.known[key] = make(prim)
        return self.known[key]

    def _board(self, prim: Any) -> tuple[Piece, ...]:
        return tuple(self._pieces(prim, self.product))

    def _pieces(self, prim: Any, holder: Any) -> list[Piece]:
        return [p for m in _meshes(prim) if (p := piece(m, holder, self.notes)) is not None]

    def _instance(self, prim: Any) -> int | None:
        found = twin(prim, "instance")
        if found is None:
            self.notes.tell(prim, "no twin:instance; it has no label, left out")
            return None
        return int(found)

    def _part(self, prim: Any) -> Part | None:
        instance = self._instance(prim)
        if instance is None:
            return None
        name = _package_name(prim)
        if name not in self.packages:
            self.packages[name] = Package(name, tuple(self._pieces(prim, prim)))
        tint = twin(prim, "tint", (1.0, 1.0, 1.0))
        return Part(str(twin(prim, "reference", prim.GetName())), name, instance, local(prim, self.product), labels(prim),
                    (float(tint[0]), float(tint[1]), float(tint[2])))

    def _solid(self, prim: Any) -> Solid | None:
        instance = self._instance(prim)
        if instance is None:
            return None
        rough = next((v for m in _meshes(prim) if (v := m.GetAttribute("primvars:roughness").Get()) is not None), -1.0)
        return Solid(instance, tuple(self._pieces(prim, self.product)), labels(prim), float(np.ravel(rough)[0]))

    def _film(self, prim: Any) -> Film | None:
        instance = self._instance(prim)
        found = piece(prim, self.product, self.notes) if instance is not None and prim.GetTypeName() == "Mesh" else None
        if instance is None or found is None:
            return None
        rough = prim.GetAttribute("primvars:roughness").Get()
        return Film(instance, found, labels(prim), 0.25 if rough is None else float(np.ravel(rough)[0]),
                    float(twin(prim, "film:direction", 0.0)), float(twin(prim, "film:edge", 0.0)))


def _below(product: Any, group: str) -> list[Any]:
    prim = product.GetChild(group)
    return [p for p in prim.GetChildren() if p.IsActive()] if prim else []


def _prototypes(product: Any) -> list[str]:
    from pxr import Usd

    scope = product.GetStage().GetPrimAtPath(PROTOTYPES)
    return [p.GetName() for p in scope.GetFilteredChildren(Usd.PrimAllPrimsPredicate)] if scope else []


def _meshes(prim: Any) -> list[Any]:
    """The visible meshes below a prim, into instances too."""
    from pxr import Usd, UsdGeom

    out = []
    for below in Usd.PrimRange(prim, Usd.TraverseInstanceProxies()):
        if below.IsA(UsdGeom.Mesh) and UsdGeom.Imageable(below).GetPurposeAttr().Get() not in ("guide", "proxy"):
            out.append(below)
    return out


def _package_name(prim: Any) -> str:
    """The prototype that a part refers to; for one without, its own name: it carries its own meshes."""
    from pxr import Usd

    query = Usd.PrimCompositionQuery.GetDirectReferences(prim)
    for arc in query.GetCompositionArcs():
        target = arc.GetTargetPrimPath()
        if str(target).startswith(f"{PROTOTYPES}/"):
            return target.name
    return f"own_{prim.GetName()}"


__all__ = ["read_states", "state_of"]
