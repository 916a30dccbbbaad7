"""Which file is what: the names that Replicator's writers give, sorted into events and the views of each.

    BasicWriter, one render product     rgb_0000.png, instance_segmentation_mapping_0000.json, …
    BasicWriter, several                <render product>/<annotator>/<annotator>_0000.png
      with use_common_output_dir        <annotator>/<render product>_<annotator>_0000.png
    CosmosWriter                        clip_0000/<modality>/<modality>_0000.png
    PoseWriter                          [<render product>/]000000.json, 000000.png, 000000_overlay.png

Sources: NVIDIA's documentation of omni.replicator.core 1.11/1.12 and the outputs inside the wheel isaacsim-replicator 6.2.0.0.
"""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generators.imports.files import listing
from scenes.errors import DatasetError, InputError

ONE = "camera"                                 # what the only camera is called where the folder gives it no name
ANNOTATORS = ("rgb", "semantic_segmentation", "instance_id_segmentation", "instance_segmentation", "bounding_box_2d_tight",
              "bounding_box_2d_loose", "bounding_box_3d", "distance_to_camera", "distance_to_image_plane", "normals",
              "motion_vectors", "occlusion", "camera_params", "pointcloud", "skeleton")
METADATA = "metadata.txt"                      # BasicWriter's name, version and seed; seen in the wheel 6.0.1.0
_BASIC = re.compile(rf"(?P<product>(?:.+?_)?)(?P<annotator>{'|'.join(ANNOTATORS)})"
                    r"(?P<part>_labels|_prim_paths|_semantics_mapping|_mapping|_rgb|_normals|_semantic|_instance)?"
                    r"_(?P<frame>(?:\d{1,9}_)*\d{1,9})\.(?P<kind>png|jpg|jpeg|exr|npy|json)", re.ASCII)
_CLIP = re.compile(r"(?P<clip>clip_\d{1,9})/(?P<modality>rgb|depth|segmentation|shaded_seg|edges)/"
                   r"(?P=modality)_(?P<frame>\d{1,9})\.(?P<kind>png|jpg|jpeg)", re.ASCII)
_POSE = re.compile(r"(?P<frame>\d{1,9})(?P<part>_overlay)?\.(?P<kind>png|jpg|jpeg|json)", re.ASCII)


@dataclass(frozen=True)
class View:
    """One camera's files of one moment: what a file holds ("rgb.png", "instance_segmentation_mapping.json") → its path."""
    camera: str
    frame: str                                 # the number in its files' names, "0000" or "3_0000"
    files: Mapping[str, str]                   # relative to the folder


@dataclass(frozen=True)
class Event:
    """What becomes one sample: the views of one moment by every camera, or the views of one clip in order of time."""
    name: str
    views: tuple[View, ...]
    clip: bool = False


@dataclass(frozen=True)
class Found:
    """A folder of Replicator's, sorted. ``strange`` are files that no writer of Replicator's makes."""
    folder: Path
    writer: str                                # "BasicWriter", "CosmosWriter" or "PoseWriter"
    events: tuple[Event, ...]
    strange: tuple[str, ...] = ()

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(sorted({v.camera for e in self.events for v in e.views}))

    @property
    def files(self) -> dict[str, int]:
        """How many files there are of each kind."""
        return dict(sorted(Counter(k for e in self.events for v in e.views for k in v.files).items()))


def read_folder(folder: str | Path, *, format: str = "auto") -> Found:
    """Sort what a writer of Replicator's wrote. Reads names only, no file.

    Args:
        folder: The output folder of one writer.
        format: "auto" or "replicator", which is all that there is so far.

    Raises:
        InputError: no such folder, an unknown format, or nothing in it has a name that Replicator's writers give.
        DatasetError: two files claim the same place.
    """
    if format not in ("auto", "replicator"):
        raise InputError(f"import: no format '{format}'; there are: auto, replicator")
    folder = Path(folder)
    names = listing(folder)
    sortings = [_cosmos(folder, names), _basic(folder, names), _pose(folder, names)]
    best = max(sortings, key=lambda s: sum(len(v.files) for e in s.events for v in e.views))
    if not best.events:
        within = sorted({n.split("/")[0] for n in names if "/" in n and _BASIC.fullmatch(n.rsplit("/", 1)[1])})
        if within:
            more = " …" if within[4:] else ""
            raise InputError(f"{folder}: holds {len(within)} outputs ({', '.join(within[:4])}{more}); import them one by one")
        raise InputError(f"{folder}: nothing that Replicator's BasicWriter (rgb_0000.png), CosmosWriter (clip_0000/rgb/…) or "
                         "PoseWriter (000000.json) writes; name the output's own folder")
    return best


