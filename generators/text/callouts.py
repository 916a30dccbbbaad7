"""callouts: what to say about a board's parts, and how leaders get from the labels to them without covering much.

Labels stand in two columns beside the board. Which label goes where is an assignment: the shortest leaders, with every
millimetre across another part counted many times; crossings are taken out by swapping.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment
from shapely.geometry.base import BaseGeometry

from generators.text.sheet import Point
from scenes.smt.state import Assembly

CalloutKind = Literal["part", "polarity", "hand", "hidden", "fiducial"]
COVER = 60.0                                   # a pixel of leader over another part costs as much as this many beside it
CROSS = 12000.0                                # and a crossing, or passing another one's target closely, as this many
NEAR = 30.0                                    # [px] closely


@dataclass(frozen=True)
class Subject:
    """Something worth a callout. ``target`` is in the board frame [m]: a mark, a dot, or the middle of a part's body."""
    kind: CalloutKind
    reference: str
    lines: tuple[str, ...]
    target: tuple[float, float]
    part: int                                  # index in the assembly, −1 for none


def pin_one(assembly: Assembly, part: int) -> tuple[float, float] | None:
    """Where the first terminal is, board frame [m]: pad "1", "A1", "K" or "+", else the first one; None without terminals."""
    terminals = assembly.packages[part].terminals
    if not terminals:
        return None
    first = next((t for name in ("1", "A1", "K", "+") for t in terminals if t.pad == name), terminals[0])
    x, y = on_board(assembly, part, [first.center])[0]
    return float(x), float(y)


