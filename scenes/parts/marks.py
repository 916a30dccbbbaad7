"""Marks: what is printed or lasered on a part: part numbers, date codes, value codes, pin-1 dots, polarity bands.

A mark is drawn in a canonical canvas, text reading left to right with pin 1 at the lower left (at the top left on leadless
and four-sided packages and BGAs), and turned into the
package frame in quarter turns. It is ink coverage, uint8 (h, w), row 0 at the top (largest y of ``Mesh.marking``).
"""
from __future__ import annotations

import math
import re
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scenes.parts.model import Package

U8 = NDArray[np.uint8]

TEXEL = 12e-6                                  # [m] aimed at
LIMIT = (24, 320)                              # [px] smallest and largest side of a mark


def marking(package: Package, value: str, reference: str, seed: int) -> U8 | None:
    """Ink coverage of one part's mark.

    Args:
        package: Its kind and size decide what is printed.
        value: The schematic's value: "10k", "RP2040", "100nF/16V".
        reference: Reference designator; never printed on a part, it only labels the counted fallback box.
        seed: Which lot: date and lot codes follow from it.

    Returns:
        uint8 (h, w), or None for a part without a mark (chip capacitors, resistors of 0402 and below).
    """
    from scenes.parts.meshes import mesh, turn_of

    rect = mesh(package).marking
    draw = _DRAW.get(package.kind)
    if rect is None or draw is None or (package.kind == "chip_resistor" and not package.marked):
        return None
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    quarter = _quarter(package, turn_of)
    if quarter % 2:
        width, height = height, width
    scale = min(1 / TEXEL, LIMIT[1] / max(width, height))
    scale = max(
        scale,
        LIMIT[0] / max(min(width, height), 1e-6) if LIMIT[0] / min(width, height) * max(width, height) <= LIMIT[1] else scale,
    )
    w, h = max(8, round(width * scale)), max(8, round(height * scale))
    canvas = Canvas(w, h, scale)
    draw(canvas, package, value, reference, seed)
    return np.ascontiguousarray(np.rot90(np.asarray(canvas.image), quarter))


def _quarter(package: Package, turn_of: Any) -> int:
    """Quarter turns counter-clockwise from the canonical canvas to the package frame."""
    if not package.terminals:
        return 0
    if package.kind in ("qfn", "dfn", "qfp") and len(package.terminals) > 2:
        return (
            round((package.terminals[0].direction - math.pi) / (math.pi / 2)) % 4
        )  # pin 1 at the top left, as such parts are marked
    if package.kind == "crystal" and len(package.terminals) > 2:
        return 0 if package.body[0] >= package.body[1] else 1
    if package.kind in ("sot", "soic", "tssop") and len(package.terminals) > 2:
        quarter = round((package.terminals[0].direction + math.pi / 2) / (math.pi / 2)) % 4
        if package.kind == "sot" and (package.body[1] > package.body[0]) != (quarter % 2 == 1):
            quarter = (quarter + 1) % 4
        return quarter
    if len(package.terminals) == 2:
        return round(turn_of(package) / (math.pi / 2)) % 4
    if package.kind == "resistor_array":
        return 0 if package.body[0] >= package.body[1] else 1
    return 0


