"""Amodal masks: what a thing would cover with everything else taken away."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from generators.masks import Piece
from generators.render.gl.store import ID_LIMIT, GeometryOnCard
from generators.render.view import outlines, spans
from scenes.geometry import BOARD_ID
from scenes.optics import Camera

_MARGIN = 2                                    # [px] between things that share a pass


def boxes(card: GeometryOnCard, camera: Camera, ids: Sequence[int]) -> dict[int, tuple[float, float, float, float]]:
    """Image boxes (x0, y0, x1, y1) [px] that hold each id; ids that the geometry does not have are left out."""
    wanted = sorted({int(i) for i in ids})
    owner, point = outlines(wanted, card.source)
    if BOARD_ID in wanted:
        slab = card.source.slab.mesh.vertices.astype(np.float64)
        owner, point = np.append(owner, np.full(len(slab), wanted.index(BOARD_ID))), np.concatenate([point, slab])
    low, high = spans(owner, camera.project(point), len(wanted))
    return {key: (*a, *b) for key, a, b in zip(wanted, low.tolist(), high.tolist(), strict=True) if a[0] <= b[0]}


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
                ids: Sequence[int]) -> dict[int, Piece]:
    """``draw(ids, out)`` draws those things alone and reads their tags.

    Per id the pixels that it covers alone, without the ids that cover none."""
    out = {}
    places = {key: box for key, box in boxes(card, camera, ids).items()
              if box[2] > 0 and box[3] > 0 and box[0] < camera.width and box[1] < camera.height}
    tags = np.empty((camera.height, camera.width), np.uint32)
    for members in rounds(places):
        draw(np.array(members, np.uint32), tags)
        for key in members:
            x0, y0, x1, y1 = places[key]
            left, above = max(int(x0) - 1, 0), max(int(y0) - 1, 0)
            inside = (tags[above:int(y1) + 2, left:int(x1) + 2] & np.uint32(ID_LIMIT - 1)) == key
            if inside.any():
                out[key] = (left, above, inside.shape[1], inside.shape[0]), inside
    return out


__all__ = ["boxes", "rounds", "silhouettes"]
