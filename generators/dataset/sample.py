"""Sample: one event at one station, every modality, its labels and its causes."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Instance:
    """One labelled object in one frame. Box and areas are derived from the masks, see ``generators.labels``."""
    frame: int                                 # index into Sample.frames
    category: str                              # a defect's name, or a part class for a good part
    defect: str                                # "" for a good part
    component: str                             # reference designator, "" on the bare board
    pads: tuple[str, ...]
    severity: float                            # NaN where the defect is all or nothing
    severity_unit: str
    visible: NDArray[np.bool_]                 # (H, W) pixels that this camera sees
    amodal: NDArray[np.bool_]                  # (H, W) pixels it would cover were nothing in front; ⊇ visible
    hidden: bool                               # no visible pixel of the defect itself
    rule: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    ids: tuple[int, ...] = ()                  # ids in the dense "instance" label that it is made of
    within: tuple[int, int, int, int] | None = None    # a box (x, y, w, h) that holds both masks, where their maker knows one


@dataclass(frozen=True, eq=False)
class Frame:
    """One camera's picture and its dense labels. Arrays, not bytes: encoding happens at the shard."""
    camera: str
    station: str                               # ISA-95 path
    images: Mapping[str, NDArray[Any]]         # modality → array: "rgb" uint8 (H, W, 3), later "thermal", "xray"
    labels: Mapping[str, NDArray[Any]]         # "instance" u32, "part" u16, "depth" f32, "normal" f32
    view: Mapping[str, Any]                    # camera model, pixel size [m], pose (16 floats, row-major), width, height


Shot = tuple[Frame, Iterable[Instance]]        # instances are taken once, so masks can be made one at a time


@dataclass(frozen=True, eq=False)
class Sample:
    """One unit at one station at one time, or over the seconds of a clip.

    A clip may be larger than memory while its arrays are arrays, so frames can also come as ``shots``: after ``frames``, made
    while they are taken, and taken once.
    """
    id: str                                    # hex, a function of the recipe's digest and the index
    index: int
    unit: str
    split: str                                 # "train", "val" or "test"
    time_ns: int                               # simulated clock
    frames: tuple[Frame, ...]
    instances: tuple[Instance, ...]
    conditions: Mapping[str, Any]              # JSON-ready: process parameters, look, lighting, camera jitter, seed, attempt
    traces: tuple[Mapping[str, Any], ...] = ()
    logs: tuple[Mapping[str, Any], ...] = ()
    shots: Iterable[Shot] = ()                 # further frames with their instances

    def taken(self) -> Iterator[Shot]:
        """Every frame with its instances, in order. Uses ``shots`` up."""
        for number, frame in enumerate(self.frames):
            yield frame, tuple(i for i in self.instances if i.frame == number)
        yield from self.shots

    def whole(self) -> Sample:
        """The same with all its frames in memory."""
        frames, instances = list(self.frames), list(self.instances)
        for frame, found in self.shots:
            frames.append(frame)
            instances.extend(found)
        return replace(self, frames=tuple(frames), instances=tuple(instances), shots=())


__all__ = ["Frame", "Instance", "Sample", "Shot"]
