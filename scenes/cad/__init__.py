"""scenes.cad: meshes of equipment and components from STEP, glTF and URDF files.

For: reading CAD files safely into one ``trimesh.Trimesh`` in metres; finding the 3-D models that a board names.
Not for: package geometry made from numbers (scenes.parts), boards (scenes.board).
May import: numpy, trimesh, cascadio (extra ``cad``) inside ``mesh.py``.
Promise: nothing outside the declared roots is read, whatever a file says; a file that cannot be used is one AssetError.
Start reading at mesh.py.
"""
from scenes.cad.mesh import load_mesh
from scenes.cad.models import check_models, find_model
from scenes.cad.urdf import load_urdf

__all__ = ["check_models", "find_model", "load_mesh", "load_urdf"]
