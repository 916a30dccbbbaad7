"""Runs code in a child process that finds the stand-in for Isaac Sim where NVIDIA's packages would be."""
from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

STANDIN = Path(__file__).resolve().parent.parent / "standin"

# A plate of 20 × 10 mm at z = 0, a box of 4 × 4 × 2 mm on it, a sphere instance, a camera 100 mm above, a dome and a lamp.
STAGE = '''#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "World"
{
    def Xform "Plate" (prepend apiSchemas = ["SemanticsLabelsAPI:class"])
    {
        token[] semantics:labels:class = ["board"]
        def Mesh "top" (prepend apiSchemas = ["MaterialBindingAPI"])
        {
            rel material:binding = </World/Red>
            uniform token subdivisionScheme = "none"
            point3f[] points = [(-0.01, -0.005, 0), (0.01, -0.005, 0), (0.01, 0.005, 0), (-0.01, 0.005, 0)]
            int[] faceVertexCounts = [4]
            int[] faceVertexIndices = [0, 1, 2, 3]
            texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1)] (interpolation = "vertex")
        }
        def Xform "Chip" (prepend apiSchemas = ["SemanticsLabelsAPI:class", "SemanticsLabelsAPI:reference"])
        {
            token[] semantics:labels:class = ["component"]
            token[] semantics:labels:reference = ["U3"]
            double3 xformOp:translate = (0.005, 0, 0)
            uniform token[] xformOpOrder = ["xformOp:translate"]
            def Mesh "body"
            {
                uniform token subdivisionScheme = "none"
                point3f[] points = [
                    (-0.002, -0.002, 0.002), (0.002, -0.002, 0.002), (0.002, 0.002, 0.002), (-0.002, 0.002, 0.002),
                    (-0.002, -0.002, 0), (0.002, -0.002, 0), (0.002, 0.002, 0), (-0.002, 0.002, 0)]
                int[] faceVertexCounts = [4, 4, 4, 4, 4]
                int[] faceVertexIndices = [0, 1, 2, 3, 0, 4, 5, 1, 1, 5, 6, 2, 2, 6, 7, 3, 3, 7, 4, 0]
                color3f[] primvars:displayColor = [(0.5, 0.5, 0.5)]
            }
        }
        def Xform "Ramps"
        {
            def "a" (instanceable = true
                     references = </Shapes/ramp>)
            {
                double3 xformOp:translate = (-0.005, 0.002, 0)
                uniform token[] xformOpOrder = ["xformOp:translate"]
            }
            def "b" (instanceable = true
                     references = </Shapes/ramp>)
            {
                double3 xformOp:translate = (-0.005, -0.003, 0)
                uniform token[] xformOpOrder = ["xformOp:translate"]
            }
        }
    }
    def Camera "Pinhole"
    {
        float focalLength = 100
        float horizontalAperture = 24
        float verticalAperture = 12
        float2 clippingRange = (0.05, 0.2)
        double3 xformOp:translate = (0, 0, 0.1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def Camera "Telecentric"
    {
        token projection = "orthographic"
        float horizontalAperture = 0.24
        float verticalAperture = 0.12
        float2 clippingRange = (0.05, 0.2)
        double3 xformOp:translate = (0, 0, 0.1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def DomeLight "Sky"
    {
        float inputs:intensity = 750
    }
    def Material "Red"
    {
        token outputs:surface.connect = </World/Red/Surface.outputs:surface>
        def Shader "Surface"
        {
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor = (1, 0, 0)
            float inputs:roughness = 1
            token outputs:surface
        }
    }
}
class "Shapes"
{
    def Xform "ramp" (prepend apiSchemas = ["SemanticsLabelsAPI:class"])
    {
        token[] semantics:labels:class = ["ramp"]
        def Mesh "slope"
        {
            uniform token subdivisionScheme = "none"
            point3f[] points = [(-0.001, -0.001, 0.001), (0.001, -0.001, 0.001), (0.001, 0.001, 0.003), (-0.001, 0.001, 0.003)]
            int[] faceVertexCounts = [4]
            int[] faceVertexIndices = [0, 1, 2, 3]
        }
    }
}
'''

START = '''
from isaacsim import SimulationApp
app = SimulationApp({"headless": True, "fast_shutdown": False})
import numpy as np
import omni.usd, omni.replicator.core as rep
assert omni.usd.get_context().open_stage("stage.usda")
stage = omni.usd.get_context().get_stage()
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

def taken(camera, names, size=(240, 120), subframes=1):
    """The data of some annotators after one step, and everything taken down again."""
    product = rep.create.render_product(camera, size)
    made = {name: rep.annotators.get(name) for name in names}
    for annotator in made.values():
        annotator.attach([product])
    rep.orchestrator.step(rt_subframes=subframes, delta_time=0.0)
    out = {name: annotator.get_data() for name, annotator in made.items()}
    rep.orchestrator.wait_until_complete()
    for annotator in made.values():
        annotator.detach()
    product.destroy()
    return out

def refusal(call, *args, **keywords):
    """What a call raises, as text."""
    try:
        call(*args, **keywords)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"
'''
READY = START + '''
rep.orchestrator.set_capture_on_play(False)
rep.set_global_seed(1)
'''


def environment(**more: str) -> dict[str, str]:
    """Of a child that has accepted the licence and sees the stand-in and no room of linetwin."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")}
    return {**kept, "PYTHONPATH": str(STANDIN), "PYTHONDONTWRITEBYTECODE": "1", "OMNI_KIT_ACCEPT_EULA": "yes", **more}


def child(folder: Path, code: str, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in ``folder`` beside ``stage.usda``."""
    (folder / "stage.usda").write_text(STAGE)
    (folder / "code.py").write_text(textwrap.dedent(code))
    return subprocess.run([sys.executable, "-P", "code.py"], cwd=folder, env=environment(**variables), capture_output=True,
                          text=True, timeout=60, input=stdin)


def ran(folder: Path, code: str, **variables: str) -> str:
    """The same, which must end well; gives what it printed after the line ``---``."""
    done = child(folder, code, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.partition("---\n")[2]