class _Sorter:
    """Collects files by event and camera."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.views: dict[tuple[str, str, str], dict[str, str]] = {}      # event, camera, frame → files
        self.strange: list[str] = []

    def add(self, event: str, camera: str, frame: str, what: str, path: str) -> None:
        files = self.views.setdefault((event, camera, frame), {})
        if what in files:
            raise DatasetError(f"{self.folder / path}: frame {frame} has {files[what]} for the same; take one of them out")
        files[what] = path

    def moments(self) -> tuple[Event, ...]:
        """One event per frame number, in their order: its views by camera."""
        found: dict[str, list[View]] = {}
        for (event, camera, frame), files in sorted(self.views.items()):
            found.setdefault(event, []).append(View(camera, frame, files))
        return tuple(Event(name, tuple(found[name])) for name in sorted(found, key=lambda n: (_order(n), n)))


def _kind(name: str) -> str:
    return "png" if name in ("jpg", "jpeg") else name


def _order(frame: str) -> tuple[int, ...]:
    return tuple(int(n) for n in frame.split("_"))


def _basic(folder: Path, names: Sequence[str]) -> Found:
    sorter = _Sorter(folder)
    for path in names:
        if path == METADATA:
            continue
        *within, name = path.split("/")
        match = _BASIC.fullmatch(name)
        camera = _product(within, match) if match else None
        if match is None or camera is None:
            sorter.strange.append(path)
            continue
        what = f"{match['annotator']}{match['part'] or ''}.{_kind(match['kind'])}"
        sorter.add(match["frame"], camera, match["frame"], what, path)
    return Found(folder, "BasicWriter", sorter.moments(), tuple(sorter.strange))


def _product(within: Sequence[str], match: re.Match[str]) -> str | None:
    """The render product that a file belongs to, None where no layout puts it there."""
    product, annotator = match["product"][:-1], match["annotator"]
    if not within:
        return None if product else ONE
    if len(within) == 1 and within[0] == annotator:
        return product or ONE
    if len(within) == 2 and within[1] == annotator and not product:
        return within[0]
    return None


def _cosmos(folder: Path, names: Sequence[str]) -> Found:
    sorter = _Sorter(folder)
    for path in names:
        match = _CLIP.fullmatch(path)
        if match is None:
            sorter.strange.append(path)
        else:
            sorter.add(match["clip"], ONE, match["frame"], f"{match['modality']}.{_kind(match['kind'])}", path)
    clips: dict[str, list[View]] = {}
    for (event, camera, frame), files in sorted(sorter.views.items(), key=lambda i: (i[0][0], _order(i[0][2]))):
        clips.setdefault(event, []).append(View(camera, frame, files))
    events = tuple(Event(name, tuple(clips[name]), True) for name in sorted(clips, key=lambda n: (_order(n[5:]), n)))
    return Found(folder, "CosmosWriter", events, tuple(sorter.strange))


def _pose(folder: Path, names: Sequence[str]) -> Found:
    sorter = _Sorter(folder)
    for path in names:
        *within, name = path.split("/")
        match = _POSE.fullmatch(name)
        if match is None or len(within) > 1:
            sorter.strange.append(path)
            continue
        what = "pose.json" if match["kind"] == "json" else f"{'overlay' if match['part'] else 'rgb'}.{_kind(match['kind'])}"
        sorter.add(match["frame"], within[0] if within else ONE, match["frame"], what, path)
    return Found(folder, "PoseWriter", sorter.moments(), tuple(sorter.strange))


__all__ = ["ANNOTATORS", "ONE", "Event", "Found", "View", "read_folder"]
