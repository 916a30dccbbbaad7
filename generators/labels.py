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
from generators.masks import (
    Box,
    Mask,
    Piece,
    Rle,
    box,
    id_boxes,
    pasted,
    rasterise,
    rle_area,
    rle_box,
    rle_counts,
    rle_decode,
    rle_encode,
)
from generators.render.protocol import Buffers, Renderer
from generators.render.view import outlines, spans
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
    whole = _silhouettes(hidden_ids, boxes, geometry, camera, renderer)
    result = []
    for finding in findings:
        defect = defects.get(finding.defect)
        land = rasterise(finding.region, camera) if finding.region is not None else None
        seen = _visible(finding, ids, part, boxes, land)
        alone = [whole[i] for i in finding.instances if i in whole] + ([land] if land is not None else [])
        pieces = seen + alone if finding.defect else seen
        if not pieces:
            continue                           # most are in other tiles: no picture-sized masks for them
        amodal, within = pasted(pieces, ids.shape)
        if within is None:
            continue
        visible = amodal
        if defect is not None and modality in defect.hidden_from:
            visible = np.zeros_like(amodal)
        elif finding.defect:
            visible, _ = pasted(seen, ids.shape)
        x, y, w, h = within
        result.append(Instance(
            frame_index, finding.category, finding.defect, finding.host, tuple(finding.pads), float(finding.severity),
            defect.severity_unit if defect else "", visible, amodal, not visible[y:y + h, x:x + w].any(), finding.rule,
            dict(finding.measured), tuple(finding.instances), within))
    return tuple(result)


def _visible(finding: Finding, ids: NDArray[np.uint32], part: NDArray[np.uint16], boxes: Mapping[int, tuple[slice, slice]],
             land: Piece | None) -> list[Piece]:
    pieces: list[Piece] = []
    for i in finding.instances:
        if i in boxes:
            rows, columns = boxes[i]
            size = columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start
            pieces.append((size, ids[rows, columns] == i))
    if land is not None:
        (x, y, w, h), inside = land
        where = (slice(y, y + h), slice(x, x + w))
        shows = ids[where] == BOARD_ID
        for kind in _SURFACE:
            shows |= part[where] == kind
        pieces.append((land[0], inside & shows))
    return pieces


def _silhouettes(wanted: Sequence[int], boxes: Mapping[int, tuple[slice, slice]], geometry: Geometry, camera: Camera,
                 renderer: Renderer) -> dict[int, Piece]:
    """Amodal masks of those ids that can touch this frame at all, in one call."""
    seen = [i for i in wanted if i in boxes]
    near = sorted([*seen, *in_frame([i for i in wanted if i not in boxes], geometry, camera)])
    return renderer.silhouettes(geometry, camera, near) if near else {}


def in_frame(wanted: Sequence[int], geometry: Geometry, camera: Camera) -> list[int]:
    """Which ids have a bounding box that meets the image. Spares drawing what lies in other tiles."""
    if not wanted:
        return []
    owner, point = outlines(wanted, geometry)
    if not len(owner):
        return []
    low, high = spans(owner, shown_at(camera, point), len(wanted))
    meets = (high[:, 0] >= 0) & (high[:, 1] >= 0) & (low[:, 0] <= camera.width) & (low[:, 1] <= camera.height)
    return [i for i, hit in zip(wanted, meets, strict=True) if hit]


__all__ = ["Box", "Mask", "Piece", "Rle", "box", "id_boxes", "in_frame", "label_frame", "rasterise", "rle_area", "rle_box",
           "rle_counts", "rle_decode", "rle_encode"]
