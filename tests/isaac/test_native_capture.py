"""How the native capture ends when a frame, a writer or an end itself fails: in a child process with the stand-in."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGE = '''#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "World"
{
    def Mesh "plate"
    {
        uniform token subdivisionScheme = "none"
        point3f[] points = [(-0.01, -0.01, 0), (0.01, -0.01, 0), (0.01, 0.01, 0), (-0.01, 0.01, 0)]
        int[] faceVertexCounts = [4]
        int[] faceVertexIndices = [0, 1, 2, 3]
    }
    def Camera "View"
    {
        float2 clippingRange = (0.05, 0.2)
        double3 xformOp:translate = (0, 0, 0.1)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
}
'''
CODE = '''
import sys
from isaacsim import SimulationApp
app = SimulationApp({"headless": True, "fast_shutdown": False})
import omni.usd, omni.replicator.core as rep
assert omni.usd.get_context().open_stage("stage.usda")
sys.path.insert(0, sys.argv[1])
from native import capture
from native.stage import View

class Plain(rep.Writer):
    """Writes nothing; may fail in its second frame, after the last one, or when it is detached."""
    def __init__(self, fails=""):
        self.annotators, self.data_structure = ["rgb"], "renderProduct"
        self.fails, self.failure, self.frames = fails, None, 0
    def write(self, data):
        self.frames += 1
        if self.fails == "frame" and self.frames == 2:
            self.failure = OSError("disk full")
    def detach(self):
        super().detach()
        if self.fails == "late":
            self.failure = OSError("disk full")
        if self.fails == "detach":
            raise ValueError("detach failed")

rep.WriterRegistry.register(Plain)
writers = []
for fails in sys.argv[2].split(","):
    writer = rep.WriterRegistry.get("Plain")
    writer.initialize(fails=fails)
    writers.append(writer)
def change(frame):
    if "change" in sys.argv[2] and frame == 1:
        raise KeyError("no such state")
try:
    capture.capture([View("/World/View", "view", 32, 24)], writers, 3, subframes=1, change=change)
    said = "no error"
except Exception as error:
    said = f"{type(error).__name__}: {error}"
print("said", said)
app.close()                                    # refused while a render product lives
'''


@pytest.mark.parametrize(("fails", "says", "steps"), [
    (",", "no error", 3),
    ("frame,", "RuntimeError: frame 1: disk full", 2),
    (",change", "KeyError: 'no such state'", 1),
    ("frame,detach", "RuntimeError: frame 1: disk full", 2),               # what the end raises does not hide the reason
    ("detach,", "ValueError: detach failed", 3),
    ("late,", "RuntimeError: after the last frame: disk full", 3),
])
def test_everything_is_taken_down(tmp_path, fails, says, steps):
    """Always: one wait after the last step, then every writer detached, then the product destroyed; and the first reason."""
    (tmp_path / "stage.usda").write_text(STAGE)
    (tmp_path / "code.py").write_text(CODE)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LINETWIN_", "PYTHON"))}
    done = subprocess.run([sys.executable, "-P", "code.py", ROOT / "generators/render/isaac", fails], cwd=tmp_path, timeout=60,
                          capture_output=True, text=True,
                          env=kept | {"PYTHONPATH": str(ROOT / "tests/standin"), "OMNI_KIT_ACCEPT_EULA": "yes",
                                      "PYTHONDONTWRITEBYTECODE": "1", "LINETWIN_STANDIN_CALLS": str(tmp_path / "calls")})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"said {says}\n" in done.stdout
    calls = [json.loads(line)["name"] for line in (tmp_path / "calls").read_text().splitlines()]
    names = [name.removeprefix("omni.replicator.core.") for name in calls]
    end = ["orchestrator.wait_until_complete", "Writer.detach", "Writer.detach", "create.RenderProduct.destroy"]
    assert names.count("orchestrator.step") == steps
    after = names[max(k for k, name in enumerate(names) if name == "orchestrator.step"):]
    assert [name for name in after if name in end] == end and names[-1] == "isaacsim.SimulationApp.close"
