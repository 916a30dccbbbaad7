"""X-ray physics against tables and closed forms: attenuation, spectra, beam hardening, photon noise, detector."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("xraylib")
pytest.importorskip("spekpy")

from generators.imaging import xray
from generators.imaging.xray_beam import BASIS, beam, worst_errors
from generators.imaging.xray_spectrum import attenuation, spectrum
from scenes.errors import InputError
from scenes.instruments.xray import XrayMachine
from scenes.materials import TABLE, index

# µ/ρ [cm²/g] at 60 keV: NIST SRD 126 (Hubbell and Seltzer); SAC305 is the mixture of its elements. Densities [g/cm³].
NIST_60 = {"copper": (1.593, 8.96), "tin": (6.566, 7.31), "aluminium": (0.2778, 2.699), "solder_sac305": (6.517, 7.38)}
# SAC305 behind 0.5 mm Be + 1 mm Al, 500 µm CsI: kVp → mean keV, T at 50, 100, 200, 300, 400, 500 µm
TUBES = {80: (37.2, (0.572, 0.361, 0.170, 0.091, 0.053, 0.032)), 100: (42.9, (0.626, 0.430, 0.236, 0.145, 0.095, 0.066)),
         130: (49.9, (0.674, 0.492, 0.300, 0.202, 0.145, 0.108)), 160: (55.9, (0.701, 0.529, 0.340, 0.239, 0.178, 0.138))}
STEPS = np.array([50, 100, 200, 300, 400, 500]) * 1e-6


def through(machine: XrayMachine, material: str, length: np.ndarray) -> np.ndarray:
    """The detector's signal behind lengths of one material, as a renderer would have summed them."""
    return xray.transmission((length[:, None] * beam(machine).coefficients[index(material)]).astype(np.float32), machine)


@pytest.mark.parametrize("material", sorted(NIST_60))
def test_step_wedges_follow_nist(material):
    mu, density = NIST_60[material]
    got = through(XrayMachine(energy=60e3), material, STEPS)
    assert got == pytest.approx(np.exp(-mu * density * 100 * STEPS), rel=0.01)


@pytest.mark.parametrize(("kev", "ratio"), [(60, 1.618), (80, 1.248), (100, 1.131)])
def test_a_void_brightens_its_chord(kev, ratio):
    chord = through(XrayMachine(energy=kev * 1e3), "solder_sac305", np.array([300e-6, 400e-6]))
    assert chord[0] / chord[1] == pytest.approx(ratio, rel=0.005)


def test_tins_edge_jumps():
    below, above = attenuation(np.array([29.1e3, 29.3e3]))[index("tin")]
    assert above / below > 4


@pytest.mark.parametrize("kvp", sorted(TUBES))
def test_tube_spectra_and_hardening(kvp):
    machine = XrayMachine(tube_voltage=kvp * 1e3)
    mean, table = TUBES[kvp]
    assert spectrum(machine).mean / 1e3 == pytest.approx(mean, abs=0.06)
    got = through(machine, "solder_sac305", STEPS)
    assert got == pytest.approx(table, abs=0.0011)                         # the table has three decimals
    effective = -np.log(got) / STEPS
    assert (np.diff(effective) < 0).all()
    if kvp == 130:
        assert effective[[0, 2, 5]] / 100 == pytest.approx([79, 60, 45], abs=0.6)


def test_few_energies_and_mixtures_say_what_the_spectrum_says():
    """Basis and test materials to 0.5 % down to 5 % transmission; every other one to 1 % as thick as it is in a board."""
    machine = XrayMachine()
    assert beam(machine).error < 5e-4
    thick = worst_errors(machine, 3e-3)
    assert max(thick[m] for m in (*BASIS, "tin", "fr4")) < 0.005
    thin = {"resistor_glass": 50e-6, "gold_enig": 10e-6}
    for name, error in thick.items():
        assert (worst_errors(machine, thin[name])[name] if name in thin else error) < 0.005, name


def test_few_energies_keep_the_noise_too():
    """Variance of the energy-integrating signal, behind solder on laminate, against the whole spectrum."""
    machine = XrayMachine()
    source, few = spectrum(machine), beam(machine)
    mu = attenuation(source.energy)
    for solder in (0.0, 50e-6, 200e-6, 500e-6):
        left = source.absorbed * np.exp(-mu[index("solder_sac305")] * solder - mu[index("fr4")] * 1.6e-3)
        exact = (left @ source.energy**2) / (source.absorbed @ source.energy**2)
        paths = (solder * few.coefficients[index("solder_sac305")] + 1.6e-3 * few.coefficients[index("fr4")])[None]
        assert xray._primary(paths.astype(np.float32), few)[1][0] == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("photons", [20.0, 500.0, 10_000.0])
