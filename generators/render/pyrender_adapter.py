"""pyrender 0.1.45 behind our protocol: a second, independent implementation, for comparison and where ours does not run.

What differs from ``gl``: rings and dome become ambient light and, for rings, lamps from four sides (pyrender has at most
four lamps with shadows); marks and tints of packages are not drawn; normals have 8 bits. Ids, parts and depth agree.
"""
from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.imaging.recording import recorded
from generators.masks import Piece, cropped
from generators.render import develop
from generators.render.artwork_color import compose, crop
from generators.render.films import films
from generators.render.lighting import diffuse_share
from generators.render.protocol import ALL, Buffers
from generators.render.surfaces import material_table
from generators.render.texels import drilled, pads, under
from generators.render.view import height_of, reach, seen, window
from scenes.errors import BackendError, BackendUnavailable, InputError
from scenes.geometry import BOARD_ID, Geometry, PartKind
from scenes.optics import Camera, Directional, Lighting, Look

INSTALL = ("pip install --no-deps pyrender==0.1.45, then pip install 'linetwin[pyrender]' (PyOpenGL 3.1.10), and OpenGL with EGL "
           "(Debian and Ubuntu: libegl1 libgl1 libgl1-mesa-dri)")
MAX_LAMPS = 4
SCALE = 1e3                                    # scene in millimetres: pyrender's shadow offsets are made for such numbers
FILM_LIFT = 1e-6                               # [m] films lie this far above the board

_NORMAL_VERT = """#version 330 core
layout(location = 0) in vec3 position;
#ifdef NORMAL_LOC
layout(location = NORMAL_LOC) in vec3 normal;
#endif
layout(location = INST_M_LOC) in mat4 inst_m;
uniform mat4 M;
uniform mat4 V;
uniform mat4 P;
out vec3 n;
void main() {
    gl_Position = P * V * M * inst_m * vec4(position, 1);
    n = mat3(V * M * inst_m) * normal;
}
"""
_NORMAL_FRAG = """#version 330 core
in vec3 n;
out vec4 frag_color;
uniform vec3 color;
void main() { frag_color = vec4(normalize(n) * 0.5 + 0.5 + 0.0 * color, 1.0); }
"""


def lamps_for(lighting: Lighting) -> tuple[tuple[float, float, float], list[Directional]]:
    """Ambient light and at most four lamps with about the same light on a level surface."""
    lamps = list(lighting.directional)
    ambient = np.asarray(lighting.dome, float)
    free = MAX_LAMPS - len(lamps)
    for ring in lighting.rings:
        level = np.asarray(ring.radiance) * float(diffuse_share(ring.zenith_max)[0] - diffuse_share(ring.zenith_min)[0])
        ambient = ambient + (0 if free == MAX_LAMPS else 1) * level
    if free == MAX_LAMPS and lighting.rings:
        total, zenith = np.zeros(3), 0.0
        for ring in lighting.rings:
            level = np.asarray(ring.radiance) * float(diffuse_share(ring.zenith_max)[0] - diffuse_share(ring.zenith_min)[0])
            total, zenith = total + level, zenith + level.sum() * (ring.zenith_min + ring.zenith_max) / 2
        zenith = zenith / max(total.sum(), 1e-12)
        for azimuth in np.arange(4) * np.pi / 2 + np.pi / 4:
            direction = (np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith))
            lamps.append(Directional(direction, tuple(total / 4 / max(np.cos(zenith), 0.1))))
    return (float(ambient[0]), float(ambient[1]), float(ambient[2])), lamps


