"""What differs between a stage as written and as it is now: every prim and property, whoever made it and in whichever layer.

Layers are compared as layers first (equal bytes, equal specs), so that a large product that nobody touched costs nothing; the
prims that have a differing spec are then compared as composed. Nothing that differs is left out: what no reader of edits claims
is told by ``Changes.unclaimed``.
"""
from __future__ import annotations

from collections.abc import Container, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from scenes.usd.names import UNIT

# metadata that says nothing about the scene: notes, and what editors keep for themselves
SILENT = frozenset({"comment", "documentation", "displayName", "hidden", "customData", "assetInfo", "displayGroup", "sdrMetadata",
                    "no_delete", "hide_in_stage_window", "displayGroupOrder", "propertyOrder", "primOrder", "userDocBrief"})
# metadata that is compared as composed instead
COMPOSED = frozenset({"active", "typeName", "specifier", "apiSchemas", "instanceable", "references", "payload", "variantSetNames",
                      "variantSelection", "inheritPaths", "specializes"})
# prims that editors write down for themselves
EDITORS_OWN = ("/OmniverseKit_", "/Render", "/persistent")
ANIMATED = " (animated)"                       # behind the name of a property whose time samples differ: nobody carries it


class Changes:
    """The prims that differ, and which of their properties; readers claim what they carry.

    ``changed`` maps a prim's path to names of properties and of metadata (in brackets: ``[active]``, ``[references]``), of
    properties whose time samples differ (``visibility (animated)``), and of what differs in its variants that are not selected
    (``[unit=bridge] Parts/R1``); ``added`` and ``removed`` hold the paths of all prims that only one of the stages has.
    """

    def __init__(self, before: Any, now: Any) -> None:
        self.before, self.now = before, now
        self.changed: dict[str, set[str]] = {}
        self.added: list[str] = []
        self.removed: list[str] = []
        self._claimed: set[tuple[str, str]] = set()
        touched = _touched(_layers(before), _layers(now))
        if touched is not None and not touched:
            return
        old, new = _prims(before), _prims(now)
        shown: set[Any] = set()                # touched specs that some prim is made of
        for path, prim in new.items():
            then = old.get(path)
            made_of = {spec.path for p in (prim, then) if p is not None for spec in p.GetPrimStack()}
            mine = made_of if touched is None else made_of & touched
            shown |= mine
            if then is None:
                self.added.append(path)
            elif mine and (names := _differing(then, prim)):
                self.changed[path] = names
        for path, name in _unseen(touched or set(), shown):
            if path in old:
                self.changed.setdefault(path, set()).add(name)
        off = tuple(p + "/" for p, names in self.changed.items() if "[active]" in names and not now.GetPrimAtPath(p).IsActive())
        self.removed = [path for path in old if path not in new and not path.startswith(off)]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    def claim(self, path: str, *names: str) -> bool:
        """Say that these properties of a prim are carried (or told elsewhere); whether any of them differs."""
        found = [n for n in self.changed.get(path, ()) if n in names]
        self._claimed |= {(path, n) for n in found}
        return bool(found)

    def claim_all(self, path: str) -> None:
        """Say that everything about a prim and below it is carried, or told elsewhere."""
        for other, names in self.changed.items():
            if other == path or other.startswith(path + "/"):
                self._claimed |= {(other, n) for n in names}
        self._claimed |= {(p, "") for p in (*self.added, *self.removed) if p == path or p.startswith(path + "/")}

    def unclaimed(self) -> list[tuple[str, str]]:
        """(path, what differs), sorted: all that nobody has claimed."""
        new = self._topmost(self.added, self.now)
        out = {(path, "is new") for path in new}
        out |= {(path, "was taken away") for path in self._topmost(self.removed, self.before)}
        for path, names in self.changed.items():
            left = sorted(n for n in names if (path, n) not in self._claimed)
            if still := [n for n in left if not n.endswith(ANIMATED)]:
                out.add((path, f"{_listed(still)} changed"))
            if moving := [n for n in left if n.endswith(ANIMATED)]:
                out.add((path, f"{_listed(moving)}: a scene stands still, so the value without a time counts"))
        for path in self.added:                # what was carried of a new prim is its value without a time
            prim = self.now.GetPrimAtPath(path)
            told = any(path == p or path.startswith(p + "/") for p in new)
            if not told and prim.IsActive() and (moving := [a.GetName() + ANIMATED for a in prim.GetAttributes() if _samples(a)]):
                out.add((path, f"{_listed(moving)}: a scene stands still, so the value without a time counts"))
        return sorted((path, what) for path, what in out if not path.startswith(EDITORS_OWN) and not _again(path, what, out))

    def _topmost(self, paths: Sequence[str], stage: Any) -> list[str]:
        """Those that nobody claims and that are in no other such; groups whose content is claimed say nothing themselves."""
        left = [p for p in paths if (p, "") not in self._claimed]
        groups = {p for p in left if stage.GetPrimAtPath(p).GetTypeName() in ("Xform", "Scope", "")}
        bare = {p for p in groups if any(q.startswith(p + "/") for q in paths)
                and not any(q.startswith(p + "/") for q in left if q not in groups)}
        left = [p for p in left if p not in bare]
        return [p for p in left if not any(p.startswith(q + "/") for q in left)]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}"


