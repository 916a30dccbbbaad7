"""From path lengths to what a flat-panel detector shows. NumPy, in bands of rows.

    I = ∫ S(E) (1 − exp(−µ_CsI t)) E exp(−Σ µ_i(E) x_i) dE         over the few energies of ``xray_beam``

In order: primary intensity; shadow of the focal spot; scatter; photon noise; light spread in the scintillator; electronic
noise; digitisation after flat-field correction; bad pixels. The open beam is 1 until it is digitised.

* Photon noise is that of an energy-integrating detector: compound Poisson, of variance Σ n E². Its effective number of
  quanta is mean² / variance; where that is large the noise is Gaussian, elsewhere a scaled Poisson number.
* Scatter is a low-order term: what passes, spread widely, times the scatter-to-primary ratio. It fogs and adds noise; it has
  no structure of its own. The Beer–Lambert path is what is verified.
"""
from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from generators.imaging.aoi_noise import POOL, normals
from generators.imaging.spread import BAND, WIDE, blurred, spread
from generators.imaging.xray_beam import Beam, beam, lengths
from scenes.errors import InputError
from scenes.geometry import Geometry
from scenes.instruments.xray import XrayMachine
from scenes.materials import TABLE, Material
from scenes.optics import Camera

F32 = NDArray[np.float32]
U16 = NDArray[np.uint16]

_CHUNK = 8192                                  # pixels at a time: twelve exponentials of them stay in the processor's cache
_FEW = 40.0                                    # effective quanta below which photon noise is drawn from a Poisson law
_COARSE = 16                                   # [px] cell of the scatter map
LEAST_SPOT = 0.1                               # [px] a narrower shadow of the focal spot is added to the scintillator's spread


@runtime_checkable
class PathRenderer(Protocol):
    """A renderer that draws path lengths: ``gl``."""

    def paths(self, geometry: Geometry, camera: Camera, coefficients: F32) -> F32: ...


def transmission(paths: F32, machine: XrayMachine) -> F32:
    """Signal behind these lengths over that of the open beam [1], (…) of ``paths`` (…, 4) [m]: no blur, scatter or noise."""
    return _primary(paths, beam(machine))[0]


def _primary(paths: F32, source: Beam) -> tuple[F32, F32]:
    """Signal, and its variance over that of the open beam, (…) each."""
    flat = np.ascontiguousarray(paths, np.float32).reshape(-1, 4)
    out = np.empty((2, len(flat)), np.float32)
    minus = -source.attenuation.T
    weight = np.stack([source.weight, source.weight * source.spread]).astype(np.float32)
    room = np.empty((len(minus), _CHUNK), np.float32)
    with np.errstate(over="ignore"):
        for start in range(0, len(flat), _CHUNK):
            piece, behind = flat[start:start + _CHUNK], out[:, start:start + _CHUNK]
            left = room[:, :len(piece)]                    # a row per energy: all that follows runs along rows
            np.matmul(minus, piece.T, out=left)
            np.exp(left, out=left)
            np.matmul(weight, left, out=behind)
            np.minimum(behind, 1, out=behind)              # a body that turns inside out at a corner does not shine
    shape = paths.shape[:-1]
    return out[0].reshape(shape), out[1].reshape(shape)


def picture(paths: F32, machine: XrayMachine, noise_seed: int, *, pixel_size: float | None = None) -> U16:
    """What the detector shows, uint16 (H, W): bright where little is in the beam. Equal arguments, equal bytes.

    Args:
        paths: (H, W, 4) lengths of the basis [m], drawn with the coefficients of :func:`coefficients`.
        machine: The detector and its noise.
        noise_seed: Of photon and electronic noise. Bad pixels are the detector's own.
        pixel_size: [m] on the object, where this view has another one than the machine.

    Raises:
        InputError: paths of another shape.
    """
    if paths.ndim != 3 or paths.shape[2] != 4:
        raise InputError(f"X-ray: paths of shape {paths.shape}; give (height, width, 4)")
    size = pixel_size or machine.pixel_size
    spot = machine.spot_blur * machine.pixel_size / size
    source = beam(machine)
    light, variance = _primary(paths, source)
    soft = machine.blur
    if spot > LEAST_SPOT:
        variance /= np.maximum(light, np.float32(1e-12))                   # hardness changes slowly: it is not blurred
        light = blurred(light, spot)
        variance *= light
    else:
        soft = float(np.hypot(soft, spot))     # too small to tell from the scintillator's
    if machine.scatter_ratio > 0:
        fog = scatter(light, machine.scatter_ratio, machine.scatter_width / size)
        variance += fog
        light += fog
    return _read_out(light, variance, soft, machine, source.quanta * machine.photons, noise_seed)


