"""Score: one unit's pictures to a verdict. No label is read here."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.errors import ModelError
from training_bridge.crops import Picture, extract
from training_bridge.layout import Layout
from training_bridge.model import Model
from training_bridge.references import coordinates, pool
from training_bridge.stats import quantile

SLICE = 48                 # windows per pass: more do not fit the cache


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the model says about one unit. Logits are natural; higher is more defective."""
    logit: NDArray[np.float32]                 # (L,) per window, −inf where no frame showed it
    kind: NDArray[np.int64]                    # (L,) most likely class per window
    threshold: float

    @property
    def score(self) -> float:
        """The unit's score: its worst window."""
        return float(self.logit.max())

    @property
    def called(self) -> bool:
        return self.score > self.threshold

    def components(self, layout: Layout) -> dict[str, float]:
        """Score per part that was seen: its worst window. Cells of the grid belong to no part."""
        worst: dict[str, float] = {}
        for part, logit in zip(layout.parts, self.logit.tolist(), strict=True):
            if part and logit > -np.inf:
                worst[part] = max(worst.get(part, -np.inf), logit)
        return worst


@dataclass(frozen=True, eq=False)
class Seen:
    """What the windows show of one unit, beside what they would show were it good. Shapes: N seen windows."""
    windows: NDArray[np.int64]                 # (N,) rows of the layout
    crops: NDArray[np.uint8]                   # (N, 3, CROP, CROP)
    golden: NDArray[np.float32]                # (N, 3, CROP, CROP) this unit's own golden reference


def look(model: Model, shown: Sequence[Picture]) -> Seen:
    """Cut the windows out of a unit's pictures and find its golden reference.

    Raises:
        ModelError: No picture shows a window of the model's layout.
    """
    crops, seen = extract(model.layout, shown)
    rows = np.flatnonzero(seen)
    if not len(rows):
        raise ModelError("pictures: none shows a window of the model's layout; is this another product?")
    cells = np.where(seen[:, None, None, None], pool(crops), np.float32(np.nan))
    where = coordinates(cells, *model.cells, model.references.cell_spread)
    return Seen(rows, crops[rows], model.references.golden(where, rows))


def score(model: Model, shown: Sequence[Picture]) -> Verdict:
    """Judge one unit from its pictures; this is what latency is measured over.

    Args:
        model: From ``training_bridge.load``.
        shown: Every picture of this unit, see ``training_bridge.crops.pictures``.

    Raises:
        ModelError: None of them shows a window of the model's layout.
    """
    import torch

    from training_bridge.compact import assemble, stand_out

    seen = look(model, shown)
    logit, kind = np.full(len(model.layout), -np.inf, np.float32), np.zeros(len(model.layout), np.int64)
    with torch.inference_mode():
        for start in range(0, len(seen.windows), SLICE):
            part = slice(start, start + SLICE)
            rows = seen.windows[part]
            crops, golden = torch.from_numpy(seen.crops[part]), torch.from_numpy(seen.golden[part])
            inputs, salience = assemble(crops, golden, model.sharp[rows])
            raw, kinds = model.net(inputs, stand_out(salience, torch.from_numpy(model.references.usual[rows])))
            logit[rows], kind[rows] = raw.numpy(), kinds.argmax(dim=1).numpy()
    return Verdict(logit, kind, model.card.threshold)


def threshold_for(good_scores: ArrayLike, false_calls: float) -> float:
    """Threshold that at most a share ``false_calls`` of these good units lies strictly above."""
    return quantile(good_scores, 1 - false_calls)


__all__ = ["Seen", "Verdict", "look", "score", "threshold_for"]
