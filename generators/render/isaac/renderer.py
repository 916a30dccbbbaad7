"""Isaac Sim behind our protocol. Tested against a stand-in alone: no RTX GPU has run it yet.

What differs from ``gl``: pixels are RTX's through its film response, and differ a little from run to run; a ring light is a ring
of disks. Ids and depth are the stage's: every number is mapped to a label or refused, and each picture is held against the
geometry. Lands and holes come from the artwork, as with ``pyrender``, films from their outlines.
"""
from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generators.imaging.recording import recorded
from generators.masks import Piece, rasterise
from generators.render import develop
from generators.render.artwork_color import compose, crop
from generators.render.isaac import arrays, bench, exposure
from generators.render.isaac.checks import check_frame
from generators.render.isaac.child import MAIN, Worker
from generators.render.isaac.delta import Sheet, Shown
from generators.render.isaac.lamps import lamps
from generators.render.isaac.messages import Capture, Close, Delta, Hello, HelloAnswer, Lamp, OpenStage
from generators.render.isaac.prints import Prints, prints_of
from generators.render.isaac.settings import Setup, from_environment
from generators.render.protocol import ALL, Buffers
from generators.render.silhouettes import silhouettes
from generators.render.texels import drilled, pads, plane, under
from generators.render.view import height_of, window
from scenes.errors import BackendError, InputError, StorageError
from scenes.geometry import BOARD_ID, Geometry, PartKind
from scenes.optics import Camera, Lighting, Look

TEXELS = 2048                                  # most texels a side of the artwork under one picture
EDITS_MOST = 4096                              # in one request: with paths of 1000 characters still half of what a line may have
END = 20.0                                     # [s] that Isaac Sim gets to end by itself


