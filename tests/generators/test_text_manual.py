"""Manuals and spec sheets: their numbers are the scene's, and every answer stands on the page that its question names."""
from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from generators.text.document import fact, markdown, number
from generators.text.manual import documents
from generators.text.pdf import KOREAN, render, write
from generators.text.questions import Question, questions
from scenes.errors import AssetError, SceneError
from scenes.scene import Scene

pypdf = pytest.importorskip("pypdf")

SCENE = """
linetwin: 1
name: living
line: Plant/SMT/Line 3
product: {{family: smt, board: {board}, stencil_um: 110}}
production: {{takt_s: 24, crew: 2}}
stations:
  - id: printer
    kind: printer
    flow: {{cycle_s: 16, cycle_std_s: 1.5, buffer: 2, mtbf_h: 8, mttr_min: 5,
           supplies: [{{name: paste, units: 600, refill_s: 120}}]}}
    drifts:
      - {{id: clog, kind: stencil_clog, life_cycles: 2600, maintain: 0.85, repair_min: 20}}
    sensors: [{{quantity: force, module: squeegee, unit: N, rate_hz: 1, low: 0, high: 250, resolution: 0.1}}]
  - id: placement
    kind: placement
    flow: {{cycle_s: 20, buffer: 4, mtbf_h: 2.5, mttr_min: 2}}
    drifts:
      - {{id: n3, kind: nozzle_wear, module: nozzle3, life_cycles: 60000, repair_min: 25}}
      - {{id: leak, kind: air_leak, life_h: 600, repair_min: 40}}
    sensors:
      - {{quantity: vacuum, modules: [nozzle1, nozzle2, nozzle3, nozzle4], unit: Pa, low: -100000, high: 0, resolution: 100}}
  - id: reflow
    kind: reflow
    flow: {{cycle_s: 300, interval_s: 18, slots: 15, mtbf_h: 500, mttr_min: 60}}
    drifts:
      - {{id: z7, kind: zone_heater, module: zone7, life_h: 2000, repair_min: 90}}
      - {{id: z5, kind: zone_blower_bearing, module: zone5, life_h: 4000, maintain: 0.8, repair_min: 120}}
    sensors:
      - {{quantity: temperature, modules: [{zones}], unit: degC, low: 0, high: 400, resolution: 0.1}}
      - {{quantity: duty, modules: [{zones}], unit: "1", low: 0, high: 1}}
      - {{quantity: blower_velocity, modules: [{zones}], unit: m/s, low: 0, high: 0.05}}
  - {{id: aoi, kind: aoi, flow: {{cycle_s: 18}}, camera: {{pixel_um: 15, width: 2048, height: 1024}}}}
  - id: axi
    kind: axi
    flow: {{cycle_s: 60, share: 0.25}}
    xray: {{tube_kv: 130, source_object_mm: 80, source_detector_mm: 400}}
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Scene:
    board = Path(__file__).parents[2] / "examples/boards/inspector.kicad_pcb"
    path = tmp_path_factory.mktemp("manual") / "living.yaml"
    path.write_text(SCENE.format(board=board, zones=", ".join(f"zone{i}" for i in range(1, 9))), encoding="utf-8")
    return Scene.read(path)


@pytest.fixture(scope="module")
def book(scene):
    return documents(scene)


@pytest.fixture(scope="module")
def asked(book) -> dict[str, Question]:
    found = questions(book)
    assert len({q.id for q in found}) == len(found)
    return {q.id: q for q in found}


def flat(text: str) -> str:
    """Without the spaces and line breaks that a page brings; of µ and ² there is one form."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def pages(pdf: bytes) -> list[str]:
    return [flat(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_there_is_a_manual_and_a_sheet_for_every_station(scene, book):
    assert [d.id for d in book] == [f"{s.id}-{kind}" for s in scene.stations for kind in ("manual", "spec")]


def test_answers_stand_on_the_page_that_is_named(book, asked):
    """Read back with another library: every printed value is on its page, in its section's order."""
    assert len(asked) > 250
    read = {d.id: pages(render(d).pdf) for d in book}
    for q in asked.values():
        for place in q.places:
            assert flat(place.printed) in read[q.document][place.page - 1], (q.id, place)
        if q.kind == "lookup":
            (place,) = q.places
            assert q.accepts(q.answer)
            if isinstance(q.answer, float):
                assert place.printed.startswith(number(q.answer))


@pytest.mark.parametrize(("name", "answer", "unit"), [
    ("printer-manual/cycle", 16.0, "s"), ("printer-spec/buffer", 2.0, ""), ("printer-manual/stencil", 110.0, "µm"),
    ("printer-manual/refill/paste", 600.0, "boards"), ("printer-manual/life/stencil apertures", 2600.0, "cycles"),
    ("printer-manual/renew/stencil apertures", 0.85, ""), ("printer-manual/range_high/printer/squeegee/force", 250.0, "N"),
    ("placement-manual/mtbf", 2.5, "h"), ("placement-manual/duration/nozzle tip, nozzle3", 25.0, "min"),
    ("placement-manual/range_low/placement/nozzle3/vacuum", -100000.0, "Pa"), ("placement-manual/feeds_from", "printer", ""),
    ("placement-manual/accuracy", 50.0, "µm"),                            # 50 µm at 4σ, as the reference has it
    ("reflow-manual/soak", 71.4, "s"), ("reflow-manual/above", 61.5, "s"), ("reflow-manual/peak", 245.4, "°C"),
    ("reflow-spec/zone/7", 248.0, "°C"), ("reflow-manual/path", "Plant/SMT/Line 3/reflow", ""),
    ("aoi-manual/pixel", 15.0, "µm"), ("axi-spec/tube", 130.0, "kV"), ("axi-manual/share", 25.0, "%"),
    # computed: 8 h and 5 min → 480/485; 3600/16; 16/24; 400/80; 10 × 0.35 m at 0.7 m/min; 600 × 24 s
    ("printer-manual/availability", 480 / 485 * 100, "%"), ("printer-manual/capacity", 225.0, "1/h"),
    ("printer-manual/load", 100 * 16 / 24, "%"), ("axi-manual/magnification", 5.0, ""), ("reflow-manual/transit", 300.0, "s"),
    ("printer-spec/paste_hours/paste", 240.0, "min"),
])
def test_answers_are_the_scenes_own(asked, name, answer, unit):
    q = asked[name]
    assert q.answer == (answer if isinstance(answer, str) else pytest.approx(answer, rel=1e-9))
    assert q.unit == unit
    assert q.accepts(answer)
    assert not q.accepts(answer + "x" if isinstance(answer, str) else answer * 1.1 + 1)


def test_answers_follow_the_scene(scene, asked, tmp_path):
    """Another stencil, another answer: nothing is written down twice."""
    path = tmp_path / "other.yaml"
    text = scene.text.replace("stencil_um: 110", "stencil_um: 150").replace("cycle_s: 16,", "cycle_s: 17,")
    path.write_text(text, encoding="utf-8")
    changed = {q.id: q.answer for q in questions(documents(Scene.read(path))) if q.answer != asked[q.id].answer}
    assert set(changed) == {f"printer-{d}/{k}" for d in ("manual", "spec") for k in ("stencil", "cycle", "capacity", "load")}


def test_tolerance_lets_rounding_pass_and_nothing_else():
    value = fact("peak", 245.43, "°C", digits=4)
    assert (value.printed, value.value) == ("245.4 °C", 245.4)
    q = Question("q", "d", "en", "lookup", "?", value.value, value.unit, value.tolerance, ())
    assert q.accepts(245.43)
    assert not q.accepts(245.5)
    assert not q.accepts("245.4")
    assert number(1e-5) == "0.00001"
    assert number(-100000.0) == "-100000"
    assert number(0.1 + 0.2) == "0.3"


def test_pdf_bytes_are_the_same_in_every_process(scene, book):
    document = next(d for d in book if d.id == "reflow-spec")
    here = hashlib.sha256(render(document).pdf).hexdigest()
    assert hashlib.sha256(render(document).pdf).hexdigest() == here
    code = ("import sys, hashlib; from scenes.scene import Scene; from generators.text.manual import documents; "
            "from generators.text.pdf import render; "
            "d = next(d for d in documents(Scene.read(sys.argv[1])) if d.id == 'reflow-spec'); "
            "print(hashlib.sha256(render(d).pdf).hexdigest())")
    out = subprocess.run([sys.executable, "-c", code, str(scene.path)], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONHASHSEED": "77"}).stdout
    assert out.strip() == here


def test_pages_carry_header_footer_and_contents(book):
    manual = next(d for d in book if d.id == "reflow-manual")
    rendered = render(manual)
    text = pages(rendered.pdf)
    assert len(text) == rendered.page_count
    for n, page in enumerate(text, 1):
        assert page.endswith(f"Page{n}") or f"Page{n}" in page
        assert "reflow-manual" in page
    for section in manual.sections:
        assert flat(f"{section.number}  {section.title}") in text[0]     # the contents
    assert "simulated" in text[0]


def test_numbered_sections_and_procedures_agree(book):
    """The wear table sends to the procedure of that part."""
    manual = next(d for d in book if d.id == "reflow-manual")
    titles = {s.number: s.title for s in manual.sections}
    sent = {f.item: f.printed for _, f in manual.facts() if f.key == "procedure"}
    assert titles[sent["zone heater, zone7"]] == "Replacing a zone heater"
    assert titles[sent["blower bearing, zone5"]] == "Replacing a blower bearing"


def test_safety_comes_with_hot_high_voltage_and_radiation(book):
    text = {d.id: markdown(d) for d in book}
    for d in book:
        if d.kind == "manual":
            assert "lock it and hang out the tag" in text[d.id]
    assert "absence of voltage" in text["reflow-manual"]
    assert "never defeat an interlock" in text["axi-manual"]
    assert "vent the machine" in text["placement-manual"]


def test_markdown_says_the_same(book):
    for d in book:
        text = markdown(d)
        assert all(f.printed in text for _, f in d.facts())
        assert not re.search(r"[{}]|None|\bnan\b", text)
        for line in text.splitlines():
            if line.startswith("|"):
                assert line.endswith("|")


def test_a_scene_that_stands_still_has_shorter_manuals(examples):
    book = documents(Scene.read(examples / "inspector.scene.yaml"))
    assert {s.key for d in book for s in d.sections} == {"identification", "safety", "description", "settings", "instrument"}
    assert any(q.id == "axi-spec/tube" for q in questions(book))


def test_files_are_written_with_their_figures(book, tmp_path):
    paths = write([d for d in book if d.id in ("reflow-manual", "printer-spec")], tmp_path)
    assert [p.name for p in paths] == ["printer-spec.pdf", "reflow-manual.pdf"]
    names = set(re.findall(r"\]\((.+?\.svg)\)", (tmp_path / "reflow-manual.md").read_text(encoding="utf-8")))
    assert names == {"reflow-schematic.svg", "reflow-zones.svg"}
    for name in names:
        assert (tmp_path / name).read_text(encoding="utf-8").lstrip().startswith("<?xml")


@pytest.mark.parametrize("languages", [(), ("jp",)])
def test_unknown_languages_are_refused(scene, languages):
    with pytest.raises(SceneError, match="give 'en', 'ko' or both"):
        documents(scene, languages=languages)


def test_a_missing_font_says_what_to_install(scene, tmp_path):
    document = documents(scene, languages=("ko",))[0]
    with pytest.raises(AssetError, match=r"no such font.*apt-get install fonts-nanum"):
        render(document, font=tmp_path / "no.ttf")
    (tmp_path / "bad.ttf").write_bytes(b"not a font")
    with pytest.raises(AssetError, match="not a TrueType font"):
        render(document, font=tmp_path / "bad.ttf")


def test_korean_documents_hold_the_same_values(scene, book):
    korean = documents(scene, languages=("ko",))
    for english, other in zip(book, korean, strict=True):
        assert other.id == f"{english.id}-ko"
        assert [(f.key, f.value) for _, f in english.facts() if f.key not in ("kind", "part_number")] == \
            [(f.key, f.value) for _, f in other.facts() if f.key not in ("kind", "part_number")]
        assert not re.search(r"[{}]|을/를|이/가|은/는", markdown(other))


def test_korean_answers_stand_on_their_pages(scene):
    font = Path(os.environ.get("LINETWIN_KOREAN_FONT", KOREAN))
    if not font.is_file():
        pytest.skip(f"{font} is not installed: Debian's package fonts-nanum brings it")
    book = documents(scene, languages=("ko",))[:2]
    read = {d.id: pages(render(d, font=font).pdf) for d in book}
    found = questions(book, font=font)
    assert len(found) > 30
    for q in found:
        assert re.search("[가-힣]", q.text)
        for place in q.places:
            assert flat(place.printed) in read[q.document][place.page - 1], (q.id, place)
