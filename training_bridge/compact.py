"""Compact: a small convolutional network on one crop, its golden reference and their difference. Needs torch.

Heads: "is there a defect" (one logit) and "which" (one logit per class). About 0.1 million parameters. Shapes: N crops.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training_bridge.references import CHANNELS, CLIP, FLOOR, SALIENCE

WIDTHS = (16, 32, 64, 96)
HIDDEN = 64
DROPOUT = 0.3


class Compact(nn.Module):
    """Four strided convolutions, then mean and maximum over the crop: a small defect must not drown in a large crop.

    Beside them goes the salience, how far the crop's strongest deviation stands out from what this window usually shows.
    The last layer starts at zero: an untrained net says the same of every crop.
    """

    def __init__(self, classes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = CHANNELS
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            before = width
        self.body = nn.Sequential(*layers)
        self.neck = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * before + SALIENCE, HIDDEN), nn.ReLU(inplace=True))
        self.defect = nn.Linear(HIDDEN + SALIENCE, 1)
        self.kind = nn.Linear(HIDDEN, classes)
        nn.init.zeros_(self.defect.weight)
        nn.init.zeros_(self.defect.bias)

    def forward(self, inputs: Tensor, salience: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (N, CHANNELS, CROP, CROP) and salience (N, SALIENCE) → defect logit (N,), class logits (N, K)."""
        maps = self.body(inputs)
        features = self.neck(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3)), salience], dim=1))
        return self.defect(torch.cat([features, salience], dim=1)).squeeze(1), self.kind(features)

    def folded(self) -> Compact:
        """For inference: batch norms folded into their convolutions, in place; the module is in eval mode afterwards."""
        self.eval()
        body = list(self.body)
        for k in range(0, len(body), 3):
            body[k] = fuse_conv_bn_eval(body[k], body[k + 1])  # type: ignore[type-var, arg-type]
            body[k + 1] = nn.Identity()
        self.body = nn.Sequential(*body)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def sharpness(spread: Tensor) -> Tensor:
    """What a difference from the reference is multiplied with, from the spread of good crops."""
    return 0.5 / (spread + FLOOR)


def assemble(crops: Tensor, golden: Tensor, sharp: Tensor) -> tuple[Tensor, Tensor]:
    """Network input (N, CHANNELS, CROP, CROP), channels last in memory: crop, reference, deviation; and its log salience.

    Args:
        crops: uint8 or float (N, 3, CROP, CROP), grey levels.
        golden: uint8 or float (N, 3, CROP, CROP), the unit's own golden reference.
        sharp: (N, 3, CROP, CROP), see ``sharpness``.
    """
    seen, expected = crops.float(), golden.float()
    deviation = torch.sub(seen, expected, out=torch.empty(crops.shape)).mul_(sharp).clamp_(-CLIP / 2, CLIP / 2)
    inputs = torch.empty((len(crops), CHANNELS, *crops.shape[2:]), memory_format=torch.channels_last)
    inputs[:, :3] = torch.mul(seen, 1 / 128).sub_(1)
    inputs[:, 3:6] = torch.mul(expected, 1 / 128).sub_(1)
    inputs[:, 6:] = deviation
    return inputs, log_salience(deviation)


def log_salience(deviation: Tensor) -> Tensor:
    """Logarithm of the strongest deviation (N, 3, CROP, CROP) at scales of 1, 2, 4 … px, (N, SALIENCE)."""
    found = []
    for scale in range(SALIENCE):
        pooled = nn.functional.avg_pool2d(deviation, 2) if scale else deviation
        deviation = pooled
        found.append(pooled.abs().sum(dim=1).amax(dim=(1, 2)))
    return torch.log(torch.stack(found, dim=1) + 0.02)


def stand_out(salience: Tensor, usual: Tensor) -> Tensor:
    """Log salience (N, SALIENCE) against what is usual there (N, 2, SALIENCE), in spreads, cut and scaled to about 1."""
    return ((salience - usual[:, 0]) / usual[:, 1]).clamp(-4, 12) / 4


def parameter_count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


__all__ = ["WIDTHS", "Compact", "assemble", "log_salience", "parameter_count", "sharpness", "stand_out"]