def _read_out(light: F32, variance: F32, soft: float, machine: XrayMachine, quanta: float, seed: int) -> U16:
    """Photon noise, spread, electronic noise, counts: in bands of rows that stay in the processor's cache."""
    height, width = light.shape
    rng = np.random.Generator(np.random.SFC64(seed))
    full = float((1 << machine.bits) - 1)
    gain = np.float32(machine.open_level * full)
    dark = np.float32(machine.electronic_noise / machine.photons) * gain
    if soft > WIDE:                            # as wide as bands are high: over the whole picture
        light = blurred(noisy(light, variance, quanta, rng), soft)
        quanta = np.inf
    narrow = soft <= WIDE
    counts = np.empty((height, width), np.uint16)
    before = np.zeros((0, width), np.float32)  # rows that the next band's spread needs
    for top in range(0, height, BAND):
        bottom = min(top + BAND, height)
        rows = light[top:bottom]
        if np.isfinite(quanta):
            rows = noisy(rows, variance[top:bottom], quanta, rng)
        if narrow:
            first = top - (1 if len(before) else 0)
            last = bottom - (0 if bottom == height else 1)
            part = np.concatenate([before if len(before) else rows[:1], rows, rows[-1:].repeat(bottom == height, 0)])
            before, rows = part[-2:].copy(), spread(part, soft * soft)
        else:
            first, last = top, bottom
        rows = rows * gain
        if dark > 0:
            start = int(rng.integers(POOL - rows.size))
            rows += (normals()[start:start + rows.size] * dark).reshape(rows.shape)
        rows += np.float32(0.5)
        np.clip(rows, 0, full, out=rows)
        counts[first:last] = rows
    _spoil(counts, machine, int(full))
    return counts


def noisy(signal: F32, variance: F32, quanta: float, rng: np.random.Generator) -> F32:
    """The signal (h, W) of an energy-integrating detector with photon noise. At most 2²⁰ − 1 pixels share a piece of the pool.

    Args:
        variance: (h, W), relative to the open beam's.
        quanta: Effective number of quanta per pixel of the open beam.
    """
    draw = np.sqrt(variance)
    few = np.flatnonzero(signal * signal * np.float32(quanta) < np.float32(_FEW) * variance)
    draw *= np.float32(1 / np.sqrt(quanta))
    flat = draw.reshape(-1)
    for first in range(0, flat.size, POOL // 2):
        piece = flat[first:first + POOL // 2]
        start = int(rng.integers(POOL - piece.size))
        piece *= normals()[start:start + piece.size]
    draw += signal
    if len(few):
        mean = signal.reshape(-1)[few].astype(np.float64)
        one = variance.reshape(-1)[few].astype(np.float64) / np.maximum(mean, 1e-30) / quanta    # signal of one quantum
        one = np.maximum(one, 1e-30)
        flat[few] = one * rng.poisson(mean / one)
    return draw


def scatter(light: F32, ratio: float, deviation: float) -> F32:
    """Scatter (H, W): the picture spread over ``deviation`` [px], times ``ratio``, in cells of 16 pixels, linear between."""
    from scipy.ndimage import gaussian_filter

    height, width = light.shape
    rows, columns = -(-height // _COARSE), -(-width // _COARSE)
    across = np.add.reduceat(light, np.arange(0, width, _COARSE), axis=1)
    total = np.add.reduceat(across, np.arange(0, height, _COARSE), axis=0)
    count = np.outer(np.diff(np.r_[np.arange(rows) * _COARSE, height]), np.diff(np.r_[np.arange(columns) * _COARSE, width]))
    cells = gaussian_filter(total / count, deviation / _COARSE, mode="nearest", truncate=3.0) * ratio
    return np.asarray(_between(height, rows) @ cells.astype(np.float32) @ _between(width, columns).T, np.float32)


def _between(size: int, cells: int) -> F32:
    """Linear interpolation from cells to pixels as a matrix (size, cells), held outside the outer cells' centres."""
    at = np.clip((np.arange(size) + 0.5) / _COARSE - 0.5, 0, cells - 1)
    low = np.minimum(at.astype(int), max(cells - 2, 0))
    out = np.zeros((size, cells), np.float32)
    out[np.arange(size), low] = 1 - (at - low)
    if cells > 1:
        out[np.arange(size), low + 1] += at - low
    return out


def _spoil(counts: U16, machine: XrayMachine, full: int) -> None:
    """Dead and stuck pixels, always the same ones of a detector. In place."""
    number = round(machine.bad_pixels * counts.size)
    if number:
        rng = np.random.default_rng([machine.bad_pixel_seed, 0xBAD])
        where = rng.choice(counts.size, number, replace=False)
        counts.reshape(-1)[where] = np.where(rng.random(number) < 0.5, 0, full).astype(np.uint16)


def coefficients(machine: XrayMachine, materials: tuple[Material, ...] = TABLE) -> F32:
    """What a renderer's ``paths`` is asked for, (M, 4): one row for each of the geometry's materials."""
    return lengths(machine, materials)


def display(counts: U16) -> NDArray[np.uint8]:
    """For people, uint8 (H, W): linear in the counts, white where next to nothing is in the beam, black for no light at all."""
    white = max(float(np.percentile(counts, 99.5)), 1.0)
    return np.asarray(np.clip(counts * np.float32(255 / white), 0, 255), np.uint8)


__all__ = ["PathRenderer", "coefficients", "display", "noisy", "picture", "scatter", "transmission"]
