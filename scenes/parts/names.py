"""Names: what a footprint's name says about its package. KiCad's library names, OLIMEX's, and the industry's.

``recognise`` returns a ``Hint``: kind and the dimensions that the name fixes. Everything else comes from the pads.
Dimensions are nominal ones of EIA, JEDEC and EIAJ outlines [m].
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field

from scenes.parts.model import PackageKind

MM = 1e-3


@dataclass(frozen=True)
class Hint:
    """What the name says. Zeros are unknown."""
    kind: PackageKind
    name: str
    body: tuple[float, float, float] = (0.0, 0.0, 0.0)   # [m] canonical: leads on ±y (two rows), chips along x
    span: float = 0.0                          # [m] from lead tip to lead tip
    foot: float = 0.0                          # [m] length of a lead's foot
    lead: tuple[float, float] = (0.0, 0.0)     # [m] width and thickness of a lead
    pitch: float = 0.0
    ball: float = 0.0
    extra: dict[str, float] = field(default_factory=dict)


# EIA chip sizes: code → length, width, height of a resistor, usual height of a capacitor, length of a termination [mm]
CHIPS: dict[str, tuple[float, float, float, float, float]] = {
    "01005": (0.4, 0.2, 0.13, 0.20, 0.10), "0201": (0.6, 0.3, 0.23, 0.30, 0.15), "0402": (1.0, 0.5, 0.35, 0.50, 0.25),
    "0603": (1.6, 0.8, 0.45, 0.80, 0.35), "0805": (2.0, 1.25, 0.50, 0.95, 0.45), "1206": (3.2, 1.6, 0.55, 1.15, 0.50),
    "1210": (3.2, 2.5, 0.55, 1.60, 0.50), "1806": (4.5, 1.6, 0.60, 1.50, 0.55), "1808": (4.5, 2.0, 0.60, 1.60, 0.55),
    "1812": (4.5, 3.2, 0.60, 2.00, 0.60), "2010": (5.0, 2.5, 0.60, 1.80, 0.60), "2220": (5.7, 5.0, 0.60, 2.30, 0.65),
    "2225": (5.7, 6.3, 0.60, 2.30, 0.65), "2512": (6.3, 3.2, 0.60, 2.00, 0.65), "1812L": (4.5, 3.2, 0.60, 2.00, 0.60),
    "0612": (1.6, 3.2, 0.55, 0.80, 0.35), "0204": (0.6, 1.0, 0.35, 0.50, 0.20), "0306": (0.8, 1.6, 0.35, 0.60, 0.25),
}
METRIC: dict[str, str] = {
    "0402": "01005", "0603": "0201", "1005": "0402", "1608": "0603", "2012": "0805", "3216": "1206", "3225": "1210",
    "4516": "1806", "4520": "1808", "4532": "1812", "5025": "2010", "5750": "2220", "6332": "2512", "1632": "0612",
    "0610": "0204", "0816": "0306", "5664": "2225", "6432": "2512",
}

# name → body length along the rows, body width between the rows, height, span, foot, lead width, lead thickness, pitch [mm]
SMALL: dict[str, tuple[float, ...]] = {
    "SOT-23": (2.92, 1.30, 1.00, 2.37, 0.35, 0.40, 0.13, 0.95), "SOT-23-5": (2.90, 1.60, 1.10, 2.80, 0.42, 0.40, 0.15, 0.95),
    "SOT-23-6": (2.90, 1.60, 1.10, 2.80, 0.42, 0.40, 0.15, 0.95), "SOT-23-8": (2.90, 1.60, 1.10, 2.80, 0.42, 0.30, 0.15, 0.65),
    "SOT-323": (2.00, 1.25, 0.95, 2.10, 0.26, 0.30, 0.13, 0.65), "SOT-353": (2.00, 1.25, 0.95, 2.10, 0.26, 0.22, 0.13, 0.65),
    "SOT-363": (2.00, 1.25, 0.95, 2.10, 0.26, 0.22, 0.13, 0.65), "SOT-143": (2.90, 1.30, 1.00, 2.40, 0.40, 0.42, 0.13, 1.90),
    "SOT-223": (6.50, 3.50, 1.65, 7.00, 0.90, 0.72, 0.28, 2.30), "SOT-89": (4.50, 2.50, 1.50, 4.10, 0.80, 0.45, 0.40, 1.50),
    "SOT-563": (1.60, 1.20, 0.60, 1.60, 0.20, 0.22, 0.13, 0.50), "SOT-553": (1.60, 1.20, 0.60, 1.60, 0.20, 0.22, 0.13, 0.50),
    "SOT-523": (1.60, 0.80, 0.75, 1.60, 0.25, 0.28, 0.13, 0.50), "SOT-723": (1.20, 0.80, 0.50, 1.20, 0.15, 0.25, 0.12, 0.40),
    "SOT-666": (1.60, 1.20, 0.55, 1.60, 0.20, 0.22, 0.13, 0.50),
    "TO-252": (6.60, 6.10, 2.30, 9.90, 1.50, 0.76, 0.50, 2.28), "TO-263": (10.0, 9.20, 4.50, 15.0, 2.30, 0.80, 0.50, 2.54),
}
ALIASES = {"SC-59": "SOT-23", "TO-236": "SOT-23", "SC-70": "SOT-323", "SC-70-3": "SOT-323", "SC-70-5": "SOT-353",
           "SC-70-6": "SOT-363", "SC-88": "SOT-363", "SC-88A": "SOT-353", "TSOT-23-5": "SOT-23-5", "TSOT-23-6": "SOT-23-6",
           "TSOT-23": "SOT-23", "TSOT-23-8": "SOT-23-8", "SOT-25": "SOT-23-5", "SOT-26": "SOT-23-6", "SOT-23-3": "SOT-23",
           "SC-75": "SOT-523", "SOT-416": "SOT-523", "DPAK": "TO-252", "D2PAK": "TO-263", "DDPAK": "TO-263",
           "SOT-457": "SOT-23-6", "SC-74": "SOT-23-6", "SC-74A": "SOT-23-5", "SOT-563-6": "SOT-563", "SOT-753": "SOT-23-5"}

# two-terminal moulded diodes: body length, width, height, overall length, lead width, foot, lead thickness [mm]
DIODES: dict[str, tuple[float, ...]] = {
    "SOD-123": (2.70, 1.60, 1.15, 3.70, 0.60, 0.40, 0.12), "SOD-123F": (2.80, 1.80, 0.98, 3.60, 0.90, 0.50, 0.15),
    "SOD-323": (1.70, 1.25, 0.95, 2.55, 0.32, 0.26, 0.12), "SOD-323F": (1.80, 1.30, 0.80, 2.55, 0.40, 0.35, 0.12),
    "SOD-523": (1.20, 0.80, 0.60, 1.60, 0.30, 0.18, 0.12), "SOD-923": (0.80, 0.60, 0.40, 1.00, 0.20, 0.12, 0.10),
    "SOD-128": (3.80, 2.50, 1.00, 4.70, 1.75, 0.60, 0.15),
    "SMA": (4.30, 2.60, 2.20, 5.10, 1.45, 1.20, 0.20), "SMB": (4.45, 3.60, 2.30, 5.40, 2.05, 1.20, 0.20),
    "SMC": (6.85, 5.90, 2.30, 7.95, 3.05, 1.20, 0.22), "SMAF": (4.30, 2.60, 1.00, 4.75, 1.45, 0.90, 0.20),
}

# packages with two or four rows of gull wings: width of the body between rows, height, span, foot, lead width, thickness [mm]
TWO_ROWS: dict[str, tuple[float, ...]] = {
    "SOIC": (3.90, 1.65, 6.00, 0.70, 0.41, 0.20), "SOICW": (7.50, 2.35, 10.3, 0.85, 0.41, 0.25),
    "SOP": (3.90, 1.65, 6.00, 0.70, 0.41, 0.20), "TSSOP": (4.40, 1.00, 6.40, 0.60, 0.24, 0.14),
    "SSOP": (5.30, 1.75, 7.80, 0.75, 0.30, 0.16), "MSOP": (3.00, 0.95, 4.90, 0.55, 0.23, 0.15),
    "VSSOP": (3.00, 0.95, 4.90, 0.55, 0.23, 0.15), "QSOP": (3.90, 1.55, 6.00, 0.65, 0.25, 0.20),
    "TSOP": (18.4, 1.00, 20.0, 0.55, 0.20, 0.14),
}

_SIZE = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(?:x(\d+(?:\.\d+)?))?(?:\s*mm|_|$)", re.I)
_PITCH = re.compile(r"(?:P|Pitch[-_]?)(\d+(?:\.\d+)?)\s*mm", re.I)


def size_of(name: str) -> tuple[float, float, float]:
    """The first ``AxB`` or ``AxBxC`` in millimetres in a name [m]; zeros where there is none."""
    for match in _SIZE.finditer(re.sub(r"(?i)EP\d+(\.\d+)?x\d+(\.\d+)?mm|layout\d+x\d+|\d+x\d+(?=_P\d)", "", name)):
        a, b, c = float(match[1]), float(match[2]), float(match[3] or 0)
        if 0.2 <= a <= 100 and 0.2 <= b <= 100:
            return a * MM, b * MM, c * MM
    return 0.0, 0.0, 0.0


def pitch_of(name: str) -> float:
    """Pitch in a name [m], or 0."""
    match = _PITCH.search(name)
    return float(match[1]) * MM if match else 0.0


def chip_codes(name: str) -> list[str]:
    """Inch codes that a name may mean, the likeliest first. A ``…Metric`` suffix settles it."""
    metric = re.search(r"(\d{4,5})Metric", name, re.I)
    if metric and metric[1] in METRIC:
        return [METRIC[metric[1]]]
    found = []
    for match in re.finditer(r"(?<![\d.])(01005|\d{4})(?![\d.])", name):
        code = match[1]
        if code in CHIPS:
            found.append(code)
        if code in METRIC and METRIC[code] not in found:
            found.append(METRIC[code])
    return found


def recognise(name: str) -> Hint | None:
    """Kind and dimensions by name alone; None where the name says nothing. Chips are recognised by the caller."""
    text = name.upper()
    size, pitch = size_of(name), pitch_of(name)
    if re.search(r"BGA|WLCSP|\bCSP", text):
        height = size[2] or (1.2 * MM if min(size[:2]) > 8 * MM else 0.9 * MM)
        return Hint("bga", _label(text, r"[A-Z]*(?:BGA|CSP)-?\d*"), (size[0], size[1], height), pitch=pitch)
    if re.search(r"QFN|\bMLF|MLPQ|LGA|LCC\d", text):
        return Hint(
            "qfn", _label(text, r"[A-Z]*(?:QFN|MLF|MLPQ|LGA|LCC)-?\d*"), (size[0], size[1], size[2] or 0.85 * MM), pitch=pitch
        )
    if re.search(r"DFN|[WVUX]SON|X2SON|\bSON", text):
        return Hint("dfn", _label(text, r"[A-Z0-9]*(?:DFN|SON)-?\d*"), (size[0], size[1], size[2] or 0.75 * MM), pitch=pitch)
    if re.search(r"[LTVP]?QFP", text):
        thick = 1.0 if "TQFP" in text else 1.4
        fine = pitch and pitch < 0.45 * MM
        return Hint("qfp", _label(text, r"[A-Z]*QFP-?\d*"), (size[0], size[1], size[2] or thick * MM), foot=0.6 * MM,
                    lead=((0.18 if fine else 0.37 if pitch > 0.7 * MM else 0.22) * MM, 0.13 * MM), pitch=pitch)
    for family in ("VSSOP", "TSSOP", "MSOP", "QSOP", "SSOP", "TSOP"):
        if family in text:
            return _two_rows("tssop", family, _label(text, rf"[A-Z]*{family}-?\d*"), size, pitch)
    if re.search(r"SOICW|SOIC.*W\b|WIDE", text) and "SO" in text:
        return _two_rows("soic", "SOICW", _label(text, r"[A-Z]*SOIC-?\d*"), size, pitch)
    if re.search(r"SOIC|\bSOP|_SOP|^SOP|\bSO-?\d+|^SO-?\d+\b", text) and not re.search(r"SOT", text):
        return _two_rows("soic", "SOIC", _label(text, r"[A-Z]*SO(?:IC|P)?-?\d*"), size, pitch)
    small = _small(text)
    if small:
        return small
    diode = _diode(text)
    if diode:
        return diode
    return _odd(name, text, size, pitch)


def _label(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match[0].strip("-_") if match else text[:16]


def _two_rows(kind: PackageKind, family: str, label: str, size: tuple[float, float, float], pitch: float) -> Hint:
    width, height, span, foot, lead, thick = (v * MM for v in TWO_ROWS[family])
    length = 0.0
    if size[0]:
        # libraries write either order; the width between the rows is the one nearer to the family's own
        a, b = size[:2]
        width, length = (a, b) if abs(a - width) <= abs(b - width) else (b, a)
        span = width + (span - TWO_ROWS[family][0] * MM)
    fine = pitch and pitch < 0.45 * MM
    return Hint(kind, label, (length, width, size[2] or height), span, foot, (lead * (0.8 if fine else 1.0), thick), pitch)


def _small(text: str) -> Hint | None:
    match = re.search(r"(T?SOT|SC|TO)[-_]?(\d{2,3}[A-Z]?)(?:[-_](\d)(?!\d|\.))?|\b(D2PAK|DDPAK|DPAK)", text)
    if not match:
        return None
    if match[4]:
        base = match[4]
    else:
        base = f"{match[1]}-{match[2]}" + (f"-{match[3]}" if match[3] else "")
    for key in (base, base.rsplit("-", 1)[0] if base.count("-") > 1 else base, base.lstrip("T")):
        key = ALIASES.get(key, key)
        if key in SMALL:
            length, width, height, span, foot, lead, thick, pitch = (v * MM for v in SMALL[key])
            return Hint("sot", key, (length, width, height), span, foot, (lead, thick), pitch)
    return None


def _diode(text: str) -> Hint | None:
    match = re.search(r"SOD-?_?(\d{3}F?)", text)
    key = f"SOD-{match[1]}" if match else ""
    if not match:
        if re.search(r"DO-?214AC|(?:^|D_|_)SMA(?:F?)(?:$|[-_(])", text) and "COAX" not in text:
            key = "SMA"
        elif re.search(r"DO-?214AA|(?:^|D_|_)SMB(?:$|[-_(])", text):
            key = "SMB"
        elif re.search(r"DO-?214AB|(?:^|D_|_)SMC(?:$|[-_(])", text):
            key = "SMC"
    if key not in DIODES:
        return None
    length, width, height, span, lead, foot, thick = (v * MM for v in DIODES[key])
    return Hint("sma" if key.startswith("SM") else "sod", key, (length, width, height), span, foot, (lead, thick))


# pattern, kind, label, body (length, width, height) in mm; zeros are filled from the name or from the pads
_ODD: tuple[tuple[str, PackageKind, str, tuple[float, float, float]], ...] = (
    (r"MINIMELF|SOD-?80", "melf", "MiniMELF", (3.5, 1.4, 1.4)),
    (r"MICROMELF|0102", "melf", "MicroMELF", (2.0, 1.25, 1.25)),
    (r"MELF", "melf", "MELF", (5.2, 2.4, 2.4)),
    (r"WS28\d\d.*2020|LED.*2020", "chip_led", "2020", (2.2, 2.0, 0.84)),
    (r"WS28\d\d.*5050|SK6812|LED.*5050|PLCC-?[46].*5", "chip_led", "5050", (5.0, 5.0, 1.6)),
    (r"WS28\d\d|PLCC-?\d", "chip_led", "PLCC", (3.5, 2.8, 1.9)),
    (r"CP_ELEC|CAPAE|CAP.*ALUM.*SMD", "electrolytic_can", "can", (0, 0, 0)),
    (r"CP_RADIAL|CPOL|C_RADIAL|CAP.*RM\d", "electrolytic_radial", "radial", (0, 0, 0)),
    (r"R_ARRAY|RES.*ARRAY|R_MATRIX|RA\d{4}|R_PACK|CAY16", "resistor_array", "array", (0, 0, 0.5)),
    (r"CRYSTAL|XTAL|OSCILLATOR|RESONATOR|HC-?49|_TSX|ABM\d", "crystal", "crystal", (0, 0, 0)),
    (r"B3U-?1000", "button", "B3U-1000P", (3.0, 2.5, 1.6)),
    (r"IT1185", "button", "IT1185", (4.0, 2.9, 2.0)),
    (r"SW_SPST|SW_PUSH|BUTTON|TACT|PTS\d{3}|SKQG|SKRK|KMR2|EVQ", "button", "button", (0, 0, 1.9)),
    (r"PINHEADER|PINSOCKET|PIN_HEADER|^HN\d|HEADER_", "header", "header", (0, 0, 0)),
    (r"GBH|IDC|BOX_?HEADER", "connector", "box header", (20.3, 9.0, 9.4)),
    (r"USB.*MICRO|MICRO.*USB", "connector", "micro USB", (5.6, 7.6, 2.6)),
    (r"USB_?C|USB-?C|TYPE-?C", "connector", "USB-C", (7.3, 8.94, 3.2)),
    (r"RJP|RJ-?45|MAGJACK|8P8C", "connector", "RJ45 jack", (21.8, 16.0, 13.5)),
    (r"USD|MICRO_?SD|TFC", "connector", "micro SD", (12.0, 11.4, 1.6)),
    (r"LIPO|JST|PH_|XH_|PICOBLADE|MOLEX", "connector", "wire connector", (0, 0, 6.0)),
    (r"ESP32-?WRO(?:VER|OM)|ESP-?12|ESP32-S|ESP32-C", "module", "ESP32 module", (0, 0, 3.1)),
    (r"MODULE|^RF_|WIFI|BLUETOOTH|NRF|RFM\d", "module", "module", (0, 0, 2.6)),
    (r"DBS\d|SDR\d|CDRH|SLF\d|_SRR|SRN\d|IHLP|^L_\D", "inductor", "inductor", (0, 0, 0)),
    (r"FPC|FFC|TERMINAL|CONN|^J_|SOCKET|JACK|BARREL", "connector", "connector", (0, 0, 0)),
)


def _odd(name: str, text: str, size: tuple[float, float, float], pitch: float) -> Hint | None:
    for pattern, kind, label, body in _ODD:
        if re.search(pattern, text):
            length, width, height = (v * MM for v in body)
            if not length and size[0]:
                length, width = size[:2]
            return Hint(kind, label, (length, width, size[2] or height), pitch=pitch)
    return None


__all__ = ["ALIASES", "CHIPS", "DIODES", "METRIC", "SMALL", "TWO_ROWS", "Hint", "chip_codes", "pitch_of", "recognise", "size_of"]
