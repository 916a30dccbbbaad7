"""Materials of a stage as edits: rows of the table that changed, new ones, and who wears another one than it had."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scenes.edits import MaterialEdit, Paint
from scenes.materials import Material
from scenes.usd.changes import Changes
from scenes.usd.edited_parts import parts
from scenes.usd.names import LOOKS, PROTOTYPES, UNIT
from scenes.usd.stations import Bench, number

SURFACE = {"base_color": "diffuseColor", "metallic": "metallic", "roughness": "roughness"}
THERMAL = ("conductivity", "specific_heat", "density", "emissivity")
XRAY = ("twin:xray:elements", "twin:xray:mass_fractions")
BINDING = "material:binding"

# what a picture does not take from the table, and where it takes it from instead
_LOOK = "the recipe's section 'look' decides it in colour pictures"
ELSEWHERE = {
    **{(name, value): _LOOK for name in ("solder_mask", "silkscreen", "fr4") for value in SURFACE},
    **{(name, "roughness"): f"of exposed pads {_LOOK}" for name in ("gold_enig", "copper", "tin")},
    ("solder_sac305", "roughness"): f"of joints the process and {_LOOK}",
}
for _name in ("solder_mask", "silkscreen"):
    for _value in ("conductivity", "specific_heat", "density"):
        ELSEWHERE[_name, _value] = "no heat flow and no X-ray path is worked out for it"


def material_edits(found: Changes, table: Sequence[Material], refused: list[str]) -> Iterator[MaterialEdit]:
    """Rows that changed, and materials that are new and worn by something.

    Args:
        table: The materials that the stage was written with.
    """
    names = {m.name for m in table}
    for path in sorted({_material_path(p) for p in found.changed if p.startswith(LOOKS + "/")}):
        old, new = found.before.GetPrimAtPath(path), found.now.GetPrimAtPath(path)
        name = name_of(old)
        values = _values(new)
        was = _values(old)
        differing = {k: v for k, v in values.items() if v != was.get(k)}
        if not differing:
            continue
        if name not in names:
            refused.append(f"{path}: {', '.join(differing)} changed; no sample shows this material")
            _claim(found, path)
            continue
        _claim(found, path)
        for value in list(differing):
            if why := ELSEWHERE.get((name, value)):
                refused.append(f"{path}: {value} changed; {why}")
                if why.startswith((_LOOK, "no heat")) and value != "density":
                    del differing[value]
        if differing:
            yield MaterialEdit(name, **differing)
    worn = _worn(found)
    for path in [p for p in found.added if found.now.GetPrimAtPath(p).GetTypeName() == "Material"]:
        prim = found.now.GetPrimAtPath(path)
        found.claim_all(path)
        values, name = _values(prim), name_of(prim)
        if name in names:
            refused.append(f"{path}: is new and called '{name}', as one of the table is; give it another name")
        elif path not in worn:
            refused.append(f"{path}: is new and nothing wears it; bind it to a part, or change the material that its meshes have")
        elif "base_color" not in values:
            refused.append(f"{path}: is new and has no UsdPreviewSurface with a plain diffuseColor; give it one")
        else:
            yield MaterialEdit(name, like=worn[path], **values)


def paints(found: Changes, pairs: Sequence[tuple[Bench, Bench]], table: Sequence[Material],
           refused: list[str]) -> Iterator[Paint]:
    """Parts whose meshes wear another material than they had; each is told once, for all parts with the same change."""
    touched = [p for p, names in found.changed.items() if any(n.startswith(BINDING) for n in names)]
    touched += [p for p in found.added if p.startswith(tuple(b.product for _, b in pairs))]
    if not touched or not pairs:
        return
    added = {name_of(found.now.GetPrimAtPath(p)) for p in found.added if found.now.GetPrimAtPath(p).GetTypeName() == "Material"}
    known = {m.name for m in table} | added
    groups: dict[tuple[str, str], list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for before, now in pairs:
        for reference, was, is_ in _rebound(before, now):
            if is_ not in known:
                refused.append(f"{now.product}/Parts: {reference} wears '{is_}', which is no material of the stage's table")
            elif (reference, was) not in seen:
                seen.add((reference, was))
                groups.setdefault((was, is_), []).append(reference)
    for path in touched:
        inside = path.startswith((PROTOTYPES + "/", UNIT + "/Parts", *(f"{b.product}/Parts" for _, b in pairs)))
        if inside or path in (UNIT, *(b.product for _, b in pairs)):
            found.claim(path, *[n for n in found.changed.get(path, ()) if n.startswith(BINDING)], "[schemas]")
    for (was, is_), references in groups.items():
        yield Paint(tuple(references), was, is_)


def _rebound(before: Bench, now: Bench) -> Iterator[tuple[str, str, str]]:
    """(reference, material that a mesh was written with, material that it wears now) of every part's mesh that differs."""
    there = parts(now)
    for reference, path in parts(before).items():
        if reference not in there:
            continue
        old = {p.GetName(): p for p in _meshes(before.stage.GetPrimAtPath(path))}
        for mesh in _meshes(now.stage.GetPrimAtPath(there[reference])):
            was = old.get(mesh.GetName())
            if was is not None and (a := bound(was)) != (b := bound(mesh)):
                yield reference, a, b


