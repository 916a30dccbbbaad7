"""Model: a folder with a card, weights and references, and how it is read without trusting it.

    MODEL/
      model.json       the card: what it is, what it was made from, its threshold and figures
      weights.npz      arrays by name
      references.npz   the golden family, float16

No pickle anywhere: arrays are read with ``allow_pickle=False``, sizes are bounded before they are read, and both
files must match the digests on the card.
"""
from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenes.errors import BackendUnavailable, ModelError, StorageError
from training_bridge.layout import CROP, Layout
from training_bridge.references import POOL, SALIENCE, References

FORMAT: Final = 2          # of a model folder; others are refused
CARD, WEIGHTS, REFERENCES = "model.json", "weights.npz", "references.npz"
FAMILY = ("mean", "basis", "spread", "cell_spread", "usual")
MAX_CARD = 16 << 20        # bytes
MAX_ARRAYS = 1 << 30       # bytes, unpacked


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowFile(_File):
    """One window of the layout [m]."""
    name: str = Field(max_length=200)
    part: str = Field(max_length=200)
    center: tuple[float, float]
    side: float = Field(gt=0)
    core: tuple[float, float, float, float]


class _Format(BaseModel):
    """As much of any card as says which format the rest has."""
    linetwin: Any = None


class ModelCard(_File):
    """What a model is. Written once, after training."""
    linetwin: Literal[2] = FORMAT
    kind: Literal["compact"] = "compact"
    widths: tuple[int, ...] = Field(min_length=1, max_length=8)
    parameter_count: int = Field(gt=0)
    classes: tuple[str, ...] = Field(min_length=1, max_length=1000)
    crop: Literal[64] = 64
    pixel_size: float = Field(gt=0, description="[m] of the images it was taught from")
    windows: tuple[WindowFile, ...] = Field(min_length=1, max_length=20000)
    scene_digest: str
    product_digest: str = Field(description="of the product that it was taught on")
    nominal_pixel: float = Field(gt=0, description="[m] on the object, of the training pictures' camera before it was varied")
    made_with: str = Field(description="version of linetwin that made the training pictures")
    renderer: str
    renderer_build: str
    recipe_digest: str
    recipe_seed: int
    recipe: str = Field(description="resolved recipe of the training set, YAML", max_length=1 << 20)
    dataset_digest: str = Field(description="SHA-256 over the digests of the dataset's shards")
    seed: int
    epochs: int
    threads: int
    shuffled_labels: bool = False
    units: dict[str, int]
    threshold: float = Field(description="defect logit above which a window is called")
    target_false_calls: float = Field(ge=0, le=1, description="share of good validation units that the threshold was set for")
    metrics: dict[str, float] = Field(default_factory=dict)
    weights_sha256: str
    references_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the long lists."""
        return self.model_dump(mode="json", exclude={"windows", "recipe"}) | {"window_count": len(self.windows)}


@dataclass(frozen=True, eq=False)
class Model:
    """A model ready to judge. ``net`` is a folded ``training_bridge.compact.Compact``."""
    card: ModelCard
    layout: Layout
    references: References
    net: Any
    sharp: Any                                 # torch (L, 3, CROP, CROP), see compact.sharpness
    cells: tuple[NDArray[np.float32], NDArray[np.float32]]      # the references' own, see References.cells


def save(folder: Path, card: Mapping[str, Any], weights: Mapping[str, NDArray[Any]], references: References,
         layout: Layout) -> ModelCard:
    """Write a model folder; the card last, by rename, so that a folder with a card is complete. Raises StorageError."""
    packed = pack(weights)
    reference_bytes = pack({name: getattr(references, name).astype(np.float16) for name in FAMILY})
    full = ModelCard(
        windows=tuple(WindowFile(name=n, part=p, center=tuple(c), side=float(s), core=tuple(k)) for n, p, c, s, k in zip(
            layout.names, layout.parts, layout.center.tolist(), layout.side, layout.core.tolist(), strict=True)),
        pixel_size=layout.pixel_size, weights_sha256=hashlib.sha256(packed).hexdigest(),
        references_sha256=hashlib.sha256(reference_bytes).hexdigest(), **card)
    write(folder / WEIGHTS, packed)
    write(folder / REFERENCES, reference_bytes)
    write(folder / CARD, (full.model_dump_json(indent=1) + "\n").encode())
    return full


def write(path: Path, data: bytes) -> None:
    """Pending file, fsync, rename. Raises StorageError."""
    pending = path.with_name(path.name + ".pending")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pending.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        pending.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror}); free space or choose another folder") from None


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as an npz. Equal arrays give equal bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def unpack(path: Path, expected: str | None = None) -> dict[str, NDArray[Any]]:
    """Arrays of an npz, after its digest and its unpacked size were checked. Raises ModelError."""
    try:
        data = path.read_bytes()
        if expected is not None and hashlib.sha256(data).hexdigest() != expected:
            raise ModelError(f"{path}: does not match the digest on the card; copy the model folder again")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_ARRAYS:
            raise ModelError(f"{path}: unpacks to {size} bytes; at most {MAX_ARRAYS} are read")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); give a folder written by 'linetwin train'") from None
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path}: not an array file of ours ({error.__class__.__name__}); copy the model folder again") from None


def read_card(folder: str | Path) -> ModelCard:
    """The card of a model folder. Raises ModelError."""
    path = Path(folder) / CARD
    try:
        if path.stat().st_size > MAX_CARD:
            raise ModelError(f"{path}: larger than {MAX_CARD} bytes; give a folder written by 'linetwin train'")
        text = path.read_bytes()
        held = str(_Format.model_validate_json(text).linetwin)[:20]
        if held != str(FORMAT):
            raise ModelError(f"{path}: model format {held}, this linetwin reads {FORMAT}; train the model again with it")
        return ModelCard.model_validate_json(text)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); give a folder written by 'linetwin train'") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "card"
        raise ModelError(f"{path}: {where}: {first['msg']}; train the model again with this version") from None


def card_layout(card: ModelCard) -> Layout:
    """The layout on a card."""
    windows = card.windows
    return Layout(tuple(w.name for w in windows), tuple(w.part for w in windows), np.array([w.center for w in windows]),
                  np.array([w.side for w in windows]), np.array([w.core for w in windows]), card.pixel_size)


def load(folder: str | Path) -> Model:
    """Read a model folder.

    Raises:
        ModelError: Not a model folder of ours, or its files do not match its card.
        BackendUnavailable: torch is not installed.
    """
    folder = Path(folder)
    card = read_card(folder)
    layout = card_layout(card)
    arrays = unpack(folder / REFERENCES, card.references_sha256)
    shape = (len(layout), 3, CROP, CROP)
    shapes = {"mean": shape, "basis": (*arrays.get("basis", np.empty(0)).shape[:1], *shape), "spread": shape,
              "cell_spread": (len(layout), 3, POOL, POOL), "usual": (len(layout), 2, SALIENCE)}
    if {name: a.shape for name, a in arrays.items()} != shapes:
        raise ModelError(f"{folder / REFERENCES}: does not hold {len(layout)} windows; train the model again")
    references = References(**{name: arrays[name].astype(np.float32) for name in FAMILY})
    net = network(card, unpack(folder / WEIGHTS, card.weights_sha256), folder).folded()
    import torch

    from training_bridge.compact import sharpness

    return Model(card, layout, references, net, sharpness(torch.from_numpy(references.spread)), references.cells())


def network(card: ModelCard, weights: Mapping[str, NDArray[Any]], folder: Path) -> Any:
    """The network on a card with these weights. Raises ModelError, BackendUnavailable."""
    try:
        import torch

        from training_bridge.compact import Compact
    except ImportError:
        raise BackendUnavailable("torch: not installed; install the extra 'train' (pip install 'linetwin[train]')") from None
    net = Compact(len(card.classes), card.widths)
    try:
        net.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in weights.items()})
    except (RuntimeError, TypeError) as error:
        raise ModelError(f"{folder / WEIGHTS}: weights of another network ({str(error)[:60]!r}); train again") from None
    return net


__all__ = ["Model", "ModelCard", "card_layout", "load", "network", "pack", "read_card", "save", "unpack", "write"]
