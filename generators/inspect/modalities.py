"""One event in every modality: pictures that people can look at, and the same defect side by side."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from generators.dataset.rows import Labelled, Row
from generators.imaging import infrared, xray
from generators.inspect.sheets import Crop, crop

NAMES = {"rgb": "colour", "thermal": "infrared", "xray": "X-ray"}
EVENTS_PER_DEFECT = 2
Key = tuple[str, str, tuple[str, ...]]


def modality_of(row: Row, frame: int) -> str:
    """What took a frame."""
    return next((str(i["modality"]) for i in row.data["images"] if i["frame"] == frame), "rgb")


def shown(modality: str, picture: NDArray[np.generic]) -> NDArray[np.uint8]:
    """A picture for people, sRGB uint8 (H, W, 3): temperatures in a palette over the picture's own range, X-ray in grey."""
    if modality == "rgb":
        return np.asarray(picture, np.uint8)
    if modality == "thermal":
        return infrared.display(np.asarray(picture, np.float32))
    return np.repeat(xray.display(np.asarray(picture, np.uint16))[..., None], 3, axis=2)


@dataclass
class Events:
    """The first defects of each kind that several instruments have looked at."""
    found: dict[str, list[list[Crop]]] = field(default_factory=dict)     # defect → events → one crop per modality

    def add(self, row: Row, pictures: dict[int, NDArray[np.uint8]]) -> None:
        """``pictures``: what is shown of each frame, by its number. A golden twin's frames carry no defect."""
        kinds = {number: modality_of(row, number) for number in pictures}
        if len(set(kinds.values())) < 2:
            return
        events: dict[Key, dict[str, tuple[int, Labelled]]] = {}
        for item in row.instances:
            if item.defect and item.frame in kinds:
                by_kind = events.setdefault((item.defect, item.component, item.pads), {})
                best = by_kind.get(kinds[item.frame])
                if best is None or item.amodal_pixels > best[1].amodal_pixels:         # the tile that shows most of it
                    by_kind[kinds[item.frame]] = (item.frame, item)
        for (defect, component, pads), by_kind in events.items():
            held = self.found.setdefault(defect, [])
            if len(by_kind) < 2 or len(held) >= EVENTS_PER_DEFECT:
                continue
            title = (component or "board") + (f" pad {', '.join(pads[:3])}" if pads else "")
            held.append([crop(pictures[frame], item, NAMES[kind],
                              f"{title}{', hidden' if item.hidden else ''}, sample {row.index}")
                         for kind, (frame, item) in sorted(by_kind.items())])


__all__ = ["EVENTS_PER_DEFECT", "Events", "modality_of", "shown"]
