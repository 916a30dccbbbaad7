"""The labels of an X-ray frame. X-rays see through, so nothing hides behind anything: what is seen of a thing is its shadow.

A defect that physics hides from X-rays (``Defect.hidden_from``: a film of flux, a scratch in the lacquer) has no visible
pixel. The gas in a ball is not the ball: the mask of a void is the shadow of its bubbles.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generators.dataset.sample import Instance
from generators.masks import Piece, pasted, rasterise
from generators.render.protocol import Renderer
from scenes.family import Finding, Taxonomy
from scenes.geometry import Geometry, Voids
from scenes.optics import Camera

F64 = NDArray[np.float64]

MODALITY = "xray"
VOID = "bga_void"                              # the defect whose mask is its bubbles


def label_xray(frame_index: int, findings: Sequence[Finding], geometry: Geometry, camera: Camera, renderer: Renderer,
               taxonomy: Taxonomy) -> tuple[Instance, ...]:
    """What an X-ray picture can say about each finding of a unit.

    Visible and amodal are the shadows of the finding's instances and, where it has one, its region (the lands of a missing
    part); visible is empty where physics hides the defect from X-rays. A finding without a pixel in this frame is left out.
    """
    defects = {d.name: d for d in taxonomy.defects}
    solid = sorted({i for f in findings for i in f.instances if f.defect != VOID})
    shadows = renderer.silhouettes(geometry, camera, solid) if solid else {}
    result = []
    for finding in findings:
        defect = defects.get(finding.defect)
        land = rasterise(finding.region, camera) if finding.region is not None else None
        pieces = [land] if land is not None else []
        if finding.defect == VOID:
            pieces += bubbles(geometry.voids, finding.instances, camera)
        else:
            pieces += [shadows[i] for i in finding.instances if i in shadows]
        if not pieces:
            continue                           # most are in other tiles: no picture-sized mask for them
        mask, within = pasted(pieces, (camera.height, camera.width))
        if within is None:
            continue
        hidden = defect is not None and MODALITY in defect.hidden_from
        result.append(Instance(
            frame_index, finding.category, finding.defect, finding.host, tuple(finding.pads), float(finding.severity),
            defect.severity_unit if defect else "", np.zeros_like(mask) if hidden else mask, mask, hidden, finding.rule,
            dict(finding.measured), tuple(finding.instances), within))
    return tuple(result)


def bubbles(voids: Voids | None, instances: Sequence[int], camera: Camera) -> list[Piece]:
    """The shadows of the voids in these bodies: pixels whose ray, through the centre, runs through a bubble."""
    pieces: list[Piece] = []
    if voids is None:
        return pieces
    for k in np.flatnonzero(np.isin(voids.instance, np.asarray(instances, np.uint32))).tolist():
        center, radius = voids.center[k], float(voids.radius[k])
        corners = center + radius * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        pixel = camera.project(corners)
        x0, y0 = np.maximum(np.floor(pixel.min(axis=0)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(pixel.max(axis=0)).astype(int), (camera.width, camera.height))
        if x0 < x1 and y0 < y1:
            within = int(x0), int(y0), int(x1 - x0), int(y1 - y0)
            pieces.append((within, _miss(center, camera, np.arange(x0, x1), np.arange(y0, y1)) < radius))
    return pieces


def _miss(center: F64, camera: Camera, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> F64:
    """Distance of the rays through the pixels' centres from a point [m], (rows, columns)."""
    x = (columns + 0.5 - camera.width / 2) * camera.pixel_size
    y = (camera.height / 2 - rows - 0.5) * camera.pixel_size
    px, py, pz = (camera.view() @ [*center, 1.0])[:3]
    x, y = np.broadcast_arrays(x[None], y[:, None])
    if camera.model == "telecentric":
        return np.hypot(x - px, y - py)
    z = -camera.distance                       # the eye is the origin: |p × r| / |r|
    cross = np.stack([py * z - pz * y, pz * x - px * z, px * y - py * x])
    return np.asarray(np.sqrt((cross**2).sum(axis=0) / (x * x + y * y + z * z)))


__all__ = ["MODALITY", "VOID", "bubbles", "label_xray"]