def on_board(assembly: Assembly, part: int, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points of a part's package frame in the board frame [m], shape (N, 2)."""
    c, s = np.cos(assembly.angle[part]), np.sin(assembly.angle[part])
    return np.asarray(points, np.float64) @ np.array([[c, s], [-s, c]]) + assembly.position[part]


def subjects(assembly: Assembly, marks: Sequence[tuple[float, float] | None], rng: np.random.Generator,
             count: int) -> tuple[Subject, ...]:
    """Choose what to point at, in order: one of every kind that there is, then parts with many terminals rather than with few.

    ``marks`` are the drawn marks of the first terminals, board frame [m], one per part, None where there is none.
    """
    found: list[Subject] = []
    for i, (component, package) in enumerate(zip(assembly.components, assembly.packages, strict=True)):
        middle = on_board(assembly, i, [package.center])[0]
        at, name, pins = (float(middle[0]), float(middle[1])), package.name or package.kind, len(package.terminals)
        ref, first = component.reference, marks[i]
        kinds = {t.kind for t in package.terminals}
        pitch = f", {package.pitch * 1e3:.2f} mm" if package.pitch else ""
        if pins > 2:
            found.append(Subject("part", ref, (f"{ref}  {component.value}", f"{name}, {pins} pins{pitch}"), at, i))
        elif component.value:
            found.append(Subject("part", ref, (f"{ref}  {component.value}", name), at, i))
        if first is not None:
            found.append(Subject("polarity", ref, (f"{ref}  OBSERVE POLARITY", "terminal 1 is at the mark"), first, i))
        if "through" in kinds:
            found.append(Subject("hand", ref, (f"{ref}  THROUGH HOLE", "insert and solder after reflow"), at, i))
        if kinds & {"ball", "thermal"}:
            found.append(Subject("hidden", ref, (f"{ref}  HIDDEN JOINTS", "inspect by X-ray"), at, i))
    for f in assembly.board.fiducials:
        if f.side == "front":
            lines = ("FIDUCIAL", f"dot {f.diameter * 1e3:.2f} mm, keep clean")
            found.append(Subject("fiducial", f.reference, lines, (f.x, f.y), -1))
    weights = np.array([(len(assembly.packages[s.part].terminals) if s.part >= 0 else 4) ** 0.7 + 1 for s in found])
    order: list[int] = np.argsort(rng.exponential(1.0, len(found)) / weights).tolist() if found else []
    chosen: list[Subject] = []
    for kind in ("polarity", "hand", "hidden", "fiducial", "part"):       # one of each kind first
        chosen += [found[i] for i in order if found[i].kind == kind][:1]
    for i in order:
        if len(chosen) >= count:
            break
        if found[i] not in chosen and sum(s.reference == found[i].reference for s in chosen) == 0:
            chosen.append(found[i])
    return tuple(chosen[:count])


def covering(paths: np.ndarray, bodies: Sequence[BaseGeometry], own: Sequence[int]) -> np.ndarray:
    """Length of each leader that lies over other parts than its own, px.

    Args:
        paths: The leader of every callout from every port, LineStrings, px, shape (N, M).
        bodies: Outlines of all parts, px.
        own: The part that each callout means, −1 for none.
    """
    out = np.zeros(paths.shape)
    if len(bodies):
        tree, solid = shapely.STRtree(list(bodies)), np.array(bodies, dtype=object)
        for i in range(len(paths)):
            line, body = tree.query(paths[i], predicate="intersects")
            other = body != own[i]
            np.add.at(out[i], line[other], shapely.length(shapely.intersection(paths[i][line[other]], solid[body[other]])))
    return out


def conflicts(leaders: np.ndarray) -> np.ndarray:
    """Which pairs of leaders cross, or pass one another's target closely. Shape (N, N), every pair once."""
    out = shapely.intersects(leaders[:, None], leaders[None])
    out |= shapely.distance(leaders[:, None], shapely.get_point(leaders, -1)[None]) < NEAR
    pairs: np.ndarray = np.triu(out | out.T, 1)
    return pairs


def assign(paths: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Which port each leader begins at: N indices, all different. ``paths`` and ``covered`` (N, M) as in ``covering``, M ≥ N."""
    cost = shapely.length(paths) + COVER * covered
    port = linear_sum_assignment(cost)[1]

    def total(p: np.ndarray) -> float:
        rows = np.arange(len(p))
        return float(cost[rows, p].sum() + CROSS * conflicts(paths[rows, p]).sum())

    best, better = total(port), True
    while better:                                                         # the sum falls each time, so this ends
        better = False
        pairs = conflicts(paths[np.arange(len(port)), port])
        clash = (pairs | pairs.T).any(axis=0).tolist()
        free = sorted(set(range(paths.shape[1])) - set(port.tolist()))
        changes = [(i, j, port[j]) for i in range(len(port)) for j in range(i + 1, len(port))]
        changes += [(i, i, f) for i in range(len(port)) for f in free]
        for i, j, to in changes:                                          # i takes the port ``to``; j, who had it, that of i
            tried = port.copy()
            tried[j], tried[i] = port[i], to
            more = cost[i, to] + cost[j, tried[j]] - cost[i, port[i]] - cost[j, port[j]]
            if more >= (CROSS * len(port) if clash[i] or clash[j] else 0.0):
                continue
            if (value := total(tried)) < best - 1e-6:
                port, best, better = tried, value, True
                break
    return np.asarray(port)


def edge_point(body: BaseGeometry, start: Point, inset: float) -> Point:
    """Where a line from outside to the middle of a body comes in, and ``inset`` [px] further: there a leader ends."""
    middle = np.array(body.centroid.coords[0])
    way = shapely.LineString([start, middle]).intersection(body)
    a = np.array(way.coords[0])
    length = float(np.hypot(*(middle - a)))
    end = a + (middle - a) * min(inset / length, 1.0) if length else middle
    return float(end[0]), float(end[1])


def leader(port: Point, target: Point, inwards: float) -> tuple[Point, ...]:
    """A short level piece at the label, then straight to the target."""
    return (port, (port[0] + inwards, port[1]), target)


__all__ = ["CalloutKind", "Subject", "assign", "conflicts", "covering", "edge_point", "leader", "on_board", "pin_one", "subjects"]
