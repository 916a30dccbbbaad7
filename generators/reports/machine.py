"""What a machine's sensors recorded, for people: every channel as a waveform and, where it is fast, as a spectrum.

Of a vibration the squared-envelope spectrum is drawn too, with the frequencies at which spalls would strike.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq
from scipy.signal import hilbert, welch

from generators.reports import Check, Figure, Picture, Report, Section, Table
from generators.reports.plots import curve
from generators.traces.machine_record import MachineRecord
from generators.traces.sensor import Trace

F64 = NDArray[np.float64]

FAST = 500.0                                   # [Hz] from which a spectrum is drawn
BAND = (2000.0, 4500.0)                        # [Hz] of the envelope: where housings of small bearings ring
SHOWN = 0.25                                   # [s] of a fast waveform
_BINS = 300


def machine_report(record: MachineRecord) -> Report:
    """Checks, figures and plots of one record."""
    truth = record.truth
    lost = [t.channel for t in record.traces if np.isnan(t.values).mean() > 0.5]
    flat = [t.channel for t in record.traces if len(t.values) > 1000 and np.nanstd(t.values) == 0]
    bearings = truth["bearings"]
    checks = (
        Check("channels.present", not lost, f"{len(record.traces)} channels have more than half of their readings"
              if not lost else "channels that lost more than half of their readings; lower 'dropout'", examples=tuple(lost)),
        Check("channels.alive", not flat, "every fast channel moves" if not flat else
              "channels that do not move; check their range and resolution", examples=tuple(flat)))
    figures = {"shaft speed": Figure(truth["speed_hz"], "Hz"), "load": Figure(truth["load"], "ratio")}
    if truth.get("blade_pass_hz"):
        figures["blade pass"] = Figure(truth["blade_pass_hz"], "Hz")
    if "cavitation_number" in truth:
        figures["cavitation number"] = Figure(truth["cavitation_number"])
    if "leak_m3_s" in truth:
        figures["leak"] = Figure(truth["leak_m3_s"] * 60e3, "l/min ANR")
    faults = tuple((f["kind"], f["place"], f["severity"]) for f in truth["faults"])
    known = Table(("Fault", "Place", "Severity"), faults, "What is wrong") if faults else None
    head = ("Bearing", "Type", "Cage [Hz]", "Outer [Hz]", "Inner [Hz]", "Ball, 2 × spin [Hz]", "Contact angle [deg]")
    kinds = Table(head, tuple(
        (name, b["type"], b["cage_hz"], b["outer_hz"], b["inner_hz"], b["ball_hz"], math.degrees(b["angle_rad"]))
        for name, b in bearings.items()), "Kinematic frequencies")
    sections = [Section("Truth", "" if faults else "Nothing is wrong with this machine.", tuple(t for t in (known, kinds) if t))]
    sections += [Section(t.channel, "", (), tuple(_pictures(t, record))) for t in record.traces if t.sample_rate >= FAST]
    slow = tuple(p for t in record.traces if t.sample_rate < FAST for p in _pictures(t, record))
    sections += [Section("Slow channels", "", (), slow)] if slow else []
    return Report(f"{truth['name']}: record of {record.duration:g} s", checks, figures,
                  {"machine": record.machine, "type": truth["type"], "clock": f"from {record.start:g} s"}, tuple(sections))


def save_record(record: MachineRecord, folder: str | Path) -> dict[str, Path]:
    """Write ``traces.parquet`` and the report (index.html, report.json, junit.xml) into a folder. Raises StorageError."""
    from generators.dataset.recordings import write_recordings
    folder = Path(folder)
    return {"traces.parquet": write_recordings([record], folder / "traces.parquet"), **machine_report(record).write(folder)}


def _pictures(trace: Trace, record: MachineRecord) -> list[Picture]:
    values, rate = np.nan_to_num(np.asarray(trace.values, np.float64), nan=float(np.nanmean(trace.values))), trace.sample_rate
    fast = rate >= FAST
    short = values[:max(round(SHOWN * rate), 2)] if fast else values
    times, line = span(np.arange(len(short)) / rate, short)
    wave = curve({trace.channel: (times.tolist(), line.tolist())}, x_label="time [s]", y_label=trace.unit, width=620, height=260)
    rms = math.sqrt(float(np.mean(values ** 2)))
    out = [Picture(wave, f"{len(values):,} readings at {rate:g} Hz; RMS {rms:.4g} {trace.unit}", half=True)]
    if not fast or np.ptp(values) == 0:
        return out
    frequency, density = welch(values, rate, nperseg=min(len(values), 8192))
    f, level = peaks(frequency, 10 * np.log10(density + 1e-30))
    out.append(Picture(curve({"density": (f.tolist(), level.tolist())}, x_label="frequency [Hz]",
                             y_label=f"dB re 1 ({trace.unit})²/Hz", width=620, height=260), "Power spectral density", half=True))
    place = trace.channel.split("/")[1]
    if trace.channel.endswith("/vibration") and place in record.truth["bearings"] and rate > 2.2 * BAND[1]:
        out.append(_envelope(values, rate, record.truth["bearings"][place]))
    return out


def _envelope(values: F64, rate: float, bearing: Any) -> Picture:
    frequency, line = envelope_spectrum(values, rate, BAND)
    keep = (frequency > 2) & (frequency < 4 * bearing["inner_hz"] / 1.5)
    f, size = frequency[keep], line[keep] / np.median(line[keep])
    lines: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    x, y = peaks(f, size, 600)
    lines["envelope"] = (x.tolist(), y.tolist())
    for part in ("outer", "inner", "ball"):
        at = bearing[f"{part}_hz"]
        lines[f"{part} {at:.1f} Hz"] = ([at, at], [0.0, float(size.max())])
    return Picture(curve(lines, x_label="frequency [Hz]", y_label="over the median", width=1240, height=280),
                   f"Squared-envelope spectrum of {BAND[0] / 1e3:g} to {BAND[1] / 1e3:g} kHz", wide=True)


def envelope_spectrum(values: F64, rate: float, band: tuple[float, float]) -> tuple[F64, F64]:
    """(frequencies [Hz], amplitude) of the squared envelope of a band [Hz]."""
    count = len(values)
    spectrum = rfft(values)
    frequency = rfftfreq(count, 1 / rate)
    spectrum[(frequency < band[0]) | (frequency > band[1])] = 0
    envelope = np.abs(hilbert(irfft(spectrum, count))) ** 2
    return frequency, np.abs(rfft(envelope - envelope.mean())) / count


def span(x: F64, y: F64, bins: int = _BINS) -> tuple[F64, F64]:
    """A long line as the least and the greatest value of each bin: what a screen of that width shows of it."""
    if len(y) <= 2 * bins:
        return x, y
    edge = np.linspace(0, len(y), bins + 1).astype(np.intp)[:-1]
    low, high = np.minimum.reduceat(y, edge), np.maximum.reduceat(y, edge)
    return np.repeat(x[edge], 2), np.stack([low, high], axis=1).ravel()


def peaks(x: F64, y: F64, bins: int = _BINS) -> tuple[F64, F64]:
    """A long line as the greatest value of each bin: narrow lines of a spectrum stay."""
    if len(y) <= bins:
        return x, y
    edge = np.linspace(0, len(y), bins + 1).astype(np.intp)[:-1]
    return x[edge], np.maximum.reduceat(y, edge)


__all__ = ["envelope_spectrum", "machine_report", "save_record"]
