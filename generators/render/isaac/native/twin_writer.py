"""TwinWriter: a Replicator writer that keeps linetwin's label ids, for ``linetwin import``. Import it when Isaac Sim is up.

Files lie as BasicWriter's of several render products, so every reader of that layout reads them:

    <out>/<render product>/rgb/rgb_0000.png                                          RGBA
                           distance_to_image_plane/distance_to_image_plane_0000.npy  float32 (H, W) [m]
                           instance_segmentation/instance_segmentation_0000.png      RGBA: the label id, lowest byte in red
                                                 …_mapping_0000.json                 "(r, g, b, a)" → prim path
                                                 …_semantics_mapping_0000.json       "(r, g, b, a)" → labels by taxonomy
                           bounding_box_3d/bounding_box_3d_0000.npy, …_labels_0000.json, …_prim_paths_0000.json
                           camera_params/camera_params_0000.json

What it does that BasicWriter does not: every pixel goes to the *thing* it shows (a part, a joint, a bridge), not to the mesh;
the colour is the label id itself, so it is the same in every frame and camera; and a pixel that belongs to nothing known is an
error instead of a label that is missing. Replicator logs what a writer raises and goes on, so the error also stays in
``failure``, where ``capture`` looks for it.
"""
from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import omni.replicator.core as rep
from omni.replicator.core import Writer
from PIL import Image

IDS, BOXES = "instance_id_segmentation_fast", "bounding_box_3d_fast"
NOTHING, UNLABELLED = "(0, 0, 0, 0)", "(0, 0, 0, 255)"
RESERVED = {"BACKGROUND", "UNLABELLED"}


class TwinWriter(Writer):  # type: ignore[misc]    # known only inside Isaac Sim
    """Writes what cameras of a linetwin stage see.

    Args:
        output_dir: New or empty folder.
        twins: Prim path → (label id, labels by taxonomy), of ``stage.twins``.
        products: Paths of the units, of ``stage.products``: whatever is seen below them has a label id, or it is an error. All
            else (machines, conveyors) is background.
    """

    def __init__(self, output_dir: str, twins: Mapping[str, tuple[int, Mapping[str, str]]], products: tuple[str, ...]) -> None:
        self.version = "1"
        self.data_structure = "renderProduct"
        self.annotators = [rep.annotators.get("rgb"), rep.annotators.get("distance_to_image_plane"), rep.annotators.get(IDS),
                           rep.annotators.get(BOXES), rep.annotators.get("camera_params")]
        self._frame_id = 0
        self.failure: Exception | None = None
        self.out, self.known, self.products = Path(output_dir), dict(twins), tuple(products)
        self.out.mkdir(parents=True, exist_ok=True)
        if any(self.out.iterdir()):
            raise ValueError(f"{self.out}: is not empty; choose a new folder")

    def know(self, twins: Mapping[str, tuple[int, Mapping[str, str]]]) -> None:
        """The unit has changed: these are its things from the next frame on."""
        self.known = dict(twins)

    def write(self, data: dict[str, Any]) -> None:
        """One moment of all render products."""
        try:
            for product, seen in data["renderProducts"].items():
                self._product(str(product), seen)
        except Exception as error:
            self.failure = self.failure or error
            raise
        self._frame_id += 1

    def _product(self, product: str, seen: Mapping[str, Any]) -> None:
        if not product or os.sep in product or product.startswith("."):
            raise ValueError(f"render product '{product}': not a folder's name; give it another one")
        ids, names = things(np.asarray(seen[IDS]["data"]), seen[IDS]["idToLabels"], self.known, self.products)
        paths, labels = {NOTHING: "BACKGROUND", UNLABELLED: "UNLABELLED"}, {NOTHING: {"class": "BACKGROUND"},
                                                                            UNLABELLED: {"class": "UNLABELLED"}}
        for instance, path in names.items():
            paths[color(instance)], labels[color(instance)] = path, dict(self.known[path][1])
        boxes = seen[BOXES]
        self._picture(product, "rgb", np.asarray(seen["rgb"]["data"], np.uint8))
        self._array(product, "distance_to_image_plane", np.asarray(seen["distance_to_image_plane"]["data"], np.float32))
        self._picture(product, "instance_segmentation", colors(ids))
        self._json(product, "instance_segmentation", "_mapping", paths)
        self._json(product, "instance_segmentation", "_semantics_mapping", labels)
        self._array(product, "bounding_box_3d", np.asarray(boxes["data"]))
        self._json(product, "bounding_box_3d", "_labels", {str(k): v for k, v in boxes["idToLabels"].items()})
        self._json(product, "bounding_box_3d", "_prim_paths", [str(p) for p in boxes["primPaths"]])
        self._json(product, "camera_params", "", {k: _plain(v) for k, v in seen["camera_params"].items()})

    def _path(self, product: str, annotator: str, part: str, kind: str) -> Path:
        path = self.out / product / annotator / f"{annotator}{part}_{self._frame_id:04d}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _picture(self, product: str, annotator: str, pixels: Any) -> None:
        Image.fromarray(np.ascontiguousarray(pixels)).save(self._path(product, annotator, "", "png"), compress_level=1)

    def _array(self, product: str, annotator: str, values: Any) -> None:
        np.save(self._path(product, annotator, "", "npy"), values, allow_pickle=False)

    def _json(self, product: str, annotator: str, part: str, value: Any) -> None:
        self._path(product, annotator, part, "json").write_text(json.dumps(value, sort_keys=True), encoding="utf-8")


