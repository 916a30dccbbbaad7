"""The material table: complete, consistent, and right where a standard gives the number."""
import pytest

from scenes.materials import TABLE, index, linear


def test_names_are_unique_and_fit_a_byte():
    names = [m.name for m in TABLE]
    assert len(set(names)) == len(names) <= 255
    assert all(index(n) == i for i, n in enumerate(names))


def test_compositions_are_mass_fractions_of_known_elements():
    for m in TABLE:
        assert sum(f for _, f in m.composition) == pytest.approx(1, abs=1e-9), m.name
        assert len({e for e, _ in m.composition}) == len(m.composition)


def test_ranges():
    for m in TABLE:
        assert all(0 <= c <= 1 for c in m.base_color) and m.metallic in (0, 1) and 0 < m.roughness <= 1
        assert 0 < m.emissivity < 1 and m.density > 0 and m.specific_heat > 0 and m.conductivity > 0 and m.source


def test_srgb_decoding_follows_iec_61966():
    assert linear((0.0, 0.04045, 1.0)) == pytest.approx((0.0, 0.0031308, 1.0), rel=1e-3)
    assert linear((0.5, 0.5, 0.5))[0] == pytest.approx(0.21404, rel=1e-4)


def test_stoichiometry():
    """BaTiO3 from standard atomic weights: Ba 58.89 %, Ti 20.53 %, O 20.58 %."""
    parts = dict(TABLE[index("ceramic_mlcc")].composition)
    assert [parts[e] for e in ("Ba", "Ti", "O")] == pytest.approx([0.5889, 0.2053, 0.2058], abs=2e-4)


def test_metals_look_cold_to_an_infrared_camera():
    for m in TABLE:
        assert (m.emissivity <= 0.6) if m.metallic else (m.emissivity >= 0.7), m.name
