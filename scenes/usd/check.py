"""Checking a stage: OpenUSD's own validators, NVIDIA's asset validator where it is installed, and what a twin needs besides.

One line per finding, ``prim or file: what; what to do``. ``ALLOWED`` names what is not counted, with the reason.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from scenes.errors import InputError
from scenes.usd.files import check_files, inside, open_stage
from scenes.usd.names import LOOKS, WORLD
from scenes.usd.read_line import stations
from scenes.usd.read_mesh import twin

LINES_MOST = 200
# (checker, what its message has, why it may be)
ALLOWED: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Checked:
    """What was found, and by whom. ``skipped`` says which checkers are not installed."""
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    checkers: tuple[str, ...]
    skipped: tuple[str, ...] = ()


def check_stage(path: str | Path) -> Checked:
    """Check the stage of a root layer.

    Raises:
        SceneError, AssetError: it cannot be opened, or names files outside its folder.
    """
    root = Path(path).resolve()
    stage = open_stage(root)
    errors = [f"{root}: {e}" for e in map(_short, stage.GetCompositionErrors())]
    warnings: list[str] = []
    for line in _own(stage, root):
        errors.append(line)
    for severity, line in _usd(stage):
        (errors if severity == "error" else warnings).append(line)
    checkers, skipped = ["linetwin", _version()], []
    asset = asset_validator()
    if asset is not None:
        checkers.append(f"{asset.__name__} {asset.__version__}")
        for severity, line in _assets(asset, root):
            (errors if severity == "error" else warnings).append(line)
    else:
        skipped.append("asset validator: not installed; pip install 'usd-validation-nvidia'")
    return Checked(_unique(errors), _unique(warnings), tuple(checkers), tuple(skipped))


def _unique(lines: list[str]) -> tuple[str, ...]:
    found = list(dict.fromkeys(lines))
    more = [f"… and {len(found) - LINES_MOST} more"] if len(found) > LINES_MOST else []
    return tuple(found[:LINES_MOST] + more)


def _short(error: Any) -> str:
    return " ".join(str(error).split())[:300]


def _version() -> str:
    from pxr import Usd

    return "UsdValidation " + ".".join(map(str, Usd.GetVersion()[1:]))


def _usd(stage: Any) -> Iterator[tuple[str, str]]:
    """All registered validators of OpenUSD."""
    from pxr import UsdValidation

    registry = UsdValidation.ValidationRegistry()
    context = UsdValidation.ValidationContext(registry.GetOrLoadAllValidators())
    for error in context.Validate(stage):
        validator = error.GetValidator()
        name = str(validator.GetMetadata().name) if validator else "UsdValidation"
        sites = error.GetSites()
        site = sites[0] if sites else None
        where = str(site.GetPrim().GetPath()) if site is not None and site.IsPrim() else (
            str(site.GetProperty().GetPath()) if site is not None and site.IsProperty() else "stage")
        message = " ".join(str(error.GetMessage()).split())
        if not _allowed(name, message):
            severity = "error" if error.GetType() == UsdValidation.ValidationErrorType.Error else "warning"
            yield severity, f"{where}: {message[:240]} ({name})"


def asset_validator() -> Any:
    """NVIDIA's module of checkers, by its new or its old name; None where it is not installed."""
    for name in ("usd_validation_nvidia", "omni.asset_validator"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _assets(asset: Any, root: Path) -> Iterator[tuple[str, str]]:
    """All checkers that are on by default, over every variant."""
    for issue in asset.ValidationEngine().validate(str(root)).issues():
        rule = issue.rule.__name__ if issue.rule is not None else "asset validator"
        message = " ".join(str(issue.message).split())
        where = issue.at.as_str() if issue.at is not None and hasattr(issue.at, "as_str") else "stage"
        if not _allowed(rule, message):
            severity = "warning" if issue.severity.name in ("WARNING", "INFO") else "error"
            yield severity, f"{' '.join(str(where).split())[:200]}: {message[:240]} ({rule})"


def _allowed(checker: str, message: str) -> bool:
    return any(checker.endswith(name) and text in message for name, text, _ in ALLOWED)


# --- what a twin needs ------------------------------------------------------------------------------------------------

def _own(stage: Any, root: Path) -> Iterator[str]:
    from pxr import Usd, UsdGeom, UsdPhysics

    if UsdGeom.GetStageMetersPerUnit(stage) != 1.0:
        yield f"{root}: metersPerUnit is {UsdGeom.GetStageMetersPerUnit(stage):g}; a twin is in metres, set it to 1"
    if not stage.HasAuthoredMetadata("kilogramsPerUnit") or UsdPhysics.GetStageKilogramsPerUnit(stage) != 1.0:
        yield f"{root}: kilogramsPerUnit is not set to 1; set it"
    if UsdGeom.GetStageUpAxis(stage) != UsdGeom.Tokens.z:
        yield f"{root}: upAxis is {UsdGeom.GetStageUpAxis(stage)}; set it to Z"
    if stage.GetDefaultPrim().GetPath() != WORLD:
        yield f"{root}: the default prim is not {WORLD}; set it"
    world = stage.GetPrimAtPath(WORLD)
    if not world:
        return
    for name in ("scene_version", "line"):
        if twin(world, name) is None:
            yield f"{WORLD}: no twin:{name}; a stage without it is not read as a line"
    yield from _textures(root)
    places = stations(world)
    if not places:
        yield f"{WORLD}: no station; a prim with twin:id, twin:kind and twin:path is one"
    for prim in places:
        for name in ("id", "kind", "path"):
            if twin(prim, name) in (None, ""):
                yield f"{prim.GetPath()}: no twin:{name}; add it"
        bench = prim.GetChild("Bench")
        for child in bench.GetChildren() if bench else ():
            if child.GetTypeName() == "Camera":
                yield from _camera(child)
        product = bench.GetChild("Product") if bench else None
        if product:
            yield from _unit(product)
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.PrimAllPrimsPredicate):
        if prim.GetTypeName() == "Mesh":
            bound = prim.GetRelationship("material:binding").GetTargets() if prim.HasRelationship("material:binding") else []
            if not bound:
                yield f"{prim.GetPath()}: no material; bind one of {LOOKS}"
            elif not stage.GetPrimAtPath(bound[0]):
                yield f"{prim.GetPath()}: its material {bound[0]} is not in the stage; bind one of {LOOKS}"


