"""Clips in the gate. Frames of one clip are alike on purpose: the middle one stands for all."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generators.dataset.rows import Row
from generators.dataset.tracks import tracks
from generators.inspect.sheets import annotated, jpeg
from scenes.errors import DatasetError

STRIPS, CELLS, GAP = 3, 4, 8                   # clips shown, frames of each, [px] between them
_WIDTH = 584                                   # [px] of a frame in a strip, shown at half


def key_frames(row: Row) -> set[int]:
    """Every still picture, and the middle frame of every clip."""
    moving = {n for numbers in row.clips.values() for n in numbers}
    return (set(range(len(row.frames))) - moving) | {numbers[len(numbers) // 2] for numbers in row.clips.values()}


def check_clips(row: Row) -> Iterator[str]:
    """What is wrong with the clips of a row: times, frames, names that change between frames."""
    for camera, numbers in row.clips.items():
        where = f"{row.id} camera {camera}"
        views = [row.frames[n].view for n in numbers]
        if [v["clip"] for v in views] != list(range(len(views))):
            yield f"{where}: frames are not 0 to {len(views) - 1}"
            continue
        steps = np.diff([float(v["time_s"]) for v in views])
        if len(steps) and (steps.min() <= 0 or np.ptp(steps) > 1e-6 * steps.mean()):
            yield f"{where}: times do not rise by one step"
        try:
            found = tracks(row, camera)
        except DatasetError as error:
            yield str(error)
            continue
        names: dict[tuple[object, ...], tuple[int, ...]] = {}
        owners: dict[int, str] = {}
        for thing in found:
            if thing.component and names.setdefault(thing[:3], thing.ids) != thing.ids:
                yield f"{where}: {thing.category} on '{thing.component}' has other ids in other frames"
            for i in thing.ids:
                if owners.setdefault(i, thing.component) != thing.component:
                    yield f"{where}: id {i} is of '{owners[i]}' and of '{thing.component}'"


@dataclass
class Clips:
    """What one pass over the rows collects of clips."""
    count: int = 0
    frames: int = 0
    strips: list[tuple[bytes, str]] = field(default_factory=list)        # picture, caption

    def shown(self, row: Row) -> tuple[int, ...]:
        """The frames that a strip of this row will need; none when there are strips enough."""
        if len(self.strips) >= STRIPS or not row.clips:
            return ()
        numbers = next(iter(row.clips.values()))
        return tuple(numbers[k] for k in np.unique(np.linspace(0, len(numbers) - 1, CELLS).round().astype(int)).tolist())

    def add(self, row: Row, pictures: Mapping[int, NDArray[np.uint8]]) -> None:
        """``pictures``: at least those of ``shown``."""
        self.count += len(row.clips)
        self.frames += sum(len(n) for n in row.clips.values())
        wanted = self.shown(row)
        if not wanted or any(n not in pictures for n in wanted):
            return
        cells = [annotated(pictures[n], [i for i in row.instances if i.frame == n], _WIDTH) for n in wanted]
        page = Image.new("RGB", (sum(c.width + GAP for c in cells) - GAP, max(c.height for c in cells)), (255, 255, 255))
        for k, cell in enumerate(cells):
            page.paste(cell, (sum(c.width + GAP for c in cells[:k]), 0))
        times = ", ".join(f"{row.frames[n].view['time_s']:.3g} s" for n in wanted)
        length = len(next(iter(row.clips.values())))
        self.strips.append((jpeg(page), f"sample {row.index}, {row.split}, camera {row.frames[wanted[0]].camera}: "
                                        f"{length} frames, here those at {times}"))


__all__ = ["STRIPS", "Clips", "check_clips", "key_frames"]
