"""What an import says at its end: what was read, what was left out and why, and what the folder does not hold."""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from generators.imports.layout import Event, Found
from generators.imports.names import UNKNOWN
from generators.imports.segmentation import SOURCES, labels_of, source_of
from scenes.errors import InputError

_LEFT = {                                      # what Replicator stores and a Dataset has no place for
    "distance_to_camera": "ranges to the camera's centre, no depths along its axis",
    "normals": "normals as 8-bit pictures of the world frame", "motion_vectors": "motion vectors",
    "occlusion": "occlusion tables by instance id", "pointcloud": "point clouds", "skeleton": "skeletons",
    "depth": "depths as 8-bit pictures for the eye", "shaded_seg": "shaded segmentations", "edges": "edge pictures",
    "overlay": "overlays for the eye",
}


@dataclass(frozen=True)
class ImportReport:
    """What was read and written. ``left_out`` counts by reason, ``missing`` says what the folder does not hold."""
    writer: str
    folder: str
    out: str
    samples: int
    frames: int
    instances: int
    categories: Mapping[str, int]              # name → instances
    without_mask: int = 0                      # boxes and poses of objects without a mask, kept in the frames' views
    left_out: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.writer}: {self.samples:,} samples, {self.frames:,} frames, {self.instances:,} instances in {self.out}"]
        lines += [f"  {name}: {n:,}" for name, n in self.categories.items()]
        if self.without_mask:
            lines.append(f"  kept in the frames' views: {self.without_mask:,} boxes or poses of objects without a mask")
        lines += [f"  left out: {n:,} {why}" for why, n in self.left_out.items() if n]
        lines += [f"  not in the folder: {what}" for what in self.missing]
        return "\n".join(lines)


def with_pictures(found: Found) -> tuple[tuple[Event, ...], Counter[str]]:
    """Events whose views have pictures, and what is left out by its name alone. Raises InputError where there is no picture."""
    left: Counter[str] = Counter()
    events = []
    for event in found.events:
        views = tuple(v for v in event.views if "rgb.png" in v.files)
        left["views without a picture"] += len(event.views) - len(views)
        for view in views:
            for what in view.files:
                annotator, kind = what.rsplit(".", 1)
                reason = _LEFT.get("pointcloud" if annotator.startswith("pointcloud") else annotator, "")
                if annotator == "distance_to_image_plane" and kind == "png":
                    reason = _LEFT["depth"]
                elif kind == "exr":
                    reason = "EXR pictures"
                elif annotator in SOURCES and kind == "png" and annotator != source_of(view):
                    reason = "segmentations that a more telling one of the same frame covers"
                left[reason] += bool(reason)
        if views:
            events.append(Event(event.name, views, event.clip))
    if not events:
        raise InputError(f"{found.folder}: no rgb picture in it; attach the rgb annotator and run the writer again")
    return tuple(events), Counter({why: n for why, n in left.items() if why and n})


def missing(events: Sequence[Event], sides: bool, rate_known: bool) -> tuple[str, ...]:
    """What a Dataset could hold and the folder does not, in words."""
    views = [v for e in events for v in e.views]

    def some(lacking: int) -> str:
        return "" if lacking == len(views) else f" (in {lacking:,} of {len(views):,} frames)"

    said = []
    if n := sum(source_of(v) is None for v in views):
        said.append(f"segmentation, so no masks{some(n)}")
    if n := sum(source_of(v) is not None and labels_of(v, str(source_of(v))) is None for v in views):
        said.append(f"names of classes{some(n)}; they are called '{UNKNOWN}'")
    if n := sum(source_of(v) == "semantic_segmentation" for v in views):
        said.append(f"instance segmentation{some(n)}; all that is of one class is one object")
    if n := sum("distance_to_image_plane.npy" not in v.files for v in views):
        said.append(f"depth{some(n)}")
    if n := sum(not {"camera_params.json", "pose.json"} & set(v.files) for v in views):
        said.append(f"camera parameters{some(n)}")
    if any(e.clip for e in events) and not rate_known:
        said.append("the clips' frame rate; frames are counted as seconds, give --rate-hz")
    if not sides:
        said.append("units and splits; every event is a unit of its own")
    said.append("severities, physical causes, hidden pixels: no writer of Replicator's stores them")
    return tuple(said)


__all__ = ["ImportReport", "missing", "with_pictures"]