def _camera(prim: Any) -> Iterator[str]:
    for name in ("width", "height", "pixel_size", "distance", "model", "modality", "spec"):
        value = twin(prim, name)
        if value is None or (isinstance(value, (int, float)) and value <= 0):
            yield f"{prim.GetPath()}: twin:{name} is {'missing' if value is None else f'{value:g}'}; a camera of the twin has it"


def _unit(product: Any) -> Iterator[str]:
    """Ids and labels of everything that labels are made from."""
    owners: dict[int, str] = {1: f"{product.GetPath()}/Board"}
    if not product.GetChild("Board") or twin(product.GetChild("Board"), "instance") != 1:
        yield f"{product.GetPath()}: no Board with twin:instance 1; reference /World/Unit"
    for group in ("Parts", "Solder", "Films"):
        for prim in product.GetChild(group).GetChildren() if product.GetChild(group) else ():
            path, instance = str(prim.GetPath()), twin(prim, "instance")
            if instance is None:
                yield f"{path}: no twin:instance; without it, it is in no mask"
            elif owners.setdefault(int(instance), path) != path:
                yield f"{path}: twin:instance {instance} is also {owners[int(instance)]}'s; give it one of its own"
            found = prim.GetAttribute("semantics:labels:class").Get()
            if not prim.HasAPI("SemanticsLabelsAPI", "class") or not found:
                yield f"{path}: no label of the taxonomy 'class'; apply UsdSemantics.LabelsAPI"
            if group == "Parts" and not prim.GetAttribute("semantics:labels:reference").Get():
                yield f"{path}: no label of the taxonomy 'reference'; apply UsdSemantics.LabelsAPI"


def _textures(root: Path) -> Iterator[str]:
    """Pictures that a layer names and that are not there. Layers that are missing or outside were refused on opening."""
    from pxr import UsdUtils

    for file in check_files(root):
        named = UsdUtils.ExtractExternalReferences(str(file), UsdUtils.ExtractExternalReferencesParams())
        for name in sorted({n for group in named for n in group}):
            try:
                if name and not inside(root.parent, file, name).exists():
                    yield f"{file}: names '{name}', which is not there; copy it beside the stage"
            except InputError as error:
                yield str(error)


__all__ = ["ALLOWED", "Checked", "check_stage"]