class Canvas:
    """A grey image with the few strokes that marks need. Coordinates in pixels, y down."""

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.w, self.h, self.scale = width, height, scale
        self.image = Image.new("L", (width, height), 0)
        self.pen = ImageDraw.Draw(self.image)

    def text(self, lines: list[str], *, box: tuple[float, float, float, float] = (0.06, 0.08, 0.94, 0.92), largest: float = 1.0,
             align: str = "center", ink: int = 255) -> None:
        """Lines of text as large as fits into ``box`` (shares of the canvas); at most ``largest`` of its height per line."""
        lines = [line for line in lines if line]
        if not lines:
            return
        x0, y0, x1, y1 = box[0] * self.w, box[1] * self.h, box[2] * self.w, box[3] * self.h
        step = min((y1 - y0) / len(lines), largest * self.h)
        size = max(5, int(step * 0.98))
        longest = max(lines, key=len)
        while size > 5 and _font(size).getlength(longest) > x1 - x0:
            size -= 1
        font = _font(size)
        step = min(step, size * 1.15)
        top = (y0 + y1) / 2 - step * len(lines) / 2
        for i, line in enumerate(lines):
            length = font.getlength(line)
            x = {"center": (x0 + x1 - length) / 2, "left": x0, "right": x1 - length}[align]
            self.pen.text((x, top + (i + 0.5) * step), line, fill=ink, font=font, anchor="lm")

    def dot(self, x: float, y: float, radius: float, ink: int = 255) -> None:
        self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


@lru_cache(maxsize=128)
def _font(size: int) -> Any:
    """Pillow's own scalable font (Aileron, CC0), which ships with it."""
    return ImageFont.load_default(size)


def _random(text: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(text.encode())])


def part_number(value: str) -> str:
    """The printable part number in a schematic value: ``"NA(SN74LVC1G04DBVR(SOT23-5))"`` → ``"SN74LVC1G04DBVR"``."""
    text = re.sub(r"^(NA|NS|DNP)\((.*)\)$", r"\2", value.strip())
    text = re.split(r"[(/\s]", text)[0]
    return text.upper()[:16]


_UNIT = {
    "": 1.0,
    "R": 1.0,
    "Ω": 1.0,
    "OHM": 1.0,
    "K": 1e3,
    "M": 1e6,
    "MR": 1e-3,
    "P": 1.0,
    "N": 1e3,
    "U": 1e6,
    "µ": 1e6,
    "μ": 1e6,
}


def ohms(value: str) -> float | None:
    """Resistance in a schematic value [Ω], or None: "10k", "4k7", "0.03R/1%", "RA1206_(4X0603)_4B8_2.2k"."""
    for token in reversed(re.split(r"[_\s]", value.split("/")[0])):
        token = re.sub(r"^(NA|NS|DNP)\(", "", token)
        match = re.fullmatch(r"(\d+)([RKM])(\d+)\)?", token, re.I)
        if match:
            return float(f"{match[1]}.{match[3]}") * _UNIT[match[2].upper()]
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(R|K|M|Ω|OHM|MR)?\)?", token, re.I)
        if match:
            return float(match[1]) * _UNIT[(match[2] or "").upper()]
    return None


def value_code(number: float, digits: int = 2) -> str:
    """EIA code with ``digits`` figures and an exponent: 10 000 → "103", or "1002" with three figures; 4.7 → "4R7"; 0 → "0"."""
    if number <= 0:
        return "0"
    if number < 10 ** (digits - 1):
        text = f"{number:.{3}g}" if number >= 0.1 else f"{number:.3f}"
        whole, _, part = text.partition(".")
        return (whole if whole != "0" else "") + "R" + (part or "0")[:3 if number < 1 else digits - 1]
    exponent = math.floor(math.log10(number)) - digits + 1
    figures = round(number / 10.0**exponent)
    if figures >= 10**digits:
        figures, exponent = figures // 10, exponent + 1
    return f"{figures}{exponent}"


def eia96(number: float) -> str | None:
    """The three-character code of 1 % resistors: 1 kΩ → "01B". None where the value is not of the E96 series."""
    if number < 0.1:
        return None
    decade = math.floor(math.log10(number) + 1e-9)
    figures = number / 10.0**decade * 100
    position = round(96 * math.log10(figures / 100))
    if abs(round(100 * 10 ** (position / 96)) - figures) > 0.5 or not -3 <= decade - 2 <= 5:
        return None
    return f"{position % 96 + 1:02d}" + "ZYXABCDEF"[decade - 2 + 3]


