"""scenes.parts: what a component looks like. Footprint → Package → mesh and marking.

For: ``describe`` names the package and its terminals; ``mesh`` builds it, watertight; ``marking`` prints on it.
Not for: where a part sits or how it is soldered (scenes.smt), nor how it is drawn (generators).
Start reading at model.py, then describe.py.
"""
from scenes.parts.describe import describe
from scenes.parts.marks import marking
from scenes.parts.meshes import mesh
from scenes.parts.model import JointKind, Package, PackageKind, Terminal

__all__ = ["JointKind", "Package", "PackageKind", "Terminal", "describe", "marking", "mesh"]