def test_photon_noise_of_one_energy_is_poisson(photons):
    """Variance over mean of the counts before the detector: 1 ± 2 % at 10⁶ pixels, in the Gaussian and the Poisson regime."""
    light = np.ones((1000, 1000), np.float32)
    counts = photons * xray.noisy(light, light, photons, np.random.Generator(np.random.SFC64(3))).astype(float)
    assert counts.mean() == pytest.approx(photons, rel=0.002)
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.02)


def test_photon_noise_of_a_tube_is_compound_poisson():
    """Mean and variance of Σ n E over Poisson numbers n per energy, drawn one by one."""
    machine = replace(XrayMachine(), scatter_ratio=0, blur=0, focal_spot=1e-12, electronic_noise=0, bad_pixels=0, photons=2000)
    source = spectrum(machine)
    rng = np.random.default_rng(1)
    drawn = rng.poisson(2000 * source.absorbed, (4000, len(source.energy))) @ source.energy
    counts = xray.picture(np.zeros((1000, 1000, 4), np.float32), machine, 5).astype(float)
    assert counts.std() / counts.mean() == pytest.approx(drawn.std() / drawn.mean(), rel=0.03)   # 1.1 % is the drawn one's own
    assert counts.mean() == pytest.approx(machine.open_level * 65535, rel=1e-3)


def test_blur_has_its_variance_and_keeps_the_sum():
    image = np.zeros((41, 41), np.float32)
    image[20, 20] = 1
    at = np.arange(41) - 20
    for deviation in (0.3, 0.69, 0.8, 2.5):
        got = xray.blurred(image, deviation)
        assert got.sum() == pytest.approx(1, rel=1e-4)
        assert (got.sum(axis=0) * at**2).sum() == pytest.approx(deviation**2, rel=0.02)


def test_bands_do_not_show():
    """Read-out in bands of rows equals one convolution of the whole picture."""
    machine = replace(XrayMachine(), scatter_ratio=0, electronic_noise=0, bad_pixels=0, photons=1e12)
    rng = np.random.default_rng(2)
    paths = np.zeros((97, 61, 4), np.float32)
    paths[..., 0] = rng.random((97, 61)) * 3e-4
    whole = xray.blurred(xray.transmission(paths, machine), float(np.hypot(machine.blur, machine.spot_blur)))
    assert np.abs(xray.picture(paths, machine, 1) - whole * machine.open_level * 65535).max() <= 0.75


def test_scatter_is_its_share_of_a_flat_field():
    light = np.full((100, 75), 0.4, np.float32)
    assert xray.scatter(light, 0.25, 30.0) == pytest.approx(np.full((100, 75), 0.1), rel=1e-5)


def test_scatter_lifts_what_is_dark():
    paths = np.zeros((128, 128, 4), np.float32)
    paths[32:96, 32:96, 0] = 0.01                                          # a centimetre of solder lets nothing through
    machine = replace(XrayMachine(), bad_pixels=0, scatter_width=0.4e-3)
    assert xray.picture(paths, replace(machine, scatter_ratio=0.0), 1)[60:68, 60:68].mean() < 60
    assert xray.picture(paths, machine, 1)[60:68, 60:68].mean() > 300


def test_equal_arguments_equal_bytes():
    machine = XrayMachine()
    paths = np.zeros((256, 200, 4), np.float32)
    paths[50:90, 60:100, 0] = 3e-4
    first = xray.picture(paths, machine, 7)
    assert first.dtype == np.uint16 and first.tobytes() == xray.picture(paths.copy(), machine, 7).tobytes()
    assert first.tobytes() != xray.picture(paths, machine, 8).tobytes()


def test_bad_pixels_belong_to_the_detector():
    machine = replace(XrayMachine(), bad_pixels=1e-3)
    paths = np.zeros((200, 200, 4), np.float32)
    spoiled = [np.isin(xray.picture(paths, machine, seed), (0, 65535)) for seed in (1, 2)]
    assert spoiled[0].sum() == 40 and (spoiled[0] == spoiled[1]).all()
    assert (np.isin(xray.picture(paths, replace(machine, bad_pixel_seed=1), 1), (0, 65535)) != spoiled[0]).any()


def test_paths_of_another_shape_are_refused():
    with pytest.raises(InputError, match="height, width, 4"):
        xray.picture(np.zeros((4, 4), np.float32), XrayMachine(), 0)


def test_every_material_is_in_the_table():
    assert beam(XrayMachine(energy=60e3)).coefficients.shape == (len(TABLE), 4)
