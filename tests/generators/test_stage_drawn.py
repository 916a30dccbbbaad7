"""The stage of a line as anyone would open it in Isaac Sim, machines and all, drawn by the stand-in: it shows what gl does.

Here nothing of our worker is in between: the stage as written, Replicator's own calls, and ids by way of prim paths.
"""
from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from standin_child import READY, ran

from domain_randomization.portrait import healthy_state
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context
from domain_randomization.stage import contents
from generators.render import open_renderer
from generators.render.agreement import compare
from generators.render.protocol import Buffers
from scenes.errors import BackendUnavailable
from scenes.geometry import PartKind
from scenes.optics import Lighting, Look
from scenes.scene import Scene
from scenes.usd import write

WIDTH, HEIGHT = 420, 320
STRANGER = 1 << 20                             # id of anything that stands before the product and is not of it


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, examples):
    """The unit's geometry, the camera at a coarse pixel, and what the stand-in saw through the stage's Camera_top."""
    recipe = Recipe.read(examples / "hello.yaml")
    context = Context(Scene.read(recipe.scene), recipe)
    geometry = context.family.geometry(context.product, healthy_state(context), Look())
    camera, folder = context.cameras[0], tmp_path_factory.mktemp("line")
    path = write(contents(context, textures=False), folder / "stage")
    out = ran(folder, READY.replace("stage.usda", str(path)) + f'''
camera = next(p for p in stage.Traverse() if p.GetName() == "Camera_top")
seen = taken(str(camera.GetPath()), ["distance_to_image_plane", "instance_id_segmentation_fast"], ({WIDTH}, {HEIGHT}))
np.savez("seen.npz", ids=seen["instance_id_segmentation_fast"]["data"], depth=seen["distance_to_image_plane"])
import json
print("---")
print(json.dumps(seen["instance_id_segmentation_fast"]["info"]["idToLabels"]))
''')
    with np.load(folder / "seen.npz") as arrays:
        ids, depth = arrays["ids"], arrays["depth"]
    return geometry, dataclasses.replace(camera, width=WIDTH, height=HEIGHT, pixel_size=camera.pixel_size * camera.width / WIDTH,
                                         lens=None), path, ids, depth, json.loads(out)


def labels_of(path, names):
    """Number → (label id, part) as the stage has them: the id is that of the nearest prim upwards that carries one."""
    from pxr import Usd

    stage, out = Usd.Stage.Open(str(path)), {0: (0, 0)}
    for number, name in names.items():
        if name.startswith("/"):
            prim, part = stage.GetPrimAtPath(name), stage.GetPrimAtPath(name).GetAttribute("twin:part").Get()
            while prim and not prim.HasAttribute("twin:instance"):
                prim = prim.GetParent()
            known = bool(prim) and bool(part)
            out[int(number)] = (prim.GetAttribute("twin:instance").Get(), PartKind[str(part).upper()]) if known else (STRANGER, 0)
    return out


def test_the_line_shows_the_unit_as_gl_does(drawn):
    geometry, camera, path, ids, depth, names = drawn
    try:
        gl = open_renderer("gl")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    ours = gl.render(geometry, camera, Lighting(dome=(0.8, 0.8, 0.8)), Look(), outputs=("depth", "instance", "part"))
    gl.close()
    table = labels_of(path, names)
    instance, part = (np.vectorize(lambda n, k=k: table[n][k], otypes=[np.int64])(ids) for k in (0, 1))
    # a machine may be seen past the board and through its holes, never before it; small holes are pictures, not meshes
    open_ = (ours.instance == 0) & ((instance == STRANGER) | (instance == 1))
    instance[open_], part[open_] = 0, 0
    theirs = Buffers(None, np.where(instance > 0, depth, np.inf).astype(np.float32), None, instance.astype(np.uint32),
                     part.astype(np.uint16))
    plain = ours.part.copy()
    plain[plain == PartKind.PAD] = PartKind.BOARD              # lands are artwork, not meshes of their own
    result = compare(dataclasses.replace(ours, part=plain), theirs, names=("gl", "stage"))
    assert result.passed, str(result)
    assert not (instance == STRANGER).any()
    assert len(result.rows) > 250 and sum(row.iou is not None for row in result.rows) >= 40