def _resistor(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    number = ohms(value)
    if number is None:
        number = float(_random(value, seed).choice([10, 22, 47, 100, 330, 1e3, 4.7e3, 10e3, 100e3]))
    fine = "1%" in value
    two = number <= 0 or number < 10 or abs(round(number / 10 ** (math.floor(math.log10(number)) - 1)) * 10
                                            ** (math.floor(math.log10(number)) - 1) - number) < 1e-3 * number
    code = value_code(number, 2 if two and not fine else 3)
    if package.name == "0603" and number >= 1 and seed % 2:
        code = eia96(number) or code
    canvas.text([code], box=(0.05, 0.05, 0.95, 0.95), largest=0.86)


def _package(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    """Part number, a second line, date code; a dot at pin 1."""
    rng = _random(value, seed)
    name = part_number(value) or "IC"
    year, week = int(rng.integers(19, 26)), int(rng.integers(1, 53))
    lot = "".join(rng.choice(list("ABCDEFGHJKLMNPRSTUVWXYZ0123456789"), 5))
    short = package.kind == "sot" or min(package.body[:2]) < 2.2e-3
    if short:
        code = (re.sub(r"[^A-Z0-9]", "", name)[:2] or "K") + "".join(rng.choice(list("ABCDEFGHKLMNPRSTUVWY0123456789"), 2))
        canvas.text([code], largest=0.62)
        if package.kind == "sot" and len(package.terminals) > 3:
            canvas.dot(0.07 * canvas.w, 0.84 * canvas.h, 0.07 * canvas.h)
        return
    lines = [name] if len(name) <= 10 or canvas.w > 2 * canvas.h else [name[: (len(name) + 1) // 2], name[(len(name) + 1) // 2:]]
    lines += [f"{year:02d}{week:02d} {lot[:2]}", lot] if canvas.h > 0.5 * canvas.w else [f"{year:02d}{week:02d}{lot[:3]}"]
    line = 0.95e-3 * canvas.scale / canvas.h  # characters are 0.6 to 0.8 mm tall where there is room
    canvas.text(
        lines, box=(0.12, 0.12, 0.94, 0.88), largest=float(np.clip(line, 0.10, 0.30)), align="left" if seed % 3 == 0 else "center"
    )
    radius = min(0.035 * min(canvas.w, canvas.h) + 1.5, 0.25e-3 * canvas.scale)
    canvas.dot(0.075 * canvas.w, (0.075 if package.kind in ("qfn", "dfn", "qfp", "bga") else 0.925) * canvas.h, radius)


def _diode(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    """A band at the cathode (terminal 1, left) and a short code."""
    canvas.pen.rectangle((0.02 * canvas.w, 0, 0.15 * canvas.w, canvas.h), fill=255)
    name = part_number(value) or "D"
    if min(package.body[:2]) > 1.0e-3:
        code = name if max(package.body[:2]) > 4e-3 else re.sub(r"[^A-Z0-9]", "", name)[-3:]
        canvas.text([code], box=(0.22, 0.15, 0.97, 0.85), largest=0.5)


def _led(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    """A cathode mark on the clear body: two small notches and a bar, left."""
    if len(package.terminals) > 2:
        side = 0.10 * min(canvas.w, canvas.h)
        x, y = 0.04 * canvas.w, 0.96 * canvas.h
        canvas.pen.polygon([(x, y), (x + 1.6 * side, y), (x, y - 1.6 * side)], fill=220)
        return
    canvas.pen.rectangle((0, 0.08 * canvas.h, 0.09 * canvas.w, 0.92 * canvas.h), fill=200)


def _can(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    """The black half moon over the minus pin (right) and the value."""
    w, h = canvas.w, canvas.h
    canvas.pen.ellipse((0, 0, w - 1, h - 1), fill=255)
    canvas.pen.rectangle((0, 0, 0.70 * w, h), fill=0)
    number = re.search(r"(\d+(?:\.\d+)?)\s*[uµμ]", value)
    volts = re.search(r"(\d+(?:\.\d+)?)\s*V", value)
    rng = _random(value, seed)
    canvas.text(
        [
            number[1] if number else "100",
            (volts[1] if volts else "25") + "V",
            f"{int(rng.integers(1, 10))}{'ABCDEFGHJKLM'[int(rng.integers(12))]}",
        ],
        box=(0.12, 0.16, 0.68, 0.84),
    )


def _radial(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    """The vent scored into the top, and the sleeve's stripe over the minus pin (right)."""
    w, h = canvas.w, canvas.h
    line = max(1, round(0.02 * w))
    for angle in (0.5, 0.5 + 2 * math.pi / 3, 0.5 + 4 * math.pi / 3):
        canvas.pen.line(
            (w / 2, h / 2, w / 2 + 0.36 * w * math.cos(angle), h / 2 + 0.36 * h * math.sin(angle)), fill=110, width=line
        )
    canvas.pen.arc((0.01 * w, 0.01 * h, 0.99 * w, 0.99 * h), -28, 28, fill=255, width=max(2, round(0.06 * w)))


def _crystal(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    match = re.search(r"(\d+(?:\.\d+)?)\s*(k|M)?Hz", value, re.I)
    rng = _random(value, seed)
    frequency = f"{float(match[1]):.3f}" if match else "25.000"
    canvas.text(
        [
            ("JWT", "TXC", "HQ", "ECS")[int(rng.integers(4))],
            frequency[:7] + f"{'ABCDEF'[int(rng.integers(6))]}{int(rng.integers(19, 26))}",
        ],
        box=(0.08, 0.12, 0.92, 0.88),
        largest=0.34,
    )
    canvas.dot(0.06 * canvas.w, 0.92 * canvas.h, 0.03 * canvas.w)


def _inductor(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    match = re.search(r"(\d+(?:\.\d+)?)\s*([unµμm])H", value)
    micro = float(match[1]) * {"u": 1, "µ": 1, "μ": 1, "n": 1e-3, "m": 1e3}[match[2]] if match else 4.7
    canvas.text([value_code(micro, 2)], box=(0.08, 0.2, 0.92, 0.8), largest=0.5)


def _module(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    rng = _random(value, seed)
    lot = "".join(rng.choice(list("ABCDEFGHJKLMNPRSTUVWXYZ0123456789"), 8))
    canvas.text(
        [
            part_number(value) or "MODULE",
            "FCC ID: 2AC7Z-" + lot[:5],
            "CMIIT ID: 20" + f"{int(rng.integers(18, 24))}DP{int(rng.integers(1000, 9999))}",
            lot,
        ],
        box=(0.08, 0.25, 0.92, 0.85),
        largest=0.11,
    )
    canvas.pen.rectangle((0.08 * canvas.w, 0.06 * canvas.h, 0.20 * canvas.w, 0.18 * canvas.h), outline=255)
    cell = 0.12 * canvas.w / 8
    for i, bit in enumerate(rng.integers(0, 2, 64)):
        if bit:
            x, y = 0.08 * canvas.w + cell * (i % 8), 0.06 * canvas.h + cell * (i // 8)
            canvas.pen.rectangle((x, y, x + cell - 1, y + cell - 1), fill=255)


def _box(canvas: Canvas, package: Package, value: str, reference: str, seed: int) -> None:
    canvas.text([reference, part_number(value)], largest=0.4)


_DRAW = {
    "chip_resistor": _resistor,
    "resistor_array": _resistor,
    "sod": _diode,
    "sma": _diode,
    "chip_diode": _diode,
    "chip_led": _led,
    "sot": _package,
    "soic": _package,
    "tssop": _package,
    "qfp": _package,
    "qfn": _package,
    "dfn": _package,
    "bga": _package,
    "electrolytic_can": _can,
    "electrolytic_radial": _radial,
    "crystal": _crystal,
    "inductor": _inductor,
    "module": _module,
    "box": _box,
}

__all__ = ["eia96", "marking", "ohms", "part_number", "value_code"]