class IsaacRenderer:
    """Renderer by a worker process with Isaac Sim. See the package for its settings.

    Args:
        setup: How the worker is started; from the environment where it is None.

    Raises:
        BackendUnavailable: it cannot start here, and why.
    """

    name = "isaac"

    def __init__(self, setup: Setup | None = None, *, main: Any = MAIN) -> None:
        setup = from_environment() if setup is None else setup
        self._setup, self._worker = setup, Worker(setup, main)
        self._dead: str | None = None
        self._shown: Shown | None = None
        self._slab: Any = None
        self._geometry: Geometry | None = None
        self._textures: tuple[Any, tuple[str, ...]] = (None, ())       # what the pictures in the stage are of; their files
        self._prints: tuple[Any, tuple[str, ...]] = (None, ())
        self._folder, self._numbers = "card", 0                        # of the stage that is open, in the shared folder
        try:
            hello: HelloAnswer = self._worker.ask(Hello, shared=str(self._worker.shared), mode=setup.mode, offline=setup.offline,
                                                  settings=dict(setup.settings))
            self._worker.started = True
            self._gain = self._expose()
        except BaseException:
            self._worker.end()
            raise
        said = hello.versions
        self.build = (f"Isaac Sim {said.get('isaacsim', 'of unknown version')}; {setup.mode}, {setup.subframes} subframes; "
                      f"Python {said.get('python', '')}; pixels are not repeatable")

    def render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, *,
               outputs: Collection[str] = ALL, noise_seed: int = 0) -> Buffers:
        """One picture with its labels. See the protocol; equal arguments give equal labels, and colours that are nearly equal."""
        unknown = set(outputs) - ALL
        if unknown:
            raise InputError(f"outputs: {', '.join(sorted(unknown))} unknown; known: {', '.join(sorted(ALL))}")
        if camera.lens is not None and camera.lens.distorts:
            raise InputError("renderer 'isaac': draws no lens distortion; use renderer gl, or set k1, k2, p1 and p2 to 0")
        if self._dead is not None:
            raise BackendError(f"renderer 'isaac': {self._dead}; open a new one")
        try:
            return self._render(geometry, camera, lighting, look, frozenset(outputs), noise_seed)
        except BaseException:
            self._dead = "stopped after an error"
            self._worker.end()
            raise

    def silhouettes(self, geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, Piece]:
        """Amodal masks, from the geometry itself: one capture per id would cost minutes. See the protocol."""
        if self._dead is not None:
            raise BackendError(f"renderer 'isaac': {self._dead}; open a new one")
        return silhouettes(geometry, camera, ids)

    def close(self) -> None:
        if self._dead is None:
            self._dead = "closed"
            try:
                self._worker.ask(Close)
            except BackendError:
                return                         # it has gone already, and nobody waits for anything of it
            self._worker.end(END)

    def _expose(self) -> float:
        """The gain, by a grey card. Raises BackendError."""
        folder = self._worker.shared / "card"
        try:
            folder.mkdir()
            (folder / "card.usda").write_text(exposure.STAGE)
        except OSError as error:
            raise _full(self._worker.shared, error) from None
        self._worker.ask(OpenStage, stage="card/card.usda")
        intensity, seen = exposure.FIRST, 0.0
        for _ in range(exposure.STEPS):
            dome = Lamp(path=exposure.DOME, kind="dome", intensity=intensity, color=(1.0, 1.0, 1.0))
            self._worker.ask(Delta, edits=(dome,))
            rgb = self._capture(exposure.CAMERA, exposure.SIZE, exposure.SIZE, {"rgb"}, lit=False)["rgb"]
            seen = exposure.level(rgb)
            further = exposure.next_intensity(intensity, seen)
            if further is None:
                return intensity
            intensity = further
        raise exposure.refused(seen)

    def _render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, outputs: frozenset[str],
                noise_seed: int) -> Buffers:
        shown = self._show(geometry, camera, look)
        sheet = Sheet()
        if geometry is not self._geometry:
            shown.to_unit(bench.unit_of(geometry), geometry.materials, sheet)
        stale = self._lay(shown, geometry, camera, look, sheet) + self._print(shown, geometry, look, sheet)
        lights = lamps(lighting, camera, shown.paths.bench, self._gain)
        shown.to_lamps(lights, sheet)
        shown.to_camera(camera, sheet)
        self._change(sheet)
        self._geometry = geometry
        for name in stale:
            (self._worker.shared / name).unlink(missing_ok=True)

        need = {"depth", "instance", "part"} | (outputs & {"rgb", "normal"}) | ({"normal"} if _sees_sides(camera) else set())
        lit = any(lamp.intensity > 0 for lamp in lights.values())
        found = self._capture(shown.paths.camera, camera.width, camera.height, need, lit=lit)
        instance, part, depth, normal = found["instance"], found["part"], found["depth"], found.get("normal")
        check_frame(instance, depth, geometry, camera)
        _finished(geometry, camera, instance, part, depth, normal)
        nothing = instance == 0
        if normal is not None:
            normal[nothing] = 0
        rgb = None
        if "rgb" in outputs:
            colors = found["rgb"]
            colors[nothing] = np.round(np.clip(look.background, 0, 1) * np.float64(255)).astype(np.uint8)
            rgb = recorded(colors, camera, lighting, noise_seed, depth)
        return Buffers(rgb=rgb, depth=depth if "depth" in outputs else None, normal=normal if "normal" in outputs else None,
                       instance=instance if "instance" in outputs else None, part=part if "part" in outputs else None)

    def _show(self, geometry: Geometry, camera: Camera, look: Look) -> Shown:
        """The stage of this product: written and opened once."""
        if self._shown is None or self._slab is not geometry.slab:
            self._numbers += 1
            contents = bench.told(geometry, camera, look)
            folder, before = f"stage-{self._numbers}", self._folder
            paths = bench.written(contents, self._worker.shared / folder)
            self._worker.ask(OpenStage, stage=f"{folder}/line.usda")
            self._shown, self._slab, self._geometry = Shown.of(contents, paths), geometry.slab, None
            for name in self._textures[1] + self._prints[1]:
                (self._worker.shared / name).unlink(missing_ok=True)
            shutil.rmtree(self._worker.shared / before, ignore_errors=True)
            self._folder, self._textures, self._prints = folder, (None, ()), (None, ())
        return self._shown

    def _lay(self, shown: Shown, geometry: Geometry, camera: Camera, look: Look, sheet: Sheet) -> tuple[str, ...]:
        """The artwork under the picture, as sharp as it is. Gives the files that are not needed after the delta."""
        slab = geometry.slab
        area = window(camera, -slab.thickness, max(height_of(geometry), 0.0)).grown(2e-3)
        key = slab, area, look, geometry.materials
        held, files = self._textures
        if held is not None and all(a is b or a == b for a, b in zip(held, key, strict=True)):
            return ()
        texels, covered = crop(slab.coverage, area, TEXELS)
        color, surface = compose(texels, look, geometry.materials)
        packed = np.full((*surface.shape[:2], 3), 255, np.uint8)
        packed[..., 1], packed[..., 2] = surface[..., 1] * 255, surface[..., 0] * 255
        names = self._picture(develop.encode(color)), self._picture(packed)
        shown.to_artwork(names, (covered.x0, covered.y0, covered.x1, covered.y1), sheet)
        self._textures = key, names
        return files

    def _print(self, shown: Shown, geometry: Geometry, look: Look, sheet: Sheet) -> tuple[str, ...]:
        """The marks on packages. Gives the file that is not needed after the delta."""
        key = geometry, look.marking_contrast
        held, files = self._prints
        if held is not None and held[0] is geometry and held[1] == key[1]:
            return ()
        prints = prints_of(geometry, look)
        name = self._picture(prints.picture) if prints is not None else ""
        shown.to_prints(prints or Prints(np.zeros((1, 1, 3), np.uint8), ()), name, sheet)
        self._prints = key, (name,) if name else ()
        return files

    def _picture(self, picture: NDArray[np.uint8]) -> str:
        """Write a texture under a new name. Raises StorageError."""
        self._numbers += 1
        name = f"t{self._numbers}.png"
        try:
            Image.fromarray(picture).save(self._worker.shared / name, compress_level=1)
        except OSError as error:
            raise _full(self._worker.shared, error) from None
        return name

    def _change(self, sheet: Sheet) -> None:
        if not sheet.edits:
            return
        self._numbers += 1
        files = arrays.saved(sheet.arrays(), self._worker.shared, f"d{self._numbers}")
        for first in range(0, len(sheet.edits), EDITS_MOST):
            self._worker.ask(Delta, arrays=files, edits=tuple(sheet.edits[first:first + EDITS_MOST]))
        for name in files.values():
            (self._worker.shared / name).unlink(missing_ok=True)

    def _capture(self, camera: str, width: int, height: int, buffers: Collection[str], *, lit: bool) -> dict[str, NDArray[Any]]:
        answer = self._worker.ask(Capture, camera=camera, width=width, height=height, buffers=tuple(sorted(buffers)),
                                  subframes=self._setup.subframes, lit=lit)
        return arrays.taken(answer.files, self._worker.shared, buffers, (height, width))


