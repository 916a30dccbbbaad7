"""Describe: from a footprint to a package with true dimensions and terminals.

The name decides where it can, the pads' pattern where it must; what neither explains becomes a labelled box
(``source`` "box"), which callers count. Terminals always come from the pads that are really there, so a joint can be
found for each of them; their size is the package's own, clipped to what the name says.

A BGA's package frame starts where its undeformed balls end; ``UnitState.standoff`` is its collapsed balls' height. The
balls are joints, not part of the package's mesh, whose substrate floats one ball diameter above the seating plane.
``body`` is without balls.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scenes.board.model import Component
from scenes.parts.chips import array, chip, diode, electrolytic, ends, inductor, tantalum
from scenes.parts.contacts import Contact, contacts, extent, levels, pitch, rows_axis, split_thermal
from scenes.parts.housings import generic, pins
from scenes.parts.leaded import bga, corner_bottom, crystal, gullwing, leadless
from scenes.parts.model import Package
from scenes.parts.names import MM, Hint, recognise
from scenes.parts.packages import DENSITY, finish


def describe(component: Component, *, models: Sequence[Path] = ()) -> Package:
    """The package of a component whose side is the front.

    Args:
        component: From a board already seen from the component's side.
        models: Folders in which a STEP model that the board names may be looked for. Used only for parts whose body
            neither name nor pads describe well (connectors, modules, boxes); chips and ICs are parametric.

    Returns:
        A package; ``source`` "box" where it is a labelled box.
    """
    items = contacts(component)
    if not items:
        return finish(Hint("box", component.package[:24]), (1e-3, 1e-3, 0.5e-3), (0.0, 0.0), (), "box", component, ())
    hint = recognise(component.package)
    package = chip(component, items, hint) or tantalum(component, items) or (_by_hint(component, items, hint) if hint else None)
    package = package or _by_pads(component, items)
    if models and package.kind in ("connector", "module", "box", "header", "button", "inductor"):
        package = _with_model(package, component, models)
    return package


def _by_hint(component: Component, items: tuple[Contact, ...], hint: Hint) -> Package | None:
    kind = hint.kind
    if kind in ("sod", "sma"):
        return diode(component, items, hint, "name") if len(items) == 2 else None
    if kind == "melf":
        if len(items) != 2:
            return None
        length, diameter, _ = hint.body
        package = ends(
            component, items, "chip_diode", hint.name, (length, diameter, diameter, diameter), 0.12 * length + 0.1 * MM, "name"
        )
        return replace(
            package,
            kind="melf",
            body=(*package.body[:2], diameter),
            mass=DENSITY["melf"] * length * diameter**2 * 0.785,
            terminals=tuple(replace(t, height=diameter, size=(t.size[0], diameter)) for t in package.terminals),
        )
    if kind in ("sot", "soic", "tssop", "qfp"):
        return gullwing(component, items, hint, "name")
    if kind in ("qfn", "dfn"):
        return leadless(component, items, hint, "name")
    if kind == "bga":
        return bga(component, items, hint, "name")
    if kind == "chip_led":
        return corner_bottom(component, items, hint, 0.35)
    if kind == "crystal":
        return crystal(component, items, hint)
    if kind == "resistor_array":
        return array(component, items, hint)
    if kind in ("electrolytic_can", "electrolytic_radial"):
        return electrolytic(component, items, hint)
    if kind == "inductor":
        return inductor(component, items, hint)
    return generic(component, items, hint, "name")


def _by_pads(component: Component, items: tuple[Contact, ...]) -> Package:
    """What the pattern of pads says when the name says nothing."""
    count, box = len(items), extent(items)
    around, exposed = split_thermal(items)
    if (
        all(a.kind == "through" for a in items)
        and count >= 2
        and (levels([a.x for a in items]) <= 2 or levels([a.y for a in items]) <= 2)
    ):
        package = generic(component, items, Hint("header", "header"), "pads")
        if package:
            return package
    if count >= 9 and all(a.round for a in items) and levels([a.x for a in items]) >= 3 and levels([a.y for a in items]) >= 3:
        package = bga(component, items, Hint("bga", f"BGA-{count}", (0, 0, 0.9 * MM)), "pads")
        if package:
            return package
    if len(around) >= 6 and all(a.kind == "smd" for a in around):
        step, long = pitch(around), sorted(max(a.ex, a.ey) for a in around)[len(around) // 2]
        nx, ny = levels([a.x for a in around]), levels([a.y for a in around])
        two_rows = min(nx, ny) == 2
        if two_rows and long >= 1.2 * MM and len(around) % 2 == 0:
            width = (box.size[0] if rows_axis(around) == "x" else box.size[1]) - 2 * long - 0.2 * MM
            if width > 0.8 * MM:
                span = width + 2 * long * 0.8
                hint = Hint("soic" if step > 1.0 * MM else "tssop", f"SO-{len(around)}", (0, width, 1.2 * MM), span, 0.45 * long,
                            (0.4 * step, 0.17 * MM), step)
                return gullwing(component, items, hint, "pads") or _box(component, items)
        if len(around) >= 12 and not two_rows and long >= 1.2 * MM:
            return gullwing(component, items, Hint("qfp", f"QFP-{len(around)}", (0, 0, 1.2 * MM), foot=0.6 * MM,
                                                    lead=(0.45 * step, 0.13 * MM), pitch=step), "pads") or _box(component, items)
        if exposed or not two_rows:
            return leadless(
                component, items, Hint("dfn" if two_rows else "qfn", f"QFN-{len(around)}", (0, 0, 0.85 * MM), pitch=step), "pads"
            ) or _box(component, items)
    return _box(component, items)


def _box(component: Component, items: tuple[Contact, ...]) -> Package:
    box = extent(items)
    hint = Hint("box", component.package[:24])
    w, h = max(0.9 * box.size[0], 0.5 * MM), max(0.9 * box.size[1], 0.5 * MM)
    return pins(component, items, replace(hint, body=(w, h, max(0.3 * MM, 0.35 * min(w, h)))), box.center, "box")


def _with_model(package: Package, component: Component, models: Sequence[Path]) -> Package:
    """``package`` with the STEP model that the board names, where one of ``models`` holds it."""
    from scenes.cad import find_model
    from scenes.parts.step import usable

    for item in component.models:
        path = find_model(item.path, models, place=f"footprint {component.reference}")
        if path is None:
            continue
        numbers = dict(zip(("mox", "moy", "moz", "mrx", "mry", "mrz", "msx", "msy", "msz"),
                           (*item.offset, *item.rotation, *item.scale), strict=True))
        found = replace(package, model=str(path), source="step", dims={**package.dims, **numbers})
        if usable(found):
            return found
    return package


__all__ = ["describe"]
