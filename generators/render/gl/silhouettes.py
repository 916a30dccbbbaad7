"""Amodal masks: what a thing would cover with everything else taken away."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from generators.render.gl.store import ID_LIMIT, GeometryOnCard
from scenes.geometry import BOARD_ID
from scenes.optics import Camera

_MARGIN = 2                                    # [px] between things that share a pass


def boxes(card: GeometryOnCard, camera: Camera, ids: Sequence[int]) -> dict[int, tuple[float, float, float, float]]:
    """Image boxes (x0, y0, x1, y1) [px] that hold each id; ids that the geometry does not have are left out."""
    points: dict[int, list[NDArray[np.float64]]] = {}
    wanted = np.unique(np.asarray(ids, np.uint32))
    for group in card.groups:
        asked = np.flatnonzero(np.isin(group.rows["instance"], wanted))
        if not len(asked):
            continue
        low, high = group.mesh.vertices.min(axis=0), group.mesh.vertices.max(axis=0)
        corners = np.where(np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], bool), high, low)
        for row in asked:
            pose = group.rows["pose"][row].reshape(3, 4).astype(np.float64)
            points.setdefault(int(group.rows["instance"][row]), []).append(corners @ pose[:, :3].T + pose[:, 3])
    soup, decals = card.source.soup, card.source.decals
    if len(soup.instance):
        held = np.flatnonzero(np.isin(soup.instance, wanted))
        order = held[np.argsort(soup.instance[held], kind="stable")]
        starts = np.flatnonzero(np.diff(soup.instance[order], prepend=np.uint32(0)))
        for chunk in np.split(order, starts)[1:] if len(order) else []:
            points.setdefault(int(soup.instance[chunk[0]]), []).append(soup.vertices[chunk].astype(np.float64))
    for decal in decals:
        if decal.instance in wanted:
            x0, y0, x1, y1 = decal.outline.bounds
            points.setdefault(decal.instance, []).append(np.array([(x, y, 0.0) for x in (x0, x1) for y in (y0, y1)]))
    if BOARD_ID in wanted:
        points.setdefault(BOARD_ID, []).append(card.source.slab.mesh.vertices.astype(np.float64))
    out = {}
    for key, parts in points.items():
        pixels = camera.project(np.concatenate(parts))
        out[key] = (*pixels.min(axis=0), *pixels.max(axis=0))
    return out


def rounds(places: dict[int, tuple[float, float, float, float]]) -> list[list[int]]:
    """Sort the ids into few rounds, in each of which no two boxes meet. The order of ids decides, nothing else."""
    out: list[tuple[list[int], NDArray[np.float64]]] = []
    for key in sorted(places):
        x0, y0, x1, y1 = places[key]
        box = np.array([[x0 - _MARGIN, y0 - _MARGIN, x1 + _MARGIN, y1 + _MARGIN]])
        for number, (members, taken) in enumerate(out):
            clear = (taken[:, 0] > box[0, 2]) | (taken[:, 2] < box[0, 0]) | (taken[:, 1] > box[0, 3]) | (taken[:, 3] < box[0, 1])
            if clear.all():
                members.append(key)
                out[number] = (members, np.concatenate([taken, box]))
                break
        else:
            out.append(([key], box))
    return [members for members, _ in out]


def silhouettes(draw: Callable[[NDArray[np.uint32], NDArray[np.uint32]], None], card: GeometryOnCard, camera: Camera,
                ids: Sequence[int]) -> dict[int, NDArray[np.bool_]]:
    """``draw(ids, out)`` draws those things alone and reads their tags.

    Per id the pixels that it covers alone, bool (H, W); all False for an id that is not there or not in the picture."""
    out = {int(i): np.zeros((camera.height, camera.width), bool) for i in ids}
    places = {key: box for key, box in boxes(card, camera, list(out)).items()
              if box[2] > 0 and box[3] > 0 and box[0] < camera.width and box[1] < camera.height}
    tags = np.empty((camera.height, camera.width), np.uint32)
    for members in rounds(places):
        draw(np.array(members, np.uint32), tags)
        for key in members:
            x0, y0, x1, y1 = places[key]
            cut = np.s_[max(int(y0) - 1, 0):int(y1) + 2, max(int(x0) - 1, 0):int(x1) + 2]
            out[key][cut] = (tags[cut] & np.uint32(ID_LIMIT - 1)) == key
    return out


__all__ = ["boxes", "rounds", "silhouettes"]
