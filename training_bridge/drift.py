"""Drift: whether a model may judge a stream at all, and how the stream differs from what the model was taught on.

    differs                          validate
    model format, product, defects   refuses: layout, references or classes do not fit; train again, or ``adapt``
    scene around it, pixel size      refuses, unless drift is allowed
    linetwin, renderer, its build    tells: the check "drift" is undecided, unless drift is allowed

The format is checked where the card is read (``model.read_card``). Allowed or not, the report names every difference.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain_randomization.recipe import Recipe
from domain_randomization.sampling import find_family, find_station
from domain_randomization.views import pixel_size
from generators.reports import Check
from scenes.errors import ModelError
from scenes.scene import Scene
from training_bridge.model import ModelCard

ALLOW = "--allow-drift"
CLOSE = 0.01               # of the pixel size: a camera is calibrated to about that, and crops are resampled anyway
SHORT = 12                 # hex digits of a digest that are shown


def refuse(card: ModelCard, scene: Scene, recipe: Recipe, model: str, allowed: bool = False) -> None:
    """Raise ModelError where a model cannot judge the units that ``recipe`` makes of ``scene``.

    Args:
        card: The model's.
        scene: The line.
        recipe: What will be generated.
        model: Where the model lies, for the message.
        allowed: Another scene of the same product, and another pixel size, are taken.
    """
    if card.scene_digest != scene.digest():
        if card.product_digest != scene.product_digest():
            raise ModelError(f"{model}: was taught on product {card.product_digest[:SHORT] or 'unknown'}, {scene.path} makes "
                             f"{scene.product_digest()[:SHORT]}; train on this scene, or give the model this product's "
                             "references with training_bridge.adapt")
        if not allowed:
            raise ModelError(f"{model}: was taught on scene {card.scene_digest[:SHORT]}, {scene.path} is "
                             f"{scene.digest()[:SHORT]} and makes the same product; train on this scene, or pass {ALLOW}")
    if unknown := [d.name for d in find_family(scene).taxonomy.defects if d.name not in card.classes]:
        raise ModelError(f"{model}: knows {len(card.classes)} defects, {scene.path} can have {', '.join(unknown)} as well; "
                         "train on a dataset of this scene")
    seen = stream_pixel(scene, recipe)
    if abs(seen - card.nominal_pixel) > CLOSE * card.nominal_pixel and not allowed:
        raise ModelError(f"{model}: was taught at {1e6 * card.nominal_pixel:g} µm per pixel, this stream has {1e6 * seen:g} µm; "
                         f"train on pictures like these, or pass {ALLOW}")


def stream_pixel(scene: Scene, recipe: Recipe) -> float:
    """Nominal pixel size of the pictures that ``recipe`` takes in ``scene`` [m]."""
    camera = find_station(scene, recipe).camera
    assert camera is not None                  # find_station refuses a station without one
    edited = [e.pixel_size / camera.pixel_size for e in camera.edits if e.pixel_size is not None and not e.removed]
    return pixel_size(camera, recipe.frames) * (edited[0] if edited else 1.0)


def differences(card: ModelCard, met: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between the training data and a stream, a phrase each; ``met`` is ``train.describe`` of the stream."""
    found = []
    for name, title in (("scene_digest", "scene"), ("made_with", "linetwin"), ("renderer", "renderer"),
                        ("renderer_build", "renderer build")):
        taught, now = getattr(card, name), met[name]
        if taught != now:
            cut = SHORT if name == "scene_digest" else None
            found.append(f"{title} {taught[:cut]!r} in training, {now[:cut]!r} here")
    if abs(met["nominal_pixel"] - card.nominal_pixel) > CLOSE * card.nominal_pixel:
        found.append(f"{1e6 * card.nominal_pixel:g} µm per pixel in training, {1e6 * met['nominal_pixel']:g} µm here")
    return tuple(found)


def drift_check(found: tuple[str, ...], allowed: bool = False) -> Check:
    """The report's line on drift: passed without any, or where it was allowed; else undecided."""
    if not found:
        return Check("drift", True, "scene, pixel size, linetwin, renderer and its build are those of the training data")
    what = "; ".join(found)
    if allowed:
        return Check("drift", True, f"allowed: {what}")
    return Check("drift", None, f"{what}; the figures hold for what is here; train on pictures like these, or pass {ALLOW}")


__all__ = ["differences", "drift_check", "refuse", "stream_pixel"]
