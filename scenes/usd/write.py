"""Writing a stage: a folder of layers, or one text. Equal contents give equal bytes."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from scenes.errors import StorageError
from scenes.usd import author
from scenes.usd.contents import Contents
from scenes.usd.write_line import write_line, write_machines, write_stations
from scenes.usd.write_look import pictures, write_looks
from scenes.usd.write_unit import write_product

ROOT = "line.usda"


def write(contents: Contents, folder: str | Path) -> Path:
    """Write the stage's layers and textures into a folder, which is made; gives the path of the root layer.

    Raises:
        StorageError: the folder cannot be written.
    """
    folder = Path(folder)
    made = layers(contents)
    files = pictures(contents.artwork) if contents.artwork is not None else {}
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        for name, layer in made.items():
            if name.endswith(".usda"):
                (folder / name).write_text(layer.ExportToString(), encoding="utf-8")
            else:
                _export(layer, folder / name)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None
    return folder / ROOT


def _export(layer: Any, path: Path) -> None:
    """A crate file. USD says of a failure only that there was one."""
    from pxr import Tf

    try:
        done = layer.Export(str(path))
    except Tf.ErrorException as error:
        raise OSError(0, str(error).splitlines()[0] if str(error) else "USD cannot write it") from None
    if not done:
        raise OSError(0, "USD cannot write it")


def layers(contents: Contents) -> dict[str, Any]:
    """The layers by file name, the strongest first: each names the next one as its sublayer.

    Long arrays lie in a crate file beside their layer, so that a layer stays a text that people read and compare.
    """
    machines = bool(contents.prototypes or contents.equipment or any(p.machine is not None for p in contents.places))
    authors = {ROOT: write_line, "station.usda": write_stations, **({"equipment.usda": write_machines} if machines else {}),
               "product.usda": write_product, "look.usda": write_looks}
    names = list(authors)
    out = {}
    for name, below in zip(names, [*names[1:], ""], strict=True):
        out[name] = layer = author.layer(f"linetwin scene '{contents.name}': {name.removesuffix('.usda')}",
                                         [f"./{below}"] if below else [])
        with _changes():
            author.at(layer, "/World", "Xform")
            authors[name](layer, contents)
            arrays = author.take_arrays(layer)
        if arrays is not None:
            file = name.replace(".usda", "_shapes.usdc")
            layer.subLayerPaths.append(f"./{file}")
            out[file] = arrays
    return out


def _changes() -> Any:
    from pxr import Sdf

    return Sdf.ChangeBlock()


def stage_text(contents: Contents) -> str:
    """The whole stage as one USDA text, without textures."""
    import dataclasses

    plain = dataclasses.replace(contents, artwork=None)
    layer = author.layer(f"linetwin scene '{contents.name}'")
    with _changes():
        for fill in (write_line, write_stations, write_machines, write_product, write_looks):
            fill(layer, plain)
    return layer.ExportToString()


__all__ = ["ROOT", "layers", "stage_text", "write"]
