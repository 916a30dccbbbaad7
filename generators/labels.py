"""The labels of one frame: which pixels belong to which finding, seen and unseen.

Masks are canonical (``generators.masks``, whose run-length functions are re-exported here); a label says nothing that
the geometry pass did not show.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from generators.dataset.sample import Instance
from generators.imaging.recording import shown_at
from generators.masks import Box, Mask, Rle, box, id_boxes, rasterise, rle_area, rle_box, rle_counts, rle_decode, rle_encode
from generators.render.protocol import Buffers, Renderer
from scenes.errors import InvariantError
from scenes.family import Finding, Taxonomy
from scenes.geometry import BOARD_ID, Geometry, PartKind
from scenes.optics import Camera

_SURFACE = (PartKind.BOARD, PartKind.PAD, PartKind.PASTE)


def label_frame(frame_index: int, findings: Sequence[Finding], buffers: Buffers, geometry: Geometry, camera: Camera,
                renderer: Renderer, taxonomy: Taxonomy, *, modality: str = "rgb") -> tuple[Instance, ...]:
    """What one camera can say about each finding of a unit.

    Visible are the pixels of the finding's instances, and inside its ``region`` those that show the board itself (lacquer,
    lands, solder on an empty land). Amodal adds the silhouettes of its instances and the whole region. A part that is as
    it should be is only looked for, never searched behind others: its amodal mask is its visible one. A finding that has
    no pixel in this frame, not even a hidden one, is left out.

    A defect that physics hides from ``modality`` (``Defect.hidden_from``: a void inside a ball) has no visible pixel,
    whatever of its host can be seen.

    Raises:
        InvariantError: the instance or the part buffer is missing.
    """
    ids, part = buffers.instance, buffers.part
    if ids is None or part is None:
        raise InvariantError(f"frame {frame_index}: labels need the instance and part buffers; render them")
    boxes = id_boxes(ids)
    defects = {d.name: d for d in taxonomy.defects}
    hidden_ids = sorted({i for f in findings if f.defect for i in f.instances})
    outlines = _silhouettes(hidden_ids, boxes, geometry, camera, renderer)
    result = []
    for finding in findings:
        defect = defects.get(finding.defect)
        land = rasterise(finding.region, camera) if finding.region is not None else None
        visible = _visible(finding, ids, part, boxes, land)
        amodal = visible
        if finding.defect:
            amodal = visible.copy()
            for i in finding.instances:
                if i in outlines:
                    amodal |= outlines[i]
            if land is not None:
                (x, y, w, h), inside = land
                amodal[y:y + h, x:x + w] |= inside
        if defect is not None and modality in defect.hidden_from:
            visible = np.zeros_like(amodal)
        if not amodal.any():
            continue
        result.append(Instance(
            frame_index, finding.category, finding.defect, finding.host, tuple(finding.pads), float(finding.severity),
            defect.severity_unit if defect else "", visible, amodal, not visible.any(), finding.rule, dict(finding.measured),
            tuple(finding.instances)))
    return tuple(result)


def _visible(finding: Finding, ids: NDArray[np.uint32], part: NDArray[np.uint16], boxes: Mapping[int, tuple[slice, slice]],
             land: tuple[Box, Mask] | None) -> Mask:
    mask = np.zeros(ids.shape, np.bool_)
    for i in finding.instances:
        if i in boxes:
            mask[boxes[i]] |= ids[boxes[i]] == i
    if land is not None:
        (x, y, w, h), inside = land
        where = (slice(y, y + h), slice(x, x + w))
        shows = ids[where] == BOARD_ID
        for kind in _SURFACE:
            shows |= part[where] == kind
        mask[where] |= inside & shows
    return mask


def _silhouettes(wanted: Sequence[int], boxes: Mapping[int, tuple[slice, slice]], geometry: Geometry, camera: Camera,
                 renderer: Renderer) -> dict[int, Mask]:
    """Amodal masks of those ids that can touch this frame at all, in one call."""
    seen = [i for i in wanted if i in boxes]
    near = sorted([*seen, *in_frame([i for i in wanted if i not in boxes], geometry, camera)])
    return renderer.silhouettes(geometry, camera, near) if near else {}


def in_frame(wanted: Sequence[int], geometry: Geometry, camera: Camera) -> list[int]:
    """Which ids have a bounding box that meets the image. Spares drawing what lies in other tiles."""
    if not wanted:
        return []
    index = np.full(max(wanted) + 1, -1, np.int64)
    index[list(wanted)] = np.arange(len(wanted))
    owners: list[NDArray[np.int64]] = []
    points: list[NDArray[np.float64]] = []

    def add(instance: NDArray[np.integer], corners: NDArray[np.floating]) -> None:
        """instance (N,), corners (N, 3)"""
        known = instance < len(index)
        owner = np.where(known, index[np.where(known, instance, 0)], -1)
        keep = owner >= 0
        owners.append(owner[keep])
        points.append(corners[keep].astype(np.float64))

    corner = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], np.float64)
    for group in geometry.instances:
        small = group.instance[group.instance < len(index)]
        if not (index[small] >= 0).any():
            continue
        low, high = group.mesh.vertices.min(axis=0), group.mesh.vertices.max(axis=0)
        local = np.column_stack([low + corner * (high - low), np.ones(8)])
        world = np.einsum("nij,kj->nki", group.pose, local)[..., :3]
        add(np.repeat(group.instance.astype(np.int64), 8), world.reshape(-1, 3))
    add(geometry.soup.instance.astype(np.int64), geometry.soup.vertices)
    for decal in geometry.decals:
        x0, y0, x1, y1 = decal.outline.bounds
        flat = np.array([[x0, y0, 0], [x1, y0, 0], [x0, y1, 0], [x1, y1, 0]])
        add(np.full(4, decal.instance, np.int64), flat)
    owner, point = np.concatenate(owners), np.concatenate(points)
    if not len(owner):
        return []
    pixel = shown_at(camera, point)
    low = np.full((len(wanted), 2), np.inf)
    high = np.full((len(wanted), 2), -np.inf)
    np.minimum.at(low, owner, pixel)
    np.maximum.at(high, owner, pixel)
    meets = (high[:, 0] >= 0) & (high[:, 1] >= 0) & (low[:, 0] <= camera.width) & (low[:, 1] <= camera.height)
    return [i for i, hit in zip(wanted, meets, strict=True) if hit]


__all__ = ["Box", "Mask", "Rle", "box", "id_boxes", "in_frame", "label_frame", "rasterise", "rle_area", "rle_box", "rle_counts",
           "rle_decode", "rle_encode"]