class PyrenderRenderer:
    """Renderer by pyrender. One per process, and not in one with another user of OpenGL's current context."""

    name = "pyrender"

    def __init__(self, *, shadows: bool = True) -> None:
        os.environ["PYOPENGL_PLATFORM"] = "egl"
        try:
            if not hasattr(np, "infty"):
                vars(np)["infty"] = np.inf     # pyrender was written for NumPy 1
            import OpenGL
            import pyrender
            from pyrender.shader_program import ShaderProgramCache
        except ImportError as error:
            raise BackendUnavailable(f"renderer 'pyrender': {error}; {INSTALL}") from error
        self._lib = pyrender
        self._shadows = shadows
        self._dead: str | None = None
        self._scene: _Scene | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="linetwin-shaders-")
        folder = Path(self._folder.name)
        (folder / "segmentation.vert").write_text(_NORMAL_VERT)
        (folder / "segmentation.frag").write_text(_NORMAL_FRAG)
        try:
            self._canvas = pyrender.OffscreenRenderer(64, 64)
        except Exception as error:
            raise BackendUnavailable(f"renderer 'pyrender': no OpenGL through EGL ({error}); {INSTALL}") from error
        self._normals = ShaderProgramCache(str(folder))
        # nodes share their meshes, and visibility belongs to the mesh: what a tile cannot see is left out of the node list
        inner = self._canvas._renderer
        every = inner._sorted_mesh_nodes
        inner._sorted_mesh_nodes = lambda scene: [n for n in every(scene) if self._scene is None or n not in self._scene.hidden]
        self.build = f"pyrender {pyrender.__version__}; PyOpenGL {OpenGL.__version__}"

    def render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, *,
               outputs: Collection[str] = ALL, noise_seed: int = 0) -> Buffers:
        """One picture with its labels. See the protocol."""
        unknown = set(outputs) - ALL
        if unknown:
            raise InputError(f"outputs: {', '.join(sorted(unknown))} unknown; known: {', '.join(sorted(ALL))}")
        if len(lighting.directional) > MAX_LAMPS:
            raise InputError(f"lighting.directional: {len(lighting.directional)} lamps; at most {MAX_LAMPS}")
        if self._dead is not None:
            raise BackendError(f"renderer 'pyrender': {self._dead}; open a new one")
        try:
            return self._render(geometry, camera, lighting, look, frozenset(outputs), noise_seed)
        except Exception as error:
            self._dead = "stopped after an error"
            raise BackendError(f"renderer 'pyrender': {type(error).__name__}: {error}; open a new one") from error

    def silhouettes(self, geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, Piece]:
        """Amodal masks, one pass per id. See the protocol."""
        if self._dead is not None:
            raise BackendError(f"renderer 'pyrender': {self._dead}; open a new one")
        scene = self._aim(geometry, camera, Look())
        out = {}
        for i in ids:
            nodes = {node: color for node, color in scene.colors.items() if scene.tags[node][0] == i}
            if nodes:
                image, depth = self._draw(scene, nodes)
                mask: NDArray[np.bool_] = np.asarray(image.any(axis=-1))
                if i == BOARD_ID:
                    mask &= ~drilled(under(geometry.slab.coverage, camera, depth_of(depth, camera)))
                piece = cropped(mask)
                if piece is not None:
                    out[int(i)] = piece
        return out

    def close(self) -> None:
        if self._dead is None:
            self._dead = "closed"
            self._canvas.delete()
            self._folder.cleanup()

    def _aim(self, geometry: Geometry, camera: Camera, look: Look) -> _Scene:
        if self._scene is None or self._scene.geometry is not geometry:
            self._scene = _Scene(self._lib, geometry)
        self._canvas.viewport_width, self._canvas.viewport_height = camera.width, camera.height
        self._scene.aim(camera, look)
        return self._scene

    def _draw(self, scene: _Scene, nodes: dict[Any, Any]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        return self._canvas.render(scene.scene, flags=self._lib.RenderFlags.SEG, seg_node_map=nodes)

    def _render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, outputs: frozenset[str],
                noise_seed: int) -> Buffers:
        if camera.lens is not None and camera.lens.distorts:
            raise InputError("renderer 'pyrender': draws no lens distortion; use renderer gl, or set k1, k2, p1 and p2 to 0")
        scene = self._aim(geometry, camera, look)
        rgb = depth = normal = instance = part = None
        if outputs - {"rgb"}:
            image, raw = self._draw(scene, scene.colors)
            depth = depth_of(raw, camera)
            number = image.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], np.uint32)
            texels = under(geometry.slab.coverage, camera, depth)
            holes = drilled(texels) & (number == scene.board_number)
            number[holes], depth[holes] = 0, np.inf
            table = scene.table()
            instance, part = table[number, 0], table[number, 1].astype(np.uint16)
            part[(part == PartKind.BOARD) & pads(texels)] = PartKind.PAD
            if "normal" in outputs:
                own = self._canvas._renderer._program_cache
                self._canvas._renderer._program_cache = self._normals
                try:
                    image, _ = self._draw(scene, scene.colors)
                finally:
                    self._canvas._renderer._program_cache = own
                normal = image.astype(np.float32) * np.float32(2 / 255) - 1
                normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
                normal[number == 0] = 0
        if "rgb" in outputs:
            ambient, lamps = lamps_for(lighting)
            scene.light(ambient, lamps, lighting, look)
            flags = self._lib.RenderFlags.SHADOWS_DIRECTIONAL if self._shadows else self._lib.RenderFlags.NONE
            image, _ = self._canvas.render(scene.scene, flags=flags)
            rgb = recorded(np.ascontiguousarray(image), camera, lighting, noise_seed, depth)
        return Buffers(rgb=rgb, depth=depth if "depth" in outputs else None, normal=normal,
                       instance=instance if "instance" in outputs else None, part=part if "part" in outputs else None)


