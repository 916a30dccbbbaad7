"""One picture: step, read the annotators, convert, write."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import convert, replicator, stage
from .errors import Refused

EMPTY_STEPS = 3                                # steps until a new render product must have given data
MORE = 4                                       # times the subframes for a picture that was black


class Captures:
    """The render product in use. One is kept while camera, size and buffers stay the same."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._product: Any = None

    def take(self, opened: Any, request: dict[str, Any], shared: Path) -> dict[str, Any]:
        """Draw and write. Refuses ("capture", "mapping") what cannot be used."""
        camera, shape = request["camera"], (request["height"], request["width"])
        prim = opened.GetPrimAtPath(camera)
        if not prim or prim.GetTypeName() != "Camera":
            raise Refused("capture", f"{camera} is not a camera of the stage")
        asked = frozenset(request["buffers"])
        need = frozenset({"id"} | (asked & {"rgb", "depth", "normal"}))
        product = self._for(camera, shape, need)
        labels = stage.Labels(opened)
        for subframes in (request["subframes"], MORE * request["subframes"]):
            self._step(product, subframes)
            out = self._read(product, prim, shape, need, labels)
            if "rgb" not in out or not request["lit"] or not convert.black(out["rgb"], out["instance"]):
                break
        else:
            raise Refused("capture", f"the picture stays black, also with {subframes} subframes, although "
                                     f"{len(np.unique(out['instance'][out['instance'] > 0]))} things are in view")
        files = {}
        for name in sorted(asked):
            files[name] = f"c{request['id']}-{name}.npy"
            np.save(shared / files[name], out[name], allow_pickle=False)
        return {"files": files, "seen": int(np.count_nonzero(np.unique(out["instance"])))}

    def close(self) -> None:
        if self._product is not None:
            self._product.close()
            self._product = None

    def _for(self, camera: str, shape: tuple[int, int], need: frozenset[str]) -> Any:
        held = self._product
        if held is None or held.camera != camera or held.size != (shape[1], shape[0]) or not need <= held.buffers:
            self.close()
            self._product = replicator.Product(camera, shape[1], shape[0], need)
        return self._product

    def _step(self, product: Any, subframes: int) -> None:
        """Step until there are data: the first frames of a new render product may be empty."""
        for _ in range(EMPTY_STEPS):
            product.step(subframes)
            data, _ = convert.split(product.data("id"), "instance_id_segmentation")
            if data.size:
                return
        raise Refused("capture", f"no data after {EMPTY_STEPS} steps")

    def _read(self, product: Any, camera: Any, shape: tuple[int, int], need: frozenset[str],
              labels: stage.Labels) -> dict[str, np.ndarray[Any, Any]]:
        data, info = convert.split(product.data("id"), "instance_id_segmentation")
        out = dict(zip(("instance", "part"), convert.ids(data, info, shape, labels), strict=True))
        nothing = out["instance"] == 0
        if "rgb" in need:
            out["rgb"] = convert.colors(convert.split(product.data("rgb"), "rgb")[0], shape)
        if "depth" in need:
            out["depth"] = convert.depths(convert.split(product.data("depth"), "distance_to_image_plane")[0], shape)
            out["depth"][nothing] = np.inf
        if "normal" in need:
            data, _ = convert.split(product.data("normal"), "normals")
            out["normal"] = convert.normals(data, shape, axes_of(camera), nothing)
        return out


def axes_of(camera: Any) -> np.ndarray[Any, Any]:
    """Rotation (3, 3) from camera to world coordinates, columns are the camera's axes."""
    from pxr import UsdGeom

    rows = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(camera))[:3, :3]     # row vectors: rows are the axes
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T


__all__ = ["Captures", "axes_of"]
