"""The s-expression reader: the same lists as sexpdata's, and one-line errors for damaged files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kicad_snippets import board_text, read_text

from scenes.board.kicad_sexpr import MAX_DEPTH, BadNode, Node, line_of, parse
from scenes.errors import AssetError, SceneError


def plain(value: object) -> object:
    return [plain(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["esp32_poe/rev_b1_kicad5.kicad_pcb"])
def test_agrees_with_sexpdata_on_real_boards(boards: Path, name: str) -> None:
    sexpdata = pytest.importorskip("sexpdata")

    def theirs(value: object) -> object:
        if isinstance(value, list):
            return [theirs(v) for v in value]
        return value.value() if isinstance(value, sexpdata.Symbol) else str(value)

    def same(a: object, b: object) -> bool:
        if isinstance(a, list):
            return isinstance(b, list) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
        if a == b:
            return True
        try:  # sexpdata turns 0.50 into the number 0.5
            return float(a) == float(b)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return False

    text = (boards / name).read_text()
    # sexpdata has meanings for ' ` and , in front of an atom that KiCad has not
    text = text.replace("'", "_").replace("`", "_").replace(",", "_")
    assert same(plain(parse(text, name)), theirs(sexpdata.loads(text, nil=None, true=None, false=None)))


atoms = st.text(
    st.characters(
        codec="utf-8",
        exclude_characters='()" \t\r\n\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\\',
        exclude_categories=("Zs", "Cs", "Cc"),
    ),
    min_size=1,
    max_size=8,
)
trees = st.recursive(atoms, lambda inner: st.lists(inner, max_size=4), max_leaves=20)


@settings(deadline=None)
@given(st.lists(trees, max_size=5))
def test_round_trip(tree: list) -> None:
    def write(value: object) -> str:
        return "(" + " ".join(map(write, value)) + ")" if isinstance(value, list) else str(value)

    assert plain(parse(write(tree), "t")) == tree


@settings(deadline=None)
@given(st.text(max_size=30))
def test_quoted_text_round_trip(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert parse(f'(a "{quoted}")', "t") == ["a", text]


def test_atoms_that_other_readers_lose() -> None:
    """gerbonara 1.5 drops the leading digits of each of these without a word."""
    assert parse("(a 1e-05 4.7k 0x00010fc_ffffffff -1.1e-16 0603)", "t") == [
        "a",
        "1e-05",
        "4.7k",
        "0x00010fc_ffffffff",
        "-1.1e-16",
        "0603",
    ]


def test_flags_in_both_spellings() -> None:
    assert parse("(t hide)", "t").has("hide") and parse("(t (hide yes))", "t").has("hide")
    assert not parse("(t (hide no))", "t").has("hide") and not parse("(t)", "t").has("hide")


def test_numbers_refuse_what_is_none() -> None:
    for text in ("(at 1)", "(at 1 x)", "(at 1 nan)", "(at 1 1e999)", "(at 1 (2))"):
        with pytest.raises(BadNode):
            parse(text, "t").numbers(2)
    assert Node(["at", "1", "2"]).numbers(2) == (1.0, 2.0)


def test_line_numbers() -> None:
    assert [line_of("a\nb\nc", i) for i in (0, 2, 4)] == [1, 2, 3]


def test_every_truncation_is_one_line_that_names_file_and_line(tmp_path: Path) -> None:
    text = board_text().rstrip()
    for cut in range(0, len(text) - 1, 37):
        with pytest.raises(SceneError) as caught:
            read_text(tmp_path, text[:cut])
        assert "\n" not in str(caught.value) and str(caught.value).startswith(f"{tmp_path}/board.kicad_pcb:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no expression"),
        ("(kicad_sch (version 1))", "is no board"),
        (board_text() + ")", "parenthesis too many"),
        (board_text() + "(x)", "second expression"),
        ("hello " + board_text(), "outside the expression"),
        ("(" * (MAX_DEPTH + 10) + ")" * (MAX_DEPTH + 10), "nested more than"),
        ("(" * 2_000_000, "nested more than"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SceneError, match=words) as caught:
        read_text(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_missing_and_oversized_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scenes.board import read_board

    with pytest.raises(AssetError, match="no such file"):
        read_board(tmp_path / "none.kicad_pcb")
    monkeypatch.setattr("scenes.board.kicad_sexpr.MAX_BYTES", 100)
    with pytest.raises(AssetError, match="allowed"):
        read_text(tmp_path, board_text())


def test_an_unclosed_quote_does_not_blow_up(tmp_path: Path) -> None:
    """A quote that is never closed in a large file: linear, not quadratic. No clock is asserted; the suite would hang."""
    started = time.process_time()
    with pytest.raises(SceneError):
        read_text(tmp_path, '(kicad_pcb "' + "\\a" * 500_000 + "(" * 10)
    assert started >= 0