def depth_of(raw: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    """pyrender's depth → metres, +inf where nothing is: it linearises as if every camera were a perspective one."""
    empty = raw == 0
    out = raw / np.float32(SCALE)
    if camera.model == "telecentric":
        n, f = camera.near, camera.far
        with np.errstate(divide="ignore"):
            out = (n + f - n * f / out.astype(np.float64)).astype(np.float32)
    out[empty] = np.inf
    return out


class _Scene:
    """One geometry as pyrender nodes: one per instance and part, so that each has its own colour in the id pass."""

    def __init__(self, lib: Any, geometry: Geometry) -> None:
        self.lib, self.geometry = lib, geometry
        self.scene = lib.Scene(bg_color=(0, 0, 0, 1))
        self.hidden: set[Any] = set()
        self.tags: dict[Any, tuple[int, int]] = {}
        self.colors: dict[Any, tuple[int, int, int]] = {}
        self._places: list[tuple[Any, NDArray[np.float64], float]] = []
        self._top = max(height_of(geometry), 0.0)
        self._board: Any = None
        self._lights: list[Any] = []
        self._camera: Any = None
        self._materials = material_table(geometry.materials)
        for group in geometry.instances:
            m = group.mesh
            pieces = self._pieces(m.vertices, m.normals, m.faces, m.material, m.part, None)
            centers, radius = reach(group)
            for pose, instance, center in zip(group.pose, group.instance, centers, strict=True):
                place = pose.copy()
                place[:3, 3] *= SCALE
                for part, shape in pieces.items():
                    self._add(shape, place, int(instance), part, center, radius)
        soup = geometry.soup
        if len(soup.faces):
            of_face = soup.instance[soup.faces[:, 0]]
            order = np.argsort(of_face, kind="stable")
            for chunk in np.split(order, np.flatnonzero(np.diff(of_face[order])) + 1):
                faces = soup.faces[chunk]
                pieces = self._pieces(soup.vertices, soup.normals, faces, soup.material, soup.part, soup.roughness)
                corners = soup.vertices[faces].reshape(-1, 3)
                center = corners.mean(axis=0).astype(np.float64)
                for part, shape in pieces.items():
                    self._add(shape, np.eye(4), int(of_face[chunk[0]]), part, center,
                              float(np.abs(corners - center).max()) * 1.8)
        for decal in geometry.decals:
            rows = films([decal])
            material = lib.MetallicRoughnessMaterial(baseColorFactor=(*decal.color, decal.alpha), metallicFactor=0.0,
                                                     roughnessFactor=decal.roughness, alphaMode="BLEND")
            points = rows["position"] * np.float32(SCALE) + np.array([0, 0, FILM_LIFT * SCALE], np.float32)
            primitive = lib.Primitive(points, normals=rows["normal"], material=material)
            middle = np.array([*decal.outline.centroid.coords[0][:2], 0.0])
            x0, y0, x1, y1 = decal.outline.bounds
            radius = float(np.hypot(x1 - x0, y1 - y0))
            self._add(lib.Mesh([primitive]), np.eye(4), decal.instance, int(decal.part), middle, radius)
        mesh = geometry.slab.mesh
        side = mesh.normals[mesh.faces[:, 0]][:, 2] < 0.5
        pieces = self._pieces(mesh.vertices, mesh.normals, mesh.faces[side], mesh.material, mesh.part, None)
        for shape in pieces.values():
            self._add(shape, np.eye(4), BOARD_ID, int(PartKind.BOARD), np.zeros(3), np.inf)
        self.board_number = len(self.tags) + 1

    def _pieces(self, vertices: Any, normals: Any, faces: Any, material: Any, part: Any, roughness: Any) -> dict[int, Any]:
        out: dict[int, list[Any]] = {}
        of_face = part[faces[:, 0]].astype(np.int64) * 256 + material[faces[:, 0]]
        for key in np.unique(of_face):
            chosen = faces[of_face == key]
            used, index = np.unique(chosen, return_inverse=True)
            row = self._materials[key % 256]
            rough = float(row[4]) if roughness is None or roughness[used[0]] < 0 else float(roughness[used[0]])
            surface = self.lib.MetallicRoughnessMaterial(baseColorFactor=(*map(float, row[:3]), 1.0),
                                                         metallicFactor=float(row[3]), roughnessFactor=rough)
            out.setdefault(int(key // 256), []).append(self.lib.Primitive(
                vertices[used] * np.float32(SCALE), normals=normals[used], indices=index.reshape(-1, 3), material=surface))
        return {part_: self.lib.Mesh(primitives) for part_, primitives in out.items()}

    def _add(self, shape: Any, pose: NDArray[np.float64], instance: int, part: int, center: Any,
             radius: float) -> Any:
        node = self.scene.add(shape, pose=pose)
        number = len(self.tags) + 1
        self.tags[node] = instance, part
        self.colors[node] = number & 255, (number >> 8) & 255, number >> 16
        self._places.append((node, np.asarray(center, float)[None], radius))
        return node

    def table(self) -> NDArray[np.uint32]:
        """Number in the id picture → instance and part."""
        return np.array([(0, 0), *self.tags.values()], np.uint32)

    def aim(self, camera: Camera, look: Look) -> None:
        """Point the camera, hide what it cannot see, and lay the artwork under it."""
        lib, slab = self.lib, self.geometry.slab
        area = window(camera, -slab.thickness, self._top).grown(2e-3)
        self.hidden = {node for node, center, radius in self._places if not seen(center, radius, area)[0]}
        half_w, half_h = camera.width * camera.pixel_size / 2, camera.height * camera.pixel_size / 2
        near, far = camera.near * SCALE, camera.far * SCALE
        lens = (lib.OrthographicCamera(half_w * SCALE, half_h * SCALE, near, far) if camera.model == "telecentric" else
                lib.PerspectiveCamera(2 * np.arctan(half_h / camera.distance), near, far, camera.width / camera.height))
        place = camera.pose.copy()
        place[:3, 3] *= SCALE
        for node in (self._camera, self._board):
            if node is not None:
                self.scene.remove_node(node)
        self._camera = self.scene.add(lens, pose=place)
        self.scene.main_camera_node = self._camera
        if self._board is not None:
            del self.tags[self._board], self.colors[self._board]
        texels, covered = crop(slab.coverage, area, 2048)
        color, surface = compose(texels, look, self.geometry.materials)
        # four channels: pyrender uploads rows at their own length, OpenGL expects a multiple of four bytes
        packed = np.full((*surface.shape[:2], 4), 255, np.uint8)
        packed[..., 1], packed[..., 2] = surface[..., 1] * 255, surface[..., 0] * 255
        painted = np.full_like(packed, 255)
        painted[..., :3] = develop.encode(color)
        material = lib.MetallicRoughnessMaterial(
            baseColorTexture=lib.Texture(source=painted, source_channels="RGBA"), metallicFactor=1.0, roughnessFactor=1.0,
            metallicRoughnessTexture=lib.Texture(source=packed, source_channels="RGBA"))
        mesh = slab.mesh
        top = mesh.faces[mesh.normals[mesh.faces[:, 0]][:, 2] > 0.5]
        points = mesh.vertices[top].reshape(-1, 3)
        uv = (points[:, :2] - (covered.x0, covered.y0)) / (covered.x1 - covered.x0, covered.y1 - covered.y0)
        primitive = lib.Primitive(points * np.float32(SCALE), normals=mesh.normals[top].reshape(-1, 3),
                                  texcoord_0=uv.astype(np.float32), material=material)
        self._board = self._add(lib.Mesh([primitive]), np.eye(4), BOARD_ID, int(PartKind.BOARD), np.zeros(3), np.inf)
        self._places.pop()

    def light(self, ambient: tuple[float, float, float], lamps: Sequence[Directional], lighting: Lighting, look: Look) -> None:
        gain = lighting.exposure * np.asarray(lighting.white_balance, float)
        self.scene.ambient_light = np.asarray(ambient) * gain
        self.scene.bg_color = np.array([*look.background, 1.0])
        for node in self._lights:
            self.scene.remove_node(node)
        self._lights = []
        for lamp in lamps:
            back = np.asarray(lamp.direction, float) / np.linalg.norm(lamp.direction)
            right = np.cross((0.0, 1.0, 0.0) if abs(back[1]) < 0.9 else (1.0, 0.0, 0.0), back)
            right /= np.linalg.norm(right)
            pose = np.eye(4)
            pose[:3, :3] = np.column_stack([right, np.cross(back, right), back])
            color = np.asarray(lamp.irradiance) * gain
            strength = max(float(color.max()), 1e-9)
            light = self.lib.DirectionalLight(color=color / strength, intensity=np.pi * strength)
            self._lights.append(self.scene.add(light, pose=pose))


def open(**options: Any) -> PyrenderRenderer:
    """Entry point of the plug-in ``pyrender``. Raises BackendUnavailable."""
    return PyrenderRenderer(**options)


__all__ = ["PyrenderRenderer", "depth_of", "lamps_for", "open"]
