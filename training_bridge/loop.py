"""Loop: the plain torch training loop of the compact model. Needs torch.

Deterministic in (data, labels, seed, epochs, threads): every epoch draws from its own stream, so a run that was killed
and resumed ends with the same weights. State is kept as arrays in an npz; no pickle is written or read.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scenes.errors import ModelError
from training_bridge.compact import WIDTHS, Compact, assemble, sharpness, stand_out
from training_bridge.model import pack, unpack, write
from training_bridge.prepare import Prepared
from training_bridge.stats import auroc

BATCH = 128
STEPS = 40                 # per epoch
DEFECTIVE = 0.4            # share of a batch
RATE = 3e-3                # peak learning rate of AdamW, cosine to 0 after a short warm-up
WARM_UP = 0.05             # of all steps
DECAY = 0.02               # weight decay
KIND_WEIGHT = 0.3          # of the class loss beside the defect loss
SMOOTH = 0.02              # labels are 0.02 and 0.98: no crop is worth an endless logit
AVERAGE = 0.97             # per step, of the running mean of the weights, which is what is validated and kept
HARD = 0.7                 # share of good crops drawn by how badly they were judged before
JITTER = (0.01, 1.0)       # spread of the gain [1] and offset [grey levels] added per crop
WATCHED = 2000             # good validation crops looked at after every epoch
SLICE = 512                # crops per forward pass outside training


@dataclass(frozen=True, eq=False)
class Fit:
    """What the loop ends with: the best weights on the validation units, and its history, one dict per epoch."""
    weights: dict[str, NDArray[Any]]
    history: tuple[dict[str, float], ...]
    kept: int                                  # epoch that the weights are of, from 0


@contextmanager
def quiet(threads: int) -> Iterator[None]:
    """Deterministic algorithms and a fixed thread count, put back afterwards."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)             # a well trained net computes with denormals otherwise: ten times slower
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