def _again(path: str, what: str, told: Container[tuple[str, str]]) -> bool:
    """Whether the same is told of the unit itself: every bench shows it."""
    _, product, below = path.partition("/Bench/Product")
    return bool(product) and (UNIT + below, what) in told


def _layers(stage: Any) -> dict[str, Any]:
    """The layers of a stage by their path in its folder; the root is "", whatever it is called."""
    root = Path(stage.GetRootLayer().realPath)
    files = {Path(a.realPath): a for a in stage.GetUsedLayers() if a.realPath}
    return {"" if f == root else f.relative_to(root.parent).as_posix(): a for f, a in files.items()}


def _touched(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[Any] | None:
    """Paths of specs that differ between layers as written and as they are; None: layers cannot be matched, so compare all."""
    if set(old) - set(new):
        return None
    out: set[Any] = set()
    for name, layer in new.items():
        before = old.get(name)
        if before is None:
            layer.Traverse("/", out.add)
        elif Path(before.realPath).read_bytes() != Path(layer.realPath).read_bytes():
            if set(new) == set(old) and list(before.subLayerPaths) != list(layer.subLayerPaths):
                return None                    # the same layers in another order
            _specs(before.pseudoRoot, layer.pseudoRoot, out)
    return out


def _specs(old: Any, new: Any, out: set[Any]) -> None:
    """Add the paths of prim specs that differ, those of their ancestors included."""
    if old.path.IsPrimPath() and old.GetAsText() == new.GetAsText():
        return
    out.add(new.path)
    for name, child in new.nameChildren.items():
        if name in old.nameChildren:
            _specs(old.nameChildren[name], child, out)
        else:
            child.layer.Traverse(child.path, out.add)
    for name, child in old.nameChildren.items():
        if name not in new.nameChildren:
            child.layer.Traverse(child.path, out.add)
    if not new.path.IsPrimPath():
        return
    for name, variants in new.variantSets.items():
        others = old.variantSets.get(name)
        for choice, variant in variants.variants.items():
            other = others.variants.get(choice) if others is not None else None
            if other is None:
                variant.layer.Traverse(variant.path, out.add)
            else:
                _specs(other.primSpec, variant.primSpec, out)
    for name, variants in old.variantSets.items():
        others = new.variantSets.get(name)
        for choice, variant in variants.variants.items():
            if others is None or choice not in others.variants:
                variant.layer.Traverse(variant.path, out.add)


def _unseen(touched: Set[Any], shown: Container[Any]) -> set[tuple[str, str]]:
    """(prim, "[set=choice] what is below it") of touched specs in variants that no prim is made of: not selected anywhere."""
    inside = {p.GetPrimOrPrimVariantSelectionPath() for p in touched if p.ContainsPrimVariantSelection()}
    above = {p.GetParentPath() for p in inside}
    out: set[tuple[str, str]] = set()
    for path in inside - above:
        for variant in path.GetPrefixes():
            if variant.IsPrimVariantSelectionPath() and variant.GetVariantSelection()[1] and variant not in shown:
                below = str(path).removeprefix(str(variant)).lstrip("/")
                name, choice = variant.GetVariantSelection()
                out.add((str(variant.StripAllVariantSelections()), f"[{name}={choice}] {below}".rstrip()))
                break
    return out


def _prims(stage: Any) -> dict[str, Any]:
    """All prims by path: also inactive ones and classes, but not what is inside instances (their prototypes are prims too)."""
    from pxr import Usd

    return {str(p.GetPath()): p for p in Usd.PrimRange(stage.GetPseudoRoot(), Usd.PrimAllPrimsPredicate) if not p.IsPseudoRoot()}


def _differing(old: Any, new: Any) -> set[str]:
    """Names of what differs between a prim then and now, as composed."""
    out: set[str] = set()
    for name in {*old.GetAuthoredPropertyNames(), *new.GetAuthoredPropertyNames()}:
        was, is_ = old.GetProperty(name), new.GetProperty(name)
        if _value(was) != _value(is_):
            out.add(name)
        if _samples(was) != _samples(is_):
            out.add(name + ANIMATED)
    for name, told in (("active", lambda p: p.IsActive()), ("type", lambda p: p.GetTypeName()),
                       ("specifier", lambda p: p.GetSpecifier()), ("schemas", lambda p: sorted(p.GetAppliedSchemas())),
                       ("instanceable", lambda p: p.IsInstanceable()), ("references", arcs), ("variants", variants_of)):
        if told(old) != told(new):
            out.add(f"[{name}]")
    before, after = ({k: v for k, v in p.GetAllAuthoredMetadata().items() if k not in SILENT | COMPOSED} for p in (old, new))
    return out | {f"[{k}]" for k in {*before, *after} if before.get(k) != after.get(k)}


def _value(found: Any) -> Any:
    """What a property says: its value at the default time and connections, or targets. None where it is not there."""
    from pxr import Usd

    if not found or not found.IsDefined():
        return None
    if isinstance(found, Usd.Relationship):
        return [str(p) for p in found.GetTargets()]
    links = [str(p) for p in found.GetConnections()]
    return [_plain(found.Get()), links]


def _samples(found: Any) -> list[Any]:
    """Times and values of an attribute that moves: how many, and the first thousand."""
    from pxr import Usd

    if not isinstance(found, Usd.Attribute) or not found.IsDefined():
        return []
    times = found.GetTimeSamples()
    return [len(times), [(t, _plain(found.Get(t))) for t in times[:1000]]] if times else []


def _plain(value: Any) -> Any:
    """Assets by what is written, whether or not a file is found there from this layer."""
    from pxr import Sdf

    if isinstance(value, Sdf.AssetPath):
        return value.path
    return [v.path for v in value] if isinstance(value, Sdf.AssetPathArray) else value


def arcs(prim: Any) -> list[str]:
    """Paths where a prim's references, payloads, inherits and specializes lead, strongest first."""
    from pxr import Pcp, Usd

    kinds = (Pcp.ArcTypeReference, Pcp.ArcTypePayload, Pcp.ArcTypeInherit, Pcp.ArcTypeSpecialize)
    found = Usd.PrimCompositionQuery(prim).GetCompositionArcs()
    return [str(arc.GetTargetNode().path) for arc in found if arc.GetArcType() in kinds]


def variants_of(prim: Any) -> dict[str, str]:
    """Variant set → its selection."""
    sets = prim.GetVariantSets()
    return {name: sets.GetVariantSelection(name) for name in sets.GetNames()}


__all__ = ["Changes", "arcs", "variants_of"]
