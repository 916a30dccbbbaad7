"""Contents of a scene: from a unit's geometry and the stations' cameras to what a stage says."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.equipment.model import TRANSPORT
from scenes.geometry import Decal, Geometry, Instances, Mesh, PartKind, Slab, Soup
from scenes.materials import TABLE, Material
from scenes.optics import Camera
from scenes.scene import Scene
from scenes.usd.contents import (
    Artwork,
    Contents,
    Film,
    Modality,
    Node,
    Package,
    Part,
    Piece,
    Place,
    Solid,
    Unit,
    View,
)
from scenes.usd.names import BOARD_TOP, LIFT, prim_name, unused
from scenes.usd.tidy import has_area, tidy, unit_length

PITCH = 2.0                                    # [m] from station to station where nobody says how the line stands


def contents_of(scene: Scene, geometry: Geometry, names: Mapping[int, str], views: Mapping[str, Sequence[View]], *,
                states: Sequence[tuple[str, Geometry]] = (), classes: Mapping[int, str] | None = None,
                artwork: Artwork | None = None, places: Mapping[str, NDArray[np.float64]] | None = None,
                benches: Mapping[str, NDArray[np.float64]] | None = None, machines: Mapping[str, Node] | None = None,
                equipment: Sequence[Node] = (), prototypes: Sequence[Node] = (), materials: Iterable[Material] = ()) -> Contents:
    """What the stage of a scene says. Equal arguments give equal contents.

    Args:
        scene: Gives the line, its stations and their lamps.
        geometry: The healthy unit (board frame [m]).
        names: Label id → reference designator that it belongs to; parts without one are called id_<n>.
        views: Station id → its cameras, board frame. A unit stands at each of these stations.
        states: Further units of the same product by variant name; a stage sorts them by it.
        classes: Label id of a part → its class ("chip_resistor"), for the label ``kind``.
        artwork: Pictures of the board's top; without them it is plain lacquer.
        places: Station id → its pose on the line; without it stations stand in a row along x.
        benches: Station id → where the unit stands there (board frame → station); without it in the middle, on the belts.
        machines: Station id → its geometry.
        equipment, prototypes, materials: What stands beside, what machines share, and materials beyond the table.
    """
    kinds = classes or {}
    table = geometry.materials
    packages = _Packages(table)
    unit = _unit(geometry, names, kinds, packages, artwork)
    others = tuple((name, replace(_unit(shown, names, kinds, packages, artwork), board=unit.board))
                   for name, shown in sorted(states, key=_name))
    x0, y0, x1, y1 = _box(geometry.slab)
    bench = np.eye(4)
    bench[:3, 3] = -(x0 + x1) / 2, -(y0 + y1) / 2, TRANSPORT
    stations = []
    for number, station in enumerate(scene.stations):
        pose = np.eye(4)
        pose[0, 3] = number * PITCH
        seen = tuple(views.get(station.id, ()))
        stations.append(Place(station.id, station.path, station.kind, (places or {}).get(station.id, pose),
                              (benches or {}).get(station.id, bench), seen,
                              station.lighting if seen else None, _tidied((machines or {}).get(station.id))))
    extra = [m for m in materials if m.name not in {t.name for t in table}]
    contents = Contents(scene.name, scene.line, tuple(stations), unit, others, (), artwork,
                        tuple(n for e in equipment if (n := _tidied(e)) is not None),
                        tuple(n for e in prototypes if (n := _tidied(e)) is not None))
    used = _used(contents)
    return replace(contents, materials=tuple(m for m in (*table, *extra) if m.name in used))


def _name(state: tuple[str, Geometry]) -> str:
    return state[0]


def _tidied(node: Node | None) -> Node | None:
    """A machine with the meshes of all its nodes as ``tidy`` leaves them."""
    if node is None:
        return None
    pieces = []
    for piece in node.pieces:
        points, normals, faces = tidy(piece.points, piece.normals, piece.faces)
        if len(faces):
            pieces.append(replace(piece, points=points, normals=normals, faces=faces))
    return replace(node, pieces=tuple(pieces), children=tuple(n for c in node.children if (n := _tidied(c)) is not None))


def views_of(cameras: Sequence[Camera], modality: Modality, taken: Iterable[str] = ()) -> tuple[View, ...]:
    """The views of one instrument: its cameras in order, named apart from those that its station has already."""
    used, out = set(taken), []
    for tile, camera in enumerate(cameras):
        name = f"Camera_{camera.name}" + (f"_{tile}" if len(cameras) > 1 else "")
        prim = unused(prim_name(name), used)
        used.add(prim)
        out.append(View(prim, replace(camera, sensor=None, lens=None, motion=None), modality, camera.name, tile))
    return tuple(out)


class _Packages:
    """Names prototypes: equal meshes share one, different ones that are called alike are numbered."""

    def __init__(self, table: Sequence[Material]) -> None:
        self.table = table
        self.made: dict[bytes, Package] = {}
        self.known: dict[int, tuple[Mesh, Package]] = {}
        self.taken: set[str] = {"Machines"}

    def __call__(self, mesh: Mesh) -> Package:
        if id(mesh) not in self.known:
            sha = hashlib.sha256(mesh.name.encode())
            for array in (mesh.vertices, mesh.normals, mesh.faces, mesh.material, mesh.part):
                sha.update(np.ascontiguousarray(array).tobytes())
            key = sha.digest()
            if key not in self.made:
                name = unused(prim_name("_".join(p for p in mesh.name.split("|")[:2] if p)), self.taken)
                self.taken.add(name)
                self.made[key] = Package(name, pieces_of(mesh.vertices, mesh.normals, mesh.faces, mesh.material, mesh.part,
                                                         self.table))
            self.known[id(mesh)] = mesh, self.made[key]    # the mesh is held, so that its id stays its own
        return self.known[id(mesh)][1]


def pieces_of(vertices: NDArray[np.float32], normals: NDArray[np.float32], faces: NDArray[np.uint32],
              material: NDArray[np.uint8], part: NDArray[np.uint8], table: Sequence[Material] = TABLE) -> tuple[Piece, ...]:
    """A mesh split by material and part; faces stay in their order, those without area are left out."""
    faces = faces[has_area(vertices, faces)]
    key = material[faces[:, 0]].astype(np.int64) * 256 + part[faces[:, 0]]
    out = []
    for value in np.unique(key).tolist():
        name, kind = table[value // 256].name, PartKind(value % 256).name.lower()
        out.append(Piece(f"{name}_{kind}", name, kind, *tidy(vertices, normals, faces[key == value])))
    return tuple(out)


def _box(slab: Slab) -> tuple[float, float, float, float]:
    low, high = slab.mesh.vertices.min(axis=0).tolist(), slab.mesh.vertices.max(axis=0).tolist()
    return low[0], low[1], high[0], high[1]


def _unit(geometry: Geometry, names: Mapping[int, str], kinds: Mapping[int, str], packages: _Packages,
          artwork: Artwork | None) -> Unit:
    table = geometry.materials
    board = _board(geometry.slab, artwork, table)
    parts = sorted((p for g in geometry.instances for p in _parts(g, names, kinds, packages)), key=lambda p: p.instance)
    used = {p.package for p in parts}
    mine = tuple(p for p in packages.made.values() if p.name in used)
    solder = tuple(_solder(geometry.soup, names, table))
    density = {m.name: m.density for m in table}
    mass = _mass(board, density) + sum(_mass(s.pieces, density) for s in solder)
    weight = {p.name: _mass(p.pieces, density) for p in mine}
    mass += sum(weight[p.package] for p in parts)
    return Unit(board, mine, tuple(parts), solder, tuple(_film(d, names) for d in geometry.decals), mass)


def _board(slab: Slab, artwork: Artwork | None, table: Sequence[Material]) -> tuple[Piece, ...]:
    """The laminate in two: its top, which carries the artwork, and the rest."""
    mesh = slab.mesh
    top = (mesh.normals[mesh.faces[:, 0], 2] > 0.5) & (mesh.vertices[mesh.faces[:, 0], 2] > -1e-9)
    rest = pieces_of(mesh.vertices, mesh.normals, mesh.faces[~top], mesh.material, mesh.part, table)     # none of a bare sheet
    upper, = pieces_of(mesh.vertices, mesh.normals, mesh.faces[top], mesh.material, mesh.part, table)
    x0, y0, x1, y1 = artwork.box if artwork is not None else _box(slab)
    st = (upper.points[:, :2].astype(np.float64) - (x0, y0)) / (x1 - x0, y1 - y0)
    return *rest, replace(upper, name=BOARD_TOP, st=st.astype(np.float32) if artwork is not None else None)


def _parts(group: Instances, names: Mapping[int, str], kinds: Mapping[int, str], packages: _Packages) -> Iterable[Part]:
    package = packages(group.mesh)
    for pose, instance, tint in zip(group.pose, group.instance.tolist(), group.tint.tolist(), strict=True):
        reference = names.get(instance, f"id_{instance}")
        labels = {"class": "component", "reference": reference}
        if instance in kinds:
            labels["kind"] = kinds[instance]
        yield Part(reference, package.name, instance, np.asarray(pose, np.float64), labels, (tint[0], tint[1], tint[2]))


def _solder(soup: Soup, names: Mapping[int, str], table: Sequence[Material]) -> Iterable[Solid]:
    """One solid per label id. Its label is the part kind of its first face; its roughness is the same all over.

    Solder comes from where it is made without crossings, so all of it is cleaned at once; only what has a vertex twice is
    tidied by itself, which takes longer.
    """
    faces = soup.faces[has_area(soup.vertices, soup.faces)]
    if not len(faces):
        return
    normals = unit_length(soup.vertices, soup.normals, faces)
    twice = _with_vertices_twice(soup, normals, faces)
    corner = faces[:, 0]
    owner, key = soup.instance[corner].astype(np.int64), soup.material[corner].astype(np.int64) * 256 + soup.part[corner]
    order = np.lexsort((key, owner))
    starts = np.flatnonzero(np.r_[True, (np.diff(owner[order]) != 0) | (np.diff(key[order]) != 0)])
    pieces: dict[int, list[Piece]] = {}
    head: dict[int, int] = {}
    for rows in np.split(order, starts[1:]):
        rows = np.sort(rows)
        instance, of = int(owner[rows[0]]), int(key[rows[0]])
        material, kind = table[of // 256].name, PartKind(of % 256).name.lower()
        if instance in twice:
            arrays = tidy(soup.vertices, normals, faces[rows])
        else:
            used, local = np.unique(faces[rows], return_inverse=True)
            arrays = (np.ascontiguousarray(soup.vertices[used], np.float32), normals[used], local.reshape(-1, 3).astype(np.int32))
        pieces.setdefault(instance, []).append(Piece(f"{material}_{kind}", material, kind, *arrays))
        head[instance] = min(head.get(instance, len(faces)), int(rows[0]))
    for instance, found in pieces.items():
        first = faces[head[instance], 0]
        labels = {"class": PartKind(int(soup.part[first])).name.lower()}
        if instance in names:
            labels["reference"] = names[instance]
        yield Solid(instance, tuple(found), labels, float(soup.roughness[first]))


def _with_vertices_twice(soup: Soup, normals: NDArray[np.float32], faces: NDArray[np.uint32]) -> set[int]:
    """The label ids of solder that has two vertices with the same place and normal."""
    used = np.unique(faces)
    rows = np.column_stack([soup.vertices[used], normals[used], soup.instance[used]]) + 0.0
    order = np.lexsort(rows.T)
    same = (rows[order][1:] == rows[order][:-1]).all(axis=1)
    return set(soup.instance[used[order[1:][same]]].tolist())


def _film(decal: Decal, names: Mapping[int, str]) -> Film:
    """A film as a flat mesh over the board: the constrained Delaunay triangles of its outline."""
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(shapely.normalize(decal.outline)))
    corners = np.array([np.asarray(t.exterior.coords)[:3, :2] for t in triangles]).reshape(-1, 2)
    flat, local = np.unique(corners, axis=0, return_inverse=True)
    faces = local.reshape(-1, 3).astype(np.int32)
    a, b, c = (flat[faces[:, k]] for k in range(3))
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    faces[turned] = faces[turned][:, ::-1]
    points = np.column_stack([flat, np.full(len(flat), LIFT)]).astype(np.float32)
    kind = decal.part.name.lower()
    labels = {"class": kind}
    if decal.instance in names:
        labels["reference"] = names[decal.instance]
    material = "flux" if decal.part == PartKind.RESIDUE else "solder_mask"
    up = np.tile(np.array([0, 0, 1], np.float32), (len(points), 1))
    piece = Piece(f"id_{decal.instance}", material, kind, points, up, faces,
                  color=decal.color, opacity=decal.alpha)
    return Film(decal.instance, piece, labels, decal.roughness, decal.direction, decal.edge)


def _mass(pieces: Iterable[Piece], density: Mapping[str, float]) -> float:
    """[kg] of closed bodies: the signed tetrahedra of each material's faces, which close, times its density [kg/m³]."""
    total = 0.0
    for piece in pieces:
        a, b, c = (piece.points[piece.faces[:, k]].astype(np.float64) for k in range(3))
        total += float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6 * density[piece.material]
    return total


def _used(contents: Contents) -> set[str]:
    """Names of all materials that some piece has, and the lacquer of a board without artwork."""
    out = {"solder_mask"}
    for unit in (contents.unit, *(u for _, u in contents.states)):
        for piece in (*unit.board, *(p for s in unit.solder for p in s.pieces), *(f.piece for f in unit.films),
                      *(p for k in unit.packages for p in k.pieces)):
            out.add(piece.material)
    waiting = [*contents.equipment, *contents.prototypes, *(p.machine for p in contents.places if p.machine is not None)]
    while waiting:
        node = waiting.pop()
        out |= {p.material for p in node.pieces}
        waiting += node.children
    return out


__all__ = ["PITCH", "contents_of", "pieces_of", "views_of"]
