"""A toy product family and a numpy renderer, so that schedule, resume and kills are tested without boards and without GL.

Twelve bricks on a 24 × 12 mm plate. A brick can be shifted, missing, or (never) haunted. Installed by the ``fake_line``
fixture as a real plug-in, so workers find it the way they find real ones.
"""
from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from shapely.geometry import box

from generators.masks import Piece, cropped
from generators.render.protocol import ALL, Buffers
from scenes.errors import RecipeError
from scenes.family import Defect, Finding, Target, Taxonomy
from scenes.geometry import Coverage, Geometry, Instances, Mesh, PartKind, Slab

HOSTS = tuple(f"B{k + 1}" for k in range(12))
SIZE = 1.2e-3                                  # [m] side of a brick


@dataclass(frozen=True, eq=False)
class Plate:
    width: float
    height: float
    at: np.ndarray                             # (12, 2) [m]


@dataclass(frozen=True, eq=False)
class State:
    offset: np.ndarray                         # (12, 2) [m]
    present: np.ndarray                        # (12,)
    signals: dict[str, float] = field(default_factory=dict)


def _box_mesh() -> Mesh:
    half, v, faces = SIZE / 2, [], []
    for z in (0.0, 0.5e-3):
        v += [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    for a, b, c, d in ((3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)):
        faces += [(a, b, c), (a, c, d)]
    n = np.tile(np.float32([0, 0, 1]), (8, 1))
    return Mesh("brick", np.float32(v), n, np.uint32(faces), np.zeros(8, np.uint8), np.full(8, PartKind.BODY, np.uint8))


class Fake:
    name = "fake"
    taxonomy = Taxonomy((
        Defect("shift", "Shifted", "offset", "m", ((50e-6, 100e-6), (100e-6, 200e-6), (200e-6, 400e-6))),
        Defect("missing", "Missing"),
        Defect("haunted", "Haunted", "spirit", "1", ((0.0, 0.5), (0.5, 1.0))),
    ), ("brick",))

    def product(self, scene: Any) -> Plate:
        width, height = (float(v) * 1e-3 for v in scene.product.board.read_text().split())
        x, y = np.meshgrid((np.arange(4) + 0.5) * width / 4, (np.arange(3) + 0.5) * height / 3)
        return Plate(width, height, np.column_stack([x.ravel(), y.ravel()]))

    def box(self, product: Plate) -> tuple[float, float, float, float]:
        return 0.0, 0.0, product.width, product.height

    def process(self, product: Plate, drifts: Any) -> dict[str, Any]:
        unknown = sorted(set(drifts) - {"bias_um", "spread_um"})
        if unknown:
            raise RecipeError(f"process.drifts: '{unknown[0]}' is not known; known: bias_um, spread_um")
        return {"bias": drifts.get("bias_um", 0.0) * 1e-6, "spread": drifts.get("spread_um", 8.0) * 1e-6, "cause": None}

    def hosts(self, product: Plate, defect: str) -> tuple[str, ...]:
        return () if defect == "haunted" else HOSTS

    def condition(self, product: Plate, process: dict[str, Any], target: Target, rng: np.random.Generator) -> dict[str, Any]:
        low = target.low if math.isfinite(target.low) else 50e-6
        high = target.high if math.isfinite(target.high) else 400e-6
        return {**process, "cause": [target.defect, target.host, float(rng.uniform(low, high))]}

    def simulate(self, product: Plate, process: dict[str, Any], rng: np.random.Generator) -> State:
        offset = process["bias"] + process["spread"] * rng.standard_normal((12, 2))
        present = np.ones(12, bool)
        if process["cause"] is not None:
            defect, host, amount = process["cause"]
            k = HOSTS.index(host)
            if defect == "missing":
                present[k] = False
            else:
                offset[k] += [amount, 0.0]
        return State(offset, present, {"spi.offset_mean": float(offset.mean())})

    def findings(self, product: Plate, state: State, profile: Any) -> tuple[Finding, ...]:
        found = []
        for k, host in enumerate(HOSTS):
            size, at = float(np.hypot(*state.offset[k])), product.at[k]
            if not state.present[k]:
                land = box(at[0] - SIZE / 2, at[1] - SIZE / 2, at[0] + SIZE / 2, at[1] + SIZE / 2)
                found.append(Finding("missing", "missing", host, region=land))
            elif size > 50e-6:
                found.append(Finding("shift", "shift", host, instances=(2 + k,), severity=size, measured={"offset": size}))
            else:
                found.append(Finding("brick", "", host, instances=(2 + k,)))
        return tuple(found)

    def golden(self, product: Plate, state: State, findings: Any) -> State:
        bad = np.array([f.defect != "" for f in findings])
        return State(np.where(bad[:, None], 0.0, state.offset), np.ones(12, bool))

    def geometry(self, product: Plate, state: State, look: Any) -> Geometry:
        here = np.flatnonzero(state.present)
        pose = np.tile(np.eye(4), (len(here), 1, 1))
        pose[:, :2, 3] = product.at[here] + state.offset[here]
        w, h = product.width, product.height
        plate = Mesh("plate", np.float32([[0, 0, 0], [w, 0, 0], [w, h, 0], [0, h, 0]]), np.tile(np.float32([0, 0, 1]), (4, 1)),
                     np.uint32([[0, 1, 2], [0, 2, 3]]), np.zeros(4, np.uint8), np.full(4, PartKind.BOARD, np.uint8))
        slab = Slab(plate, Coverage(np.zeros((1, 1, 4), np.uint8), (0.0, 0.0), 1.0), 1e-3)
        return Geometry(slab, (Instances(_box_mesh(), pose, (2 + here).astype(np.uint32),
                                         np.ones((len(here), 3), np.float32), np.full(len(here), -1, np.int32)),))

    def process_to_dict(self, process: dict[str, Any]) -> dict[str, Any]:
        return dict(process)

    def process_from_dict(self, data: Any) -> dict[str, Any]:
        return dict(data)


class Painter:
    """Fills rectangles. ``FAKE_DELAY`` [s] slows every picture down, ``FAKE_DRIVER_DELAY`` those of a test's driver."""

    name, build = "fake", os.environ.get("FAKE_BUILD", "numpy rectangles 1")

    def __init__(self) -> None:
        driver = os.environ.get("FAKE_DRIVER") == str(os.getpid())
        self.delay = float(os.environ.get("FAKE_DRIVER_DELAY" if driver else "FAKE_DELAY", "0"))

    def _cells(self, geometry: Geometry, camera: Any) -> dict[int, tuple[slice, slice]]:
        cells = {}
        for group in geometry.instances:
            for pose, ident in zip(group.pose, group.instance, strict=True):
                pixels = camera.project(group.mesh.vertices @ pose[:3, :3].T + pose[:3, 3])
                x0, y0 = np.clip(np.round(pixels.min(axis=0)), 0, (camera.width, camera.height)).astype(int)
                x1, y1 = np.clip(np.round(pixels.max(axis=0)), 0, (camera.width, camera.height)).astype(int)
                if x1 > x0 and y1 > y0:
                    cells[int(ident)] = (slice(y0, y1), slice(x0, x1))
        return cells

    def render(self, geometry: Geometry, camera: Any, lighting: Any, look: Any, *,
               outputs: Any = ALL, noise_seed: int = 0) -> Buffers:
        time.sleep(self.delay)
        shape = (camera.height, camera.width)
        ids, part = np.ones(shape, np.uint32), np.full(shape, PartKind.BOARD, np.uint16)
        rgb = np.empty((*shape, 3), np.float64)
        rgb[:] = np.array(look.mask) * lighting.exposure * lighting.white_balance
        for ident, cell in self._cells(geometry, camera).items():
            ids[cell], part[cell], rgb[cell] = ident, PartKind.BODY, 0.2 + 0.05 * (ident % 7)
        rgb += lighting.noise * np.random.Generator(np.random.PCG64(noise_seed)).standard_normal(rgb.shape)
        depth = np.where(part == PartKind.BODY, camera.distance - 0.5e-3, camera.distance).astype(np.float32)
        normal = np.zeros((*shape, 3), np.float32)
        normal[..., 2] = 1
        return Buffers((np.clip(rgb, 0, 1) * 255).astype(np.uint8), depth, normal, ids, part)

    def silhouettes(self, geometry: Geometry, camera: Any, ids: Any) -> dict[int, Piece]:
        cells, masks = self._cells(geometry, camera), {}
        for ident in ids:
            mask = np.zeros((camera.height, camera.width), bool)
            if ident in cells:
                mask[cells[ident]] = True
            if (piece := cropped(mask)) is not None:
                masks[ident] = piece
        return masks

    def close(self) -> None:
        pass


FAMILY = Fake()


def open() -> Painter:
    return Painter()
