"""Point spread of a picture, Gaussian, edges held. Up to 0.7 px by three taps of the same variance, five times as fast; for
these a picture can be worked on in bands of rows that stay in the processor's cache.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

BAND = 32                                      # rows at a time
WIDE = 0.7                                     # [px] wider Gaussians have more than three taps


def blurred(image: F32, deviation: float) -> F32:
    """Convolved with a Gaussian of this standard deviation [px], (H, W). May return its argument."""
    if deviation <= 0:
        return image
    if deviation > WIDE:
        from scipy.ndimage import gaussian_filter

        return np.asarray(gaussian_filter(image, deviation, mode="nearest", truncate=4.0))
    out = np.empty_like(image)
    for top in range(0, len(image), BAND):
        bottom = min(top + BAND, len(image))
        out[top:bottom] = blurred_rows(image, top, bottom, deviation)
    return out


def blurred_rows(image: F32, top: int, bottom: int, deviation: float) -> F32:
    """Some rows of :func:`blurred` for a deviation of at most ``WIDE``, (bottom - top, W). May be a view."""
    if deviation <= 0:
        return image[top:bottom]
    part = image[max(top - 1, 0):bottom + 1]
    above, below = top == 0, bottom == len(image)
    if above or below:
        part = np.concatenate([part[:1].repeat(above, 0), part, part[-1:].repeat(below, 0)])
    return spread(part, deviation * deviation)


def spread(part: F32, variance: float) -> F32:
    """Three taps of this variance [px²] down and across, (h + 2, W) → (h, W); columns are held at the border."""
    side = np.float32(variance / 2)
    middle = 1 - 2 * side
    tall = part[:-2] + part[2:]
    tall *= side
    tall += part[1:-1] * middle
    out: F32 = tall * middle
    tall *= side
    out[:, 1:] += tall[:, :-1]
    out[:, :-1] += tall[:, 1:]
    out[:, 0] += tall[:, 0]
    out[:, -1] += tall[:, -1]
    return out


__all__ = ["BAND", "WIDE", "blurred", "blurred_rows", "spread"]
