"""Authoring prims at the level of layers: quick, into any layer or variant, and what is written is what was asked for.

Only these few functions name value types and metadata; ``UsdValidation`` and the asset validator hold the result to the schemas.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.usd.contents import Labels, Piece

_TYPES = {
    "bool": "Bool", "int": "Int", "uint": "UInt", "float": "Float", "double": "Double", "string": "String", "token": "Token",
    "asset": "Asset", "float2": "Float2", "double2": "Double2", "float4": "Float4",
    "color3f": "Color3f", "color3d": "Color3d", "float3": "Float3",
    "vector3f": "Vector3f", "matrix4d": "Matrix4d", "quatf": "Quatf", "point3f": "Point3f",
    "token[]": "TokenArray", "string[]": "StringArray", "double[]": "DoubleArray", "float[]": "FloatArray", "int[]": "IntArray",
    "point3f[]": "Point3fArray", "normal3f[]": "Normal3fArray", "float3[]": "Float3Array", "color3f[]": "Color3fArray",
    "texCoord2f[]": "TexCoord2fArray",
}


def layer(comment: str, below: Sequence[str] = ()) -> Any:
    """An empty layer of a stage: metres, kilograms, Z up, /World, over the layers that it names."""
    from pxr import Sdf

    made = Sdf.Layer.CreateAnonymous(".usda")
    made.comment = comment
    made.defaultPrim = "World"
    made.subLayerPaths = list(below)
    for key, value in (("metersPerUnit", 1.0), ("kilogramsPerUnit", 1.0), ("upAxis", "Z")):
        made.pseudoRoot.SetInfo(key, value)
    return made


def prim(parent: Any, name: str, kind: str = "", specifier: str = "def") -> Any:
    """The child of that name, made where it is not there yet. ``parent`` is a layer or a prim spec."""
    from pxr import Sdf

    root = getattr(parent, "pseudoRoot", parent)
    found = root.nameChildren.get(name)
    if found is not None:
        return found
    chosen = {"def": Sdf.SpecifierDef, "over": Sdf.SpecifierOver, "class": Sdf.SpecifierClass}[specifier]
    return Sdf.PrimSpec(root, name, chosen, kind)


def at(where: Any, path: str, kind: str = "", specifier: str = "def") -> Any:
    """The prim at a path, with Xforms made on the way."""
    *parents, name = path.strip("/").split("/")
    for parent in parents:
        where = prim(where, parent, "Xform", specifier if specifier == "over" else "def")
    return prim(where, name, kind, specifier)


def attribute(spec: Any, name: str, kind: str, value: Any, *, interpolation: str = "") -> Any:
    """Set an attribute. ``twin:`` attributes are custom; some of the schemas' are uniform."""
    from pxr import Sdf

    uniform = name in _UNIFORM or name.startswith("semantics:")
    made = Sdf.AttributeSpec(spec, name, getattr(Sdf.ValueTypeNames, _TYPES[kind]),
                             Sdf.VariabilityUniform if uniform else Sdf.VariabilityVarying, name.startswith("twin:"))
    if value is not None:
        made.default = value
    if interpolation:
        made.SetInfo("interpolation", interpolation)
    return made


_UNIFORM = {"subdivisionScheme", "xformOpOrder", "info:id", "orientation", "doubleSided", "physics:approximation", "physics:axis"}


def connect(attribute_spec: Any, source: str) -> None:
    attribute_spec.connectionPathList.explicitItems.append(source)


def relationship(spec: Any, name: str, *targets: str) -> None:
    from pxr import Sdf

    made = Sdf.RelationshipSpec(spec, name, custom=False)
    made.targetPathList.explicitItems = list(targets)


def apply(spec: Any, *schemas: str) -> None:
    """Add API schemas to those that the prim has."""
    from pxr import Sdf

    told = spec.GetInfo("apiSchemas")
    items = list(told.prependedItems) + [s for s in schemas if s not in told.prependedItems]
    spec.SetInfo("apiSchemas", Sdf.TokenListOp.Create(prependedItems=items))


def place(spec: Any, pose: NDArray[np.float64]) -> None:
    """Give a prim its local matrix; of the identity nothing is written."""
    if not np.array_equal(pose, np.eye(4)):
        transform(spec, pose)


