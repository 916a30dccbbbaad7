"""Materials of a stage as edits: rows of the table that changed, new ones, and who wears another one than it had."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scenes.edits import MaterialEdit, Paint
from scenes.materials import Material
from scenes.usd.changes import Changes
from scenes.usd.edited_parts import package, parts
from scenes.usd.names import LOOKS, MACHINES, PROTOTYPES, UNIT, prim_name
from scenes.usd.stations import Bench, benches, number

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
    for path, edit in _new(found, table):
        found.claim_all(path)
        if isinstance(edit, MaterialEdit):
            yield edit
        else:
            refused.append(f"{path}: is new and {edit}")


def _new(found: Changes, table: Sequence[Material]) -> Iterator[tuple[str, MaterialEdit | str]]:
    """Path of every new material, and its row; or why it cannot have one."""
    names = {m.name for m in table}
    worn = _worn(found)
    for path in [p for p in found.added if found.now.GetPrimAtPath(p).GetTypeName() == "Material"]:
        prim = found.now.GetPrimAtPath(path)
        values, name = _values(prim), name_of(prim)
        if name in names:
            yield path, f"called '{name}', as another one is; give it another name"
        elif path not in worn:
            yield path, "none of the board's parts wears it; bind it to one, or change the material that its meshes have"
        elif "base_color" not in values:
            yield path, "has no UsdPreviewSurface with a plain diffuseColor; give it one"
        elif worn[path] not in names:
            yield path, f"worn instead of '{worn[path]}', which is no material of the stage's table"
        else:
            names.add(name)
            yield path, MaterialEdit(name, like=worn[path], **values)


def paints(found: Changes, pairs: Sequence[tuple[Bench, Bench]], table: Sequence[Material],
           refused: list[str]) -> Iterator[Paint]:
    """Parts whose meshes wear another material than they had; each is told once, for all parts with the same change."""
    touched = [p for p, names in found.changed.items() if any(n.startswith(BINDING) for n in names)]
    touched += [p for p in found.added if p.startswith(tuple(b.product for _, b in pairs))]
    if not touched or not pairs:
        return
    known = {m.name for m in table} | {edit.name for _, edit in _new(found, table) if isinstance(edit, MaterialEdit)}
    whole = (UNIT, *(b.product for _, b in pairs))
    groups: dict[tuple[str, str], list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for before, now in pairs:
        for reference, was, is_ in _rebound(before, now):
            if (reference, was) in seen:
                continue
            seen.add((reference, was))
            if is_ in known:
                groups.setdefault((was, is_), []).append(reference)
            else:
                refused.append(f"{now.product}/Parts: {reference} wears '{is_}', which is no material of the stage's table; give "
                               "it one that is, or a new one with a UsdPreviewSurface")
    for path in touched:
        inside = path.startswith((PROTOTYPES + "/", UNIT + "/Parts", *(f"{b.product}/Parts" for _, b in pairs)))
        if path in whole and (path == UNIT or UNIT not in touched):
            refused.append(f"{path}: wears another material with all that is below; its parts wear it, while board, solder and "
                           "films keep theirs")
        if (inside and not path.startswith(MACHINES)) or path in whole:
            found.claim(path, *[n for n in found.changed.get(path, ()) if n.startswith(BINDING)], "[schemas]")
    for (was, is_), references in groups.items():
        yield Paint(tuple(references), was, is_)


def _rebound(before: Bench, now: Bench) -> Iterator[tuple[str, str, str]]:
    """(reference, material that a mesh was written with, material that it wears now) of every part's mesh that differs; a new
    part is compared with its package."""
    were = parts(before)
    for reference, path in parts(now).items():
        prim = now.stage.GetPrimAtPath(path)
        then = before.stage.GetPrimAtPath(were.get(reference, f"{PROTOTYPES}/{prim_name(package(prim))}"))
        old = {p.GetName(): p for p in _meshes(then)} if then else {}
        for mesh in _meshes(prim):
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
    """Path of a new material → name of the material that it came instead of, by the first part's mesh that it is bound to, by
    itself or through a prim above it in the part."""
    out: dict[str, str] = {}
    new = {p for p in found.added if found.now.GetPrimAtPath(p).GetTypeName() == "Material"}
    if not new:
        return out
    units = (UNIT, *(b.product for b in benches(found.before).values()))
    inside = (PROTOTYPES + "/", *(f"{unit}/Parts/" for unit in units))
    for path in [*found.changed, *found.added]:
        if path in units or path in {f"{unit}/Parts" for unit in units}:
            start = path if path.endswith("/Parts") else f"{path}/Parts"
        elif path.startswith(inside) and not path.startswith(MACHINES):
            start = path
        else:
            continue
        then = found.before.GetPrimAtPath(start)
        if not then:                           # a new part: its package has the meshes
            then = found.before.GetPrimAtPath(f"{PROTOTYPES}/{prim_name(package(found.now.GetPrimAtPath(path)))}")
        for relation in found.now.GetPrimAtPath(path).GetRelationships():
            if not relation.GetName().startswith(BINDING):
                continue
            for target in map(str, relation.GetTargets()):
                mesh = next(_meshes(then), None) if then and target in new and target not in out else None
                if mesh is not None:
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