class Feed:
    """Network inputs for rows of the prepared crops."""

    def __init__(self, data: Prepared) -> None:
        self.data = data
        sharp = sharpness(torch.from_numpy(data.references.spread))
        # All eight ways to lay a square are kept: turning whole batches of floats would cost as much as the network.
        self.usual = torch.from_numpy(data.references.usual)
        self.sharp = [_laid(sharp, k).contiguous() for k in range(8)]

    def __call__(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Inputs (N, CHANNELS, CROP, CROP) and salience; with ``rng`` the light is jittered and the batch turned or mirrored."""
        data, way = self.data, 0
        window = torch.from_numpy(data.window[rows])
        crops, golden = torch.from_numpy(data.crops[rows]), torch.from_numpy(data.golden[rows])
        if rng is not None:
            way = int(rng.integers(8))
            noise = torch.from_numpy(rng.standard_normal((2, len(rows), 3, 1, 1)).astype(np.float32))
            crops = torch.addcmul(noise[1] * JITTER[1], _laid(crops, way).float(), 1 + noise[0] * JITTER[0])
            golden = _laid(golden, way)
        inputs, salience = assemble(crops, golden, self.sharp[way][window])
        return inputs, stand_out(salience, self.usual[window])


def _laid(crops: Tensor, way: int) -> Tensor:
    """Crops (N, C, H, W) in one of the eight symmetries of the square; 0 leaves them."""
    turned = torch.rot90(crops, way % 4, (2, 3))
    return turned.flip(3) if way >= 4 else turned


def fit(data: Prepared, *, epochs: int, seed: int, threads: int, state: Path,
        run: str, progress: Callable[[tuple[dict[str, float], ...]], None] | None = None) -> Fit:
    """Train, or go on where ``state`` stopped.

    Args:
        data: Prepared crops.
        epochs: Total number of epochs.
        seed: Of weights, draws and augmentation.
        threads: torch threads; part of what the weights depend on.
        state: Checkpoint file, written after every epoch.
        run: Digest of everything the run depends on; a checkpoint of another run is refused.
        progress: Called after each epoch with the history so far.

    Raises:
        ModelError: ``state`` belongs to another run.
    """
    with quiet(threads):
        torch.manual_seed(seed & 0x7FFF_FFFF_FFFF_FFFF)
        net = Compact(len(data.classes), WIDTHS).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY, betas=(0.9, 0.98))
        calm = Compact(len(data.classes), WIDTHS)
        calm.load_state_dict(net.state_dict())
        memory = _Memory(net, optimiser, calm, np.ones(len(data.label), np.float32), _weights(net), ())
        if state.exists():
            memory = _restore(state, run, memory)
        feed = Feed(data)
        train, val = np.flatnonzero(~data.val[data.unit]), _validation(data)
        for epoch in range(len(memory.history), epochs):
            loss = _epoch(memory, feed, train, epoch, epochs, seed)
            figures = {"epoch": float(epoch), "loss": loss, **evaluate(calm, feed, val)}
            memory = replace(memory, history=(*memory.history, figures))
            if kept(memory.history) == epoch:
                memory = replace(memory, best=_weights(calm))
            _store(state, run, memory)
            if progress:
                progress(memory.history)
    return Fit(memory.best, memory.history, kept(memory.history))


def kept(history: Sequence[dict[str, float]]) -> int:
    """The epoch with the lowest loss on the validation crops; the last, where these have none (one class is missing)."""
    losses = [h["val_loss"] for h in history]
    return len(losses) - 1 if np.isnan(losses).any() else int(np.argmin(losses))


def _validation(data: Prepared) -> NDArray[np.int64]:
    """Validation rows looked at after every epoch: all defects, and good crops evenly spread, at most WATCHED."""
    rows = np.flatnonzero(data.val[data.unit])
    good = rows[data.label[rows] == 0]
    return np.sort(np.concatenate([rows[data.label[rows] > 0], good[::max(1, -(-len(good) // WATCHED))]]))


def _weights(net: nn.Module) -> dict[str, NDArray[Any]]:
    return {k: v.detach().numpy().copy() for k, v in net.state_dict().items()}


@dataclass(frozen=True, eq=False)
class _Memory:
    """Everything that a resumed run needs."""
    net: Compact
    optimiser: torch.optim.AdamW
    calm: Compact                              # the running mean of net's weights
    hardness: NDArray[np.float32]              # (N,) how badly each crop was judged when last seen
    best: dict[str, NDArray[Any]]
    history: tuple[dict[str, float], ...]


def _epoch(memory: _Memory, feed: Feed, train: NDArray[np.int64], epoch: int, epochs: int, seed: int) -> float:
    """One pass of STEPS batches; returns the mean loss."""
    label = feed.data.label
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch, 3)))
    net, optimiser = memory.net, memory.optimiser
    torch.manual_seed(int(rng.integers(1 << 62)))            # dropout
    good, bad = train[label[train] == 0], train[label[train] > 0]
    counts = np.bincount(label[bad])
    bad_weight = 1 / np.sqrt(counts[label[bad]])             # between every crop alike and every class alike
    hard = memory.hardness[good].astype(np.float64)
    good_weight = (1 - HARD) / len(good) + HARD * hard / hard.sum()
    many = round(BATCH * DEFECTIVE)
    draw_bad = rng.choice(bad, (STEPS, many), p=bad_weight / bad_weight.sum())
    draw_good = rng.choice(good, (STEPS, BATCH - many), p=good_weight / good_weight.sum())
    net.train()
    total = 0.0
    for step in range(STEPS):
        progress = (epoch * STEPS + step) / (epochs * STEPS)
        rate = RATE * min(progress / WARM_UP, 1.0) * (0.5 + 0.5 * np.cos(np.pi * progress))
        for group in optimiser.param_groups:
            group["lr"] = max(rate, 1e-6)
        rows = np.concatenate([draw_bad[step], draw_good[step]])
        target = torch.from_numpy(label[rows])
        logit, kind = net(*feed(rows, rng))
        wanted = (target > 0).float() * (1 - 2 * SMOOTH) + SMOOTH
        each = nn.functional.binary_cross_entropy_with_logits(logit, wanted, reduction="none")
        loss = each.mean() + KIND_WEIGHT * nn.functional.cross_entropy(kind[:many], target[:many] - 1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        _follow(memory.calm, net, min(AVERAGE, (epoch * STEPS + step) / (epoch * STEPS + step + 10)))
        memory.hardness[rows] = np.clip(each.detach().numpy(), 0.01, 3.0)
        total += loss.item()
    return total / STEPS


def _follow(calm: nn.Module, net: nn.Module, keep: float) -> None:
    """Move the running mean of the weights, batch statistics included, towards the net."""
    with torch.no_grad():
        for mean, now in zip(calm.state_dict().values(), net.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.mul_(keep).add_(now, alpha=1 - keep)
            else:
                mean.copy_(now)


def logits(net: nn.Module, feed: Feed, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Defect logit (N,) and class logits (N, K) of rows, without augmentation."""
    net.eval()
    with torch.inference_mode():
        parts = [net(*feed(rows[k:k + SLICE])) for k in range(0, len(rows), SLICE)]
    return torch.cat([p[0] for p in parts]).numpy(), torch.cat([p[1] for p in parts]).numpy()


def evaluate(net: nn.Module, feed: Feed, rows: NDArray[np.int64]) -> dict[str, float]:
    """Class-balanced loss on validation crops, their AUROC, and the share of defects named rightly."""
    logit, kind = logits(net, feed, rows)
    label = feed.data.label[rows]
    bad = label > 0
    if not bad.any() or bad.all():
        return {"val_loss": float("nan"), "val_auroc": float("nan"), "val_kind": float("nan")}
    loss = np.logaddexp(0, np.where(bad, -logit, logit))
    return {"val_loss": float((loss[bad].mean() + loss[~bad].mean()) / 2),
            "val_auroc": auroc(logit[~bad], logit[bad]).value,
            "val_kind": float((kind[bad].argmax(axis=1) == label[bad] - 1).mean())}


def _store(path: Path, run: str, memory: _Memory) -> None:
    arrays: dict[str, NDArray[Any]] = {f"net.{k}": v.detach().numpy() for k, v in memory.net.state_dict().items()}
    arrays |= {f"calm.{k}": v.numpy() for k, v in memory.calm.state_dict().items()}
    arrays |= {f"best.{k}": v for k, v in memory.best.items()}
    for index, values in memory.optimiser.state_dict()["state"].items():
        arrays |= {f"adam.{index}.{k}": np.asarray(v) for k, v in values.items()}
    names = list(memory.history[0])
    arrays |= {"hardness": memory.hardness, "names": np.array(names), "run": np.array(run),
               "history": np.array([[h[n] for n in names] for h in memory.history])}
    write(path, pack(arrays))


def _restore(path: Path, run: str, memory: _Memory) -> _Memory:
    arrays = unpack(path)
    if str(arrays.get("run")) != run:
        raise ModelError(f"{path.parent}: holds a training run of other data or settings; choose another folder or delete it")
    for part, module in (("net.", memory.net), ("calm.", memory.calm)):
        module.load_state_dict({k[len(part):]: torch.from_numpy(v) for k, v in arrays.items() if k.startswith(part)})
    adam = memory.optimiser.state_dict()
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in arrays.items():
        if key.startswith("adam."):
            _, index, name = key.split(".")
            moments.setdefault(int(index), {})[name] = torch.from_numpy(value)
    memory.optimiser.load_state_dict({**adam, "state": moments})
    names = [str(n) for n in arrays["names"]]
    history = tuple(dict(zip(names, map(float, row), strict=True)) for row in arrays["history"])
    return replace(memory, hardness=arrays["hardness"], history=history,
                   best={k[5:]: v for k, v in arrays.items() if k.startswith("best.")})


__all__ = ["Feed", "Fit", "evaluate", "fit", "kept", "logits", "quiet"]