def _full(shared: Path, error: OSError) -> StorageError:
    return StorageError(f"{shared}: cannot be written ({error.strerror}); free space there, or set TMPDIR")


def _sees_sides(camera: Camera) -> bool:
    """Whether a pixel of the board may be one of its sides. Straight from above it is always its top."""
    return camera.model != "telecentric" or bool(camera.pose[2, 2] < 1 - 1e-12)


def _finished(geometry: Geometry, camera: Camera, instance: NDArray[np.uint32], part: NDArray[np.uint16],
              depth: NDArray[np.float32], normal: NDArray[np.float32] | None) -> None:
    """Holes, lands and films, which the stage's meshes do not have or a renderer may see through. In place.

    Where a pixel lies on the board's top is computed from its ray, not from its depth: that may be 2e-3 off (``checks``), and a
    land's place would be lost long before.

    Args:
        normal: camera frame; None where ``_sees_sides`` is False.
    """
    board = instance == BOARD_ID
    top = board if normal is None else board & (normal @ camera.pose[2, :3].astype(np.float32) > 0.5)
    texels = under(geometry.slab.coverage, camera, np.where(top, plane(camera), np.inf))
    holes = board & drilled(texels)
    instance[holes], part[holes], depth[holes] = 0, PartKind.BACKGROUND, np.inf
    part[board & ~holes & (part == PartKind.BOARD) & pads(texels)] = PartKind.PAD
    films = {d.instance for d in geometry.decals}
    bare = (board & ~holes) | np.isin(instance, list(films))
    for decal in geometry.decals:              # later ones lie over earlier ones
        land = rasterise(decal.outline, camera)
        if land is not None:
            (x, y, w, h), inside = land
            here = np.s_[y:y + h, x:x + w]
            mine = inside & bare[here]
            instance[here][mine], part[here][mine] = decal.instance, int(decal.part)


def open(**options: Any) -> IsaacRenderer:
    """Entry point of the plug-in ``isaac``. Raises BackendUnavailable."""
    return IsaacRenderer(**options)


__all__ = ["IsaacRenderer", "open"]