def things(ids: Any, names: Mapping[Any, Any], known: Mapping[str, tuple[int, Mapping[str, str]]],
           products: tuple[str, ...]) -> tuple[Any, dict[int, str]]:
    """Replicator's ids of meshes → label ids of the things that the meshes belong to.

    Args:
        ids: uint32 (H, W), Replicator's.
        names: Its id → prim path, keys as numbers or text.
        known: Prim path → (label id, labels).
        products: Paths below which everything is known.

    Returns:
        uint32 (H, W) label ids, 0 is background, and label id → path of what is seen.

    Raises:
        ValueError: a pixel of a product that belongs to nothing known, or of no prim at all; not a picture of ids.
    """
    ids = ids[..., 0] if ids.ndim == 3 and ids.shape[2] == 1 else ids
    if ids.ndim != 2 or ids.dtype.kind != "u":
        raise ValueError(f"{IDS}: {ids.dtype} {ids.shape} is no picture of ids; Replicator has coloured it")
    paths = {int(k): v["class"] if isinstance(v, Mapping) else str(v) for k, v in names.items()}
    found, at = np.unique(ids, return_inverse=True)
    table, seen, strange = np.zeros(len(found), np.uint32), {}, []
    for place, identifier in enumerate(found.tolist()):
        path = paths.get(identifier, "BACKGROUND" if identifier == 0 else "")
        thing = owner(path, known)
        if thing is not None:
            table[place] = known[thing][0]
            seen[known[thing][0]] = thing
        elif path not in RESERVED and (not path.startswith("/") or owner(path, dict.fromkeys(products)) is not None):
            strange.append(path or f"id {identifier}")
    if strange:
        raise ValueError(f"seen, but without a label id: {', '.join(strange[:3])}{' …' if len(strange) > 3 else ''}; call "
                         "stage.unshare first, and 'know' where the unit has changed")
    return table[at].reshape(ids.shape), seen


def owner(path: str, known: Mapping[str, Any]) -> str | None:
    """The nearest prim at or above ``path`` that is known."""
    while path.startswith("/") and len(path) > 1:
        if path in known:
            return path
        path = path.rsplit("/", 1)[0]
    return None


def colors(ids: Any) -> Any:
    """Label ids (H, W) → RGBA (H, W, 4): the three lowest bytes, opaque; background is clear. Raises ValueError above 2²⁴."""
    if ids.size and int(ids.max()) >= 1 << 24:
        raise ValueError(f"label id {int(ids.max())}: more than a colour holds")
    out = np.stack([ids & 255, (ids >> 8) & 255, (ids >> 16) & 255, np.where(ids > 0, 255, 0)], axis=-1)
    return out.astype(np.uint8)


def color(instance: int) -> str:
    """A label id as Replicator writes colours in JSON."""
    return f"({instance & 255}, {instance >> 8 & 255}, {instance >> 16 & 255}, 255)"


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


__all__ = ["TwinWriter", "color", "colors", "owner", "things"]
