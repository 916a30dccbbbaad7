"""A small stage with everything in it: two unit states, three kinds of camera, lamps, a machine with a slide and a wheel."""
from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import shapely

from scenes.geometry import Decal, Geometry, PartKind
from scenes.instruments.xray import XrayMachine
from scenes.optics import Look, looking_down
from scenes.scene import Scene
from scenes.usd import Contents, contents_of
from scenes.usd.build import views_of
from scenes.usd.contents import Artwork, Body, Joint, Node, Piece

FILM_ID, SHORT_ID = 901, 902


def scene(examples: Path) -> Scene:
    return Scene.read(examples / "inspector.scene.yaml")


def geometries(told: Scene) -> tuple[Geometry, Geometry, dict[int, str]]:
    """The healthy unit, and the same without its third part, with a neck of solder and a film more; names by label id."""
    from scenes.smt.family import FAMILY

    product = FAMILY.product(told)
    state = FAMILY.simulate(product, FAMILY.process(product, {}), np.random.default_rng(3))
    findings = FAMILY.findings(product, state, product.profile)
    state = FAMILY.golden(product, state, findings)
    healthy = FAMILY.geometry(product, state, Look())
    names = {i: f.host for f in findings for i in f.instances if f.host}
    group = healthy.instances[2]
    fewer = dataclasses.replace(group, pose=group.pose[1:], instance=group.instance[1:], tint=group.tint[1:],
                                marking=group.marking[1:])
    soup = healthy.soup
    mine = soup.instance[soup.faces[:, 0]] == soup.instance[0]
    used, faces = np.unique(soup.faces[mine], return_inverse=True)
    neck = {f.name: getattr(soup, f.name)[used] for f in dataclasses.fields(soup) if f.name != "faces"}
    neck["vertices"] = neck["vertices"] + np.float32([0, 0, 1e-4])
    neck["instance"] = np.full(len(used), SHORT_ID, np.uint32)
    neck["part"] = np.full(len(used), PartKind.BRIDGE, np.uint8)
    more = {name: np.concatenate([getattr(soup, name), neck[name]]) for name in neck}
    more["faces"] = np.concatenate([soup.faces, faces.reshape(-1, 3).astype(np.uint32) + np.uint32(len(soup.vertices))])
    film = Decal(shapely.Point(0.01, 0.012).buffer(1e-3), FILM_ID, PartKind.RESIDUE, (0.6, 0.4, 0.1), 0.35, 0.25, edge=2e-4)
    other = dataclasses.replace(healthy, instances=(*healthy.instances[:2], *([fewer] if len(fewer.pose) else []),
                                                    *healthy.instances[3:]),
                                soup=type(soup)(**more), decals=(film,))
    return healthy, other, names


def box(name: str, size: tuple[float, float, float], material: str = "steel") -> Piece:
    """A closed box about the origin with flat sides, 24 vertices."""
    points, normals, faces = [], [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            corner = np.zeros((4, 3))
            corner[:, axis] = sign
            corner[:, u], corner[:, v] = (-1, 1, 1, -1), (-1, -1, 1, 1)
            faces += [[len(points) + k for k in (order if sign > 0 else order[::-1])] for order in ((0, 1, 2), (0, 2, 3))]
            points += (corner * np.asarray(size) / 2).tolist()
            normals += [[sign if k == axis else 0.0 for k in range(3)]] * 4
    return Piece(name, material, "", np.array(points, np.float32), np.array(normals, np.float32), np.array(faces, np.int32))


def moved(x: float, y: float, z: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return pose


def contents(examples: Path) -> Contents:
    told = scene(examples)
    healthy, other, names = geometries(told)
    machine = XrayMachine(tilt=0.4, azimuth=0.7, pixel_size=37e-6)
    views = {
        "aoi": views_of([looking_down("top", (0.02, 0.015), 30e-6, 1400, 1000)], "rgb"),
        "infrared": views_of([looking_down("ir", (x, 0.015), 151e-6, 320, 240, model="perspective", roll=0.1)
                              for x in (0.01, 0.03)], "thermal"),
        "axi": views_of([machine.camera((0.011, 0.013))], "xray"),
    }
    rng = np.random.default_rng(5)
    artwork = Artwork(rng.integers(0, 256, (60, 80, 3), np.uint8), rng.integers(0, 256, (60, 80, 2), np.uint8),
                      (0.0, 0.0, 0.04, 0.03))
    wheel = Node("Wheel", (box("rim", (0.1, 0.1, 0.02)),))
    printer = Node("Machine", (box("frame", (1.2, 1.4, 0.1)),), (
        Node("Beam", (box("beam", (0.1, 1.0, 0.1)),), pose=moved(0.1, 0, 0.9), labels={"class": "beam"}, body=Body(12.5),
             joint=Joint("prismatic", "X", -0.3, 0.4)),
        Node("Head", (box("head", (0.1, 0.1, 0.2), "aluminium"),), (Node("Roll", pose=moved(0, 0, 0.1), prototype="Wheel"),),
             moved(0.1, 0.2, 0.8), body=Body(1.5, collision="convexHull"), joint=Joint("revolute", "Z", -np.pi, np.pi, "Beam")),
    ), labels={"class": "printer"})
    return contents_of(told, healthy, names, views, states=[("bridge", other)], classes={2: "qfn"}, artwork=artwork,
                       machines={"printer": printer}, prototypes=[wheel],
                       equipment=[Node("Conveyor_1", (box("belt", (0.6, 0.1, 0.05), "rubber"),), pose=moved(1, 0, 0.9))])
