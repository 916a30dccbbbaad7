"""STEP, glTF and other mesh files → one triangle mesh in metres.

STEP goes through cascadio (OpenCASCADE), whose glTF output is in metres whatever unit the file uses and keeps the file's
axes. glTF is in metres by definition. STL, PLY and OBJ carry no unit and are refused: a guess would be off by 1000.
"""
from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from scenes.cad.roots import read_bytes
from scenes.errors import AssetError, BackendUnavailable

if TYPE_CHECKING:
    import trimesh

STEP, GLTF = (".step", ".stp"), (".gltf", ".glb")
MAX_FACES = 2_000_000
CHORD, ANGLE = 0.01, 0.5                       # [mm], [rad] tessellation: 10 µm off a curve is half a pixel of an AOI camera


def load_mesh(path: str | Path, roots: Sequence[str | Path]) -> trimesh.Trimesh:
    """The whole content of a STEP or glTF file as one mesh.

    Args:
        path: A .step, .stp, .gltf or .glb file.
        roots: Folders; the file, and every file that it refers to, must lie inside one of them.

    Returns:
        Triangles in the file's own frame [m]; face colours are kept where the file has them.

    Raises:
        AssetError: outside the roots, missing, too large, of another kind, or it does not parse.
        BackendUnavailable: STEP without cascadio.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in STEP + GLTF:
        raise AssetError(f"{path}: '{suffix}' is not read; convert it to STEP or glTF, which carry their unit")
    data = read_bytes(path, roots)
    if suffix in STEP:
        data, suffix, resolver = _step(path, data), ".glb", None
    else:
        resolver = _references(path, data, suffix, roots)
    import trimesh

    try:
        loaded: Any = trimesh.load(io.BytesIO(data), file_type=suffix[1:], resolver=resolver)
        mesh = loaded.to_mesh() if isinstance(loaded, trimesh.Scene) else loaded
    except AssetError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0][:100] if str(error) else ""
        raise AssetError(f"{path}: does not parse as glTF ({error.__class__.__name__} {reason}); export it again") from None
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        raise AssetError(f"{path}: holds no surface; export a solid or a mesh")
    if len(mesh.faces) > MAX_FACES:
        raise AssetError(f"{path}: {len(mesh.faces)} triangles; at most {MAX_FACES} are read, so simplify the model")
    return mesh


def _step(path: str | Path, data: bytes) -> bytes:
    """STEP → GLB, on one thread so that equal files give equal meshes."""
    try:
        import cascadio
    except ImportError:
        raise BackendUnavailable(f"{path}: STEP files need cascadio; install the extra: pip install 'linetwin[cad]'") from None
    # OpenCASCADE aborts late and noisily on text that is no STEP at all; the first and last keywords tell cheaply.
    if not data.lstrip()[:13].startswith(b"ISO-10303-21;") or b"END-ISO-10303-21" not in data[-4096:]:
        raise AssetError(f"{path}: does not parse as STEP (ISO-10303-21 header or end is missing); "
                         "the file is cut off or is not STEP, export it again")
    with _quiet():
        glb = cascadio.load(data, "step", tol_linear=CHORD, tol_angular=ANGLE, use_parallel=False)
    if not glb:
        raise AssetError(f"{path}: does not parse as STEP; open it in a CAD program and export it again as AP214 or AP242")
    return bytes(glb)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the C++ library's own messages off the terminal: our errors are one line."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for number, saved in zip((1, 2), kept, strict=True):
            os.dup2(saved, number)
            os.close(saved)
        os.close(nowhere)


def _references(path: str | Path, data: bytes, suffix: str, roots: Sequence[str | Path]) -> Any:
    """A trimesh resolver over the files that a glTF names, each read here so that none can lie outside ``roots``."""
    from trimesh.resolvers import Resolver

    # The names are kept as written: trimesh asks for them in that form, unquoted or not.
    files = {name: read_bytes(Path(path).parent / unquote(uri), roots) for uri in gltf_names(path, data, suffix)
             for name in (uri, unquote(uri))}

    class Known(Resolver):                     # type: ignore[misc]
        """Hands out what was read above, and nothing else."""

        def __init__(self, source: Any = None) -> None:
            pass

        def get(self, name: str) -> bytes:
            return files[name]

        def write(self, name: str, data: bytes) -> None:
            raise PermissionError(name)

        def keys(self) -> Any:
            return files.keys()

        def namespaced(self, namespace: str) -> Any:
            return self

    return Known()


def gltf_names(path: str | Path, data: bytes, suffix: str) -> list[str]:
    """The files that a glTF or GLB names, as it writes them. Raises AssetError where it does not parse."""
    text = data
    if suffix == ".glb":
        length = int.from_bytes(data[12:16], "little")
        text = data[20:20 + length]
        if data[:4] != b"glTF" or len(text) != length:
            raise AssetError(f"{path}: does not parse as glTF (binary header); the file is cut off or not GLB, export it again")
    try:
        tree = json.loads(text)
        items = [*tree.get("buffers", []), *tree.get("images", [])]
        return [item["uri"] for item in items if "uri" in item and not item["uri"].startswith("data:")]
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        raise AssetError(f"{path}: does not parse as glTF (JSON); export it again") from None


__all__ = ["GLTF", "MAX_FACES", "gltf_names", "load_mesh"]
