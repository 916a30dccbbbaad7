"""What reading gives back: one row as plain values, pictures and masks decoded when they are asked for."""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from generators.dataset.tracks import Thing, clips, tracks
from generators.encoding import image_decode, label_decode
from generators.masks import Box, Mask, Rle, rle_box, rle_decode
from scenes.errors import DatasetError
from scenes.optics import Camera


@dataclass(frozen=True, eq=False)
class Labelled:
    """One labelled object in one frame. Boxes and masks come from the run lengths."""
    frame: int
    category_id: int                           # from 1, as in meta/taxonomy.json
    category: str
    defect: str                                # "" for a good part
    severity: float                            # NaN where the defect is all or nothing
    severity_unit: str
    component: str
    pads: tuple[str, ...]
    ids: tuple[int, ...]                       # in the dense "instance" label
    rle: Rle
    visible_pixels: int
    amodal_rle: Rle
    amodal_pixels: int
    hidden: bool
    rule: str
    measured: Mapping[str, float]

    @property
    def box(self) -> Box | None:
        """(x, y, w, h) [px] of the visible pixels, None where nothing is visible."""
        return rle_box(self.rle)

    @property
    def amodal_box(self) -> Box:
        """(x, y, w, h) [px] of the amodal pixels."""
        found = rle_box(self.amodal_rle)
        if found is None:
            raise DatasetError(f"{self.category} on '{self.component}': no amodal pixel; the row is damaged")
        return found

    def visible(self) -> Mask:
        """bool (H, W)"""
        return rle_decode(self.rle)

    def amodal(self) -> Mask:
        """bool (H, W)"""
        return rle_decode(self.amodal_rle)


@dataclass(frozen=True)
class View:
    """One camera's frame, without pixels."""
    camera: str
    station: str
    width: int
    height: int
    view: Mapping[str, Any]

    def looking(self) -> Camera:
        """The camera that took it: projects board points to this frame's pixels."""
        view = self.view
        pose = np.array(view["pose"], float).reshape(4, 4)
        return Camera(self.camera, self.width, self.height, view["pixel_size"], pose, view["distance"], view["model"])


@dataclass(frozen=True, eq=False)
class Row:
    """One sample as stored. ``data`` is the row as pyarrow gives it; columns that were not read are missing in it."""
    data: Mapping[str, Any]
    where: str                                 # shard and row, for error messages

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def index(self) -> int:
        return int(self.data["index"])

    @property
    def unit(self) -> str:
        return str(self.data["unit"])

    @property
    def split(self) -> str:
        return str(self.data["split"])

    @property
    def time_ns(self) -> int:
        return int(self.data["time_ns"])

    @cached_property
    def frames(self) -> tuple[View, ...]:
        return tuple(View(f["camera"], f["station"], f["width"], f["height"], json.loads(f["view"])) for f in self.data["frames"])

    @cached_property
    def instances(self) -> tuple[Labelled, ...]:
        """Every labelled object, all frames."""
        sizes = [[f["height"], f["width"]] for f in self.data["frames"]]
        return tuple(Labelled(
            i["frame"], i["category_id"], i["category"], i["defect"], i["severity"], i["severity_unit"], i["component"],
            tuple(i["pads"]), tuple(i["ids"]), {"size": sizes[i["frame"]], "counts": i["rle"]}, i["visible_pixels"],
            {"size": sizes[i["frame"]], "counts": i["amodal_rle"]}, i["amodal_pixels"], i["hidden"], i["rule"],
            {m["name"]: m["value"] for m in i["measured"]}) for i in self.data["instances"])

    @cached_property
    def clips(self) -> Mapping[str, tuple[int, ...]]:
        """Camera → numbers of the frames of its clip, in order of time. Empty for still pictures."""
        return clips(self.frames)

    def tracks(self, camera: str = "", *,
               masks: Literal["visible", "amodal"] = "visible") -> dict[Thing, list[tuple[int, Box | None]]]:
        """Where each thing is, frame by frame of a clip: (frame, box [px] or None where it is out of sight).

        Args:
            camera: Whose clip; the row's first by default.
            masks: Boxes of the visible pixels, or of the amodal ones.

        Raises:
            DatasetError: no such clip; things that cannot be told apart.
        """
        found = tracks(self, camera)
        return {thing: [(frame, None if item is None else rle_box(item.rle if masks == "visible" else item.amodal_rle))
                        for frame, item in path] for thing, path in found.items()}

    @cached_property
    def conditions(self) -> Mapping[str, Any]:
        """The physical parameters that caused this sample."""
        return json.loads(self.data["conditions"])   # type: ignore[no-any-return]

    @property
    def traces(self) -> list[Mapping[str, Any]]:
        return list(self.data["traces"])

    @property
    def logs(self) -> list[Mapping[str, Any]]:
        return list(self.data["logs"])

    @property
    def modalities(self) -> list[str]:
        """Modalities of any frame, in their stored order."""
        return list(dict.fromkeys(i["modality"] for i in self.data["images"]))

    def image_bytes(self, modality: str = "rgb", frame: int = 0) -> bytes:
        """The encoded picture as stored. Raises DatasetError where there is none."""
        return bytes(self._image(modality, frame)["image"]["bytes"])

    def image(self, modality: str = "rgb", frame: int = 0) -> NDArray[Any]:
        """A picture: uint8 (H, W, 3) for rgb, float32 (H, W) [K] for thermal, uint16 (H, W) detector counts for xray."""
        item = self._image(modality, frame)
        try:
            codes = image_decode(item["image"]["bytes"], (item["width"], item["height"]))
        except DatasetError as error:
            raise DatasetError(f"{self.where}: {modality} of frame {frame}: {error}") from None
        if item["unit"] in ("sRGB", "counts"):
            return codes
        step = (item["high"] - item["low"]) / np.iinfo(codes.dtype).max
        return (item["low"] + codes * step).astype(np.float32)

    def rgb(self, frame: int = 0) -> NDArray[np.uint8]:
        """sRGB, uint8 (H, W, 3)."""
        return self.image("rgb", frame)

    def label(self, name: str, frame: int = 0) -> NDArray[Any]:
        """A dense label: "instance" u32, "part" u16, "depth" f32 [m], "normal" f32 (H, W, 3)."""
        for item in self.data["labels"]:
            if item["name"] == name and item["frame"] == frame:
                try:
                    return label_decode(item["encoding"], item["dtype"], item["shape"], item["bytes"])
                except DatasetError as error:
                    raise DatasetError(f"{self.where}: label '{name}' of frame {frame}: {error}") from None
        known = sorted({i["name"] for i in self.data["labels"]})
        raise DatasetError(f"{self.where}: no label '{name}' in frame {frame}; there are: {', '.join(known) or 'none'}")

    def has_label(self, name: str, frame: int = 0) -> bool:
        return any(i["name"] == name and i["frame"] == frame for i in self.data["labels"])

    def _image(self, modality: str, frame: int) -> Mapping[str, Any]:
        for item in self.data["images"]:
            if item["modality"] == modality and item["frame"] == frame:
                return item  # type: ignore[no-any-return]
        known = ", ".join(self.modalities) or "none"
        raise DatasetError(f"{self.where}: no {modality} picture in frame {frame}; there are: {known}")


__all__ = ["Labelled", "Row", "View"]