def transform(spec: Any, pose: NDArray[np.float64]) -> None:
    """The same, written in any case: USD's matrices act on rows, ours on columns."""
    from pxr import Gf, Vt

    attribute(spec, "xformOp:transform", "matrix4d", Gf.Matrix4d(*np.asarray(pose, np.float64).T.ravel().tolist()))
    attribute(spec, "xformOpOrder", "token[]", Vt.TokenArray(["xformOp:transform"]))


def label(spec: Any, labels: Labels) -> None:
    """UsdSemantics labels, one per taxonomy, in the taxonomies' order by name."""
    from pxr import Vt

    for taxonomy in sorted(labels):
        apply(spec, f"SemanticsLabelsAPI:{taxonomy}")
        attribute(spec, f"semantics:labels:{taxonomy}", "token[]", Vt.TokenArray([labels[taxonomy]]))


def bind(spec: Any, path: str) -> None:
    apply(spec, "MaterialBindingAPI")
    relationship(spec, "material:binding", path)


def mesh(parent: Any, piece: Piece, look: str) -> Any:
    """A mesh prim below ``parent``, shown by the material at the path ``look``."""
    from pxr import Gf, Vt

    spec = prim(parent, piece.name, "Mesh")
    points = np.ascontiguousarray(piece.points, np.float32)
    ends = np.stack([points.min(axis=0), points.max(axis=0)])
    attribute(spec, "extent", "float3[]", Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(ends)))
    attribute(spec, "faceVertexCounts", "int[]", Vt.IntArray.FromNumpy(np.full(len(piece.faces), 3, np.int32)))
    attribute(spec, "faceVertexIndices", "int[]", Vt.IntArray.FromNumpy(np.ascontiguousarray(piece.faces, np.int32).ravel()))
    attribute(spec, "normals", "normal3f[]", Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(piece.normals, np.float32)),
              interpolation="vertex")
    attribute(spec, "points", "point3f[]", Vt.Vec3fArray.FromNumpy(points))
    attribute(spec, "subdivisionScheme", "token", "none")
    if piece.st is not None:
        attribute(spec, "primvars:st", "texCoord2f[]", Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(piece.st, np.float32)),
                  interpolation="vertex")
    if piece.color is not None:
        attribute(spec, "primvars:displayColor", "color3f[]", Vt.Vec3fArray([Gf.Vec3f(*piece.color)]), interpolation="constant")
    if piece.opacity is not None:
        attribute(spec, "primvars:displayOpacity", "float[]", Vt.FloatArray([piece.opacity]), interpolation="constant")
    attribute(spec, "twin:material", "string", piece.material)
    if piece.part:
        attribute(spec, "twin:part", "token", piece.part)
        label(spec, {"part": piece.part})
    bind(spec, look)
    return spec


def _below(spec: Any) -> Iterator[Any]:
    """Every prim of a layer below one, its variants' too."""
    for child in spec.nameChildren:
        yield child
        yield from _below(child)
        for variants in child.variantSets.values():
            for variant in variants.variantList:
                yield from _below(variant.primSpec)


_ARRAYS = ("extent", "faceVertexCounts", "faceVertexIndices", "normals", "points", "primvars:st")


def take_arrays(layer: Any) -> Any:
    """Move the arrays of all meshes into a layer of their own, which is to be a sublayer of this one; None where there are none.

    The attributes stay declared where they were. Arrays are numbers that nobody reads; as text they are most of the bytes.
    """
    from pxr import Sdf

    made, any_ = Sdf.Layer.CreateAnonymous(".usdc"), False
    for spec in _below(layer.pseudoRoot):      # all prims, in this order: a stage lists children by its weakest layer first
        Sdf.JustCreatePrimInLayer(made, spec.path)
        for name in _ARRAYS if spec.typeName == "Mesh" else ():
            told = spec.attributes.get(name)
            if told is not None:
                copy = Sdf.AttributeSpec(made.GetPrimAtPath(spec.path), name, told.typeName, told.variability)
                copy.default = told.default
                told.ClearDefaultValue()
                any_ = True
    if not any_:
        return None
    made.defaultPrim = "World"
    for key, value in (("metersPerUnit", 1.0), ("kilogramsPerUnit", 1.0), ("upAxis", "Z")):
        made.pseudoRoot.SetInfo(key, value)
    return made


__all__ = ["apply", "at", "attribute", "bind", "connect", "label", "layer", "mesh", "place", "prim", "relationship",
           "take_arrays", "transform"]