def _meshes(prim: Any) -> Iterator[Any]:
    from pxr import Usd

    for item in Usd.PrimRange(prim, Usd.TraverseInstanceProxies(Usd.PrimAllPrimsPredicate)):
        if item.GetTypeName() == "Mesh":
            yield item


def bound(mesh: Any) -> str:
    """Name of the material that a mesh wears, or ""."""
    from pxr import UsdShade

    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    return name_of(material.GetPrim()) if material else ""


def name_of(prim: Any) -> str:
    """A material's name in the table: what it says itself, unless another prim says the same (a copy), or its prim's name."""
    told = prim.GetAttribute("twin:material")
    if not told or not told.Get():
        return str(prim.GetName())
    name = str(told.Get())
    original = prim.GetParent().GetChild(name) if prim.GetName() != name else None
    return str(prim.GetName()) if original and original.GetPath() != prim.GetPath() else name


def _worn(found: Changes) -> dict[str, str]:
    """Path of a new material → name of the material that it came instead of, by the first mesh whose prim or parent binds it."""
    out: dict[str, str] = {}
    new = {p for p in found.added if found.now.GetPrimAtPath(p).GetTypeName() == "Material"}
    if not new:
        return out
    for path in [*found.changed, *found.added]:
        prim = found.now.GetPrimAtPath(path)
        for relation in prim.GetRelationships():
            if not relation.GetName().startswith(BINDING):
                continue
            for target in map(str, relation.GetTargets()):
                then = found.before.GetPrimAtPath(path)
                mesh = next(_meshes(then), None) if then else None
                if target in new and target not in out and mesh is not None:
                    out[target] = bound(mesh)
    return out


def _material_path(path: str) -> str:
    return "/".join(path.split("/")[:4])


def _claim(found: Changes, path: str) -> None:
    surface = [f"inputs:{n}" for n in SURFACE.values()]
    for other in [p for p in found.changed if p == path or p.startswith(path + "/")]:
        found.claim(other, *surface, *XRAY, *(f"twin:thermal:{n}" for n in THERMAL), "physics:density")


def _values(prim: Any) -> dict[str, Any]:
    """What a material prim says in a table's terms; what it does not say is left out."""
    from pxr import UsdShade

    out: dict[str, Any] = {}
    if not prim or prim.GetTypeName() != "Material":
        return out
    surface = UsdShade.Material(prim).ComputeSurfaceSource()[0]
    if surface and surface.GetIdAttr().Get() == "UsdPreviewSurface":
        for name, told in SURFACE.items():
            found = surface.GetInput(told)
            value = found.Get() if found else None
            if value is None or (name == "base_color" and found.HasConnectedSource()):
                continue
            out[name] = tuple(number(v) for v in value) if name == "base_color" else number(value)
    for name in THERMAL:
        value = prim.GetAttribute(f"twin:thermal:{name}")
        if value and value.Get() is not None:
            out[name] = float(value.Get())
    elements, shares = (prim.GetAttribute(n) for n in XRAY)
    if elements and shares and elements.Get() and shares.Get() and len(elements.Get()) == len(shares.Get()):
        out["composition"] = tuple(zip(map(str, elements.Get()), map(float, shares.Get()), strict=True))
    return out


__all__ = ["bound", "material_edits", "name_of", "paints"]
