"""Tracks of a clip, read from the labels of its frames: the same thing has the same name and ids in every one of them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from scenes.errors import DatasetError

if TYPE_CHECKING:
    from generators.dataset.rows import Labelled, Row, View


class Thing(NamedTuple):
    """What a track follows. ``ids`` are those of the dense "instance" label; what lies loose on the board has nothing else."""
    category: str
    component: str
    pads: tuple[str, ...]
    ids: tuple[int, ...]


def clips(frames: Sequence[View]) -> dict[str, tuple[int, ...]]:
    """Camera → numbers of the frames of its clip, in order of time."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, frame in enumerate(frames):
        if "clip" in frame.view:
            found.setdefault(frame.camera, []).append((int(frame.view["clip"]), number))
    return {camera: tuple(number for _, number in sorted(pairs)) for camera, pairs in found.items()}


def rate(frames: Sequence[View], numbers: Sequence[int]) -> float:
    """Frames per second of a clip [Hz]."""
    first, last = (float(frames[n].view["time_s"]) for n in (numbers[0], numbers[-1]))
    return (len(numbers) - 1) / (last - first)


def tracks(row: Row, camera: str = "") -> dict[Thing, list[tuple[int, Labelled | None]]]:
    """Every thing with its label in each frame of a clip, None where the frame does not hold it.

    Raises:
        DatasetError: no such clip; two things in one frame that cannot be told apart.
    """
    known: Mapping[str, tuple[int, ...]] = row.clips
    if not known or (camera and camera not in known):
        raise DatasetError(f"{row.where}: no clip{f' of camera {camera!r}' if camera else ''}; "
                           f"there are: {', '.join(known) or 'still pictures only'}")
    numbers = known[camera] if camera else next(iter(known.values()))
    at = {number: place for place, number in enumerate(numbers)}
    found: dict[Thing, list[tuple[int, Labelled | None]]] = {}
    for item in row.instances:
        if item.frame not in at:
            continue
        thing = Thing(item.category, item.component, item.pads, item.ids)
        path = found.setdefault(thing, [(number, None) for number in numbers])
        if path[at[item.frame]][1] is not None:
            raise DatasetError(f"{row.where}: frame {item.frame} holds two of {item.category} on '{item.component}' with the "
                               "same ids; a clip needs a name for each")
        path[at[item.frame]] = (item.frame, item)
    return found


__all__ = ["Thing", "clips", "rate", "tracks"]
