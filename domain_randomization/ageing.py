"""ageing: instruments as a scenario has left them. It changes what is seen of a unit, never what the unit is."""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from domain_randomization.exposures import Instrument
from scenes.optics import Lighting

LEAST = 0.02                                   # [1] of the flux that a tube or a lamp always has left


def aged(instrument: Instrument, state: Mapping[str, float]) -> Instrument:
    """An instrument with what its tube has lost: fewer photons, and a darker open field until it is calibrated again.

    Args:
        state: As ``Living.instruments`` gives it.
    """
    station, flux = instrument.station, max(state.get(f"{instrument.station.id}/xray_flux", 1.0), LEAST)
    if station.xray is None or flux == 1.0:
        return instrument
    machine = replace(station.xray, photons=station.xray.photons * flux, open_level=station.xray.open_level * flux)
    return replace(instrument, station=replace(station, xray=machine))


def dimmed(lighting: Lighting, instrument: Instrument, state: Mapping[str, float]) -> Lighting:
    """The lighting of the colour camera's station: darker by its lamps' ageing, softer by its camera's focus error.

    A disk of confusion of diameter 2 NA |dz| has a standard deviation of NA |dz| / 2 along each axis.
    """
    station = instrument.station
    assert station.camera is not None
    flux = max(state.get(f"{station.id}/lamp_flux", 1.0), LEAST)
    error = abs(state.get(f"{station.id}/focus_error", 0.0))
    soft = station.camera.lens.aperture * error / 2 / instrument.cameras[0].pixel_size
    return replace(lighting.scaled(flux), blur=math.hypot(lighting.blur, soft)) if flux != 1.0 or soft > 0 else lighting


__all__ = ["LEAST", "aged", "dimmed"]
