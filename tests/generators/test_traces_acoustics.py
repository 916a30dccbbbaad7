"""Sound: levels against closed forms (domain reference 5.9, A1, A2), rooms against Sabine and Eyring, jets and cavitation."""
import math

import numpy as np
import pytest
from scipy.signal import butter, hilbert, sosfiltfilt, welch

from generators.traces import acoustics, cavitation, jets, rooms
from generators.traces.acoustics import Hall, Radiator
from scenes.errors import InputError

RATE = 25_600.0


def tone(frequency, amplitude=1.0, seconds=1.0, rate=RATE):
    return amplitude * np.cos(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def test_power_and_free_field_level_of_a_surface():
    """1 mm/s RMS over 1 m²: W = 1.204 · 343.2 · 1e-6 = 413.2 µW = 86.16 dB; Lp at 10 m = Lw − 20 − 11."""
    power = acoustics.radiated_power(1e-3, 1.0)
    assert power == pytest.approx(413.2e-6, rel=1e-3)
    assert acoustics.power_level(power) == pytest.approx(86.16, abs=0.01)
    assert acoustics.free_field_level(86.16, 10.0) == pytest.approx(55.16, abs=1e-9)
    assert acoustics.power_level(0.0) == -math.inf


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0, 4.0, 8.0])
def test_level_falls_by_six_decibels_per_doubling(distance):
    """A1: 20·log10 2 = 6.02 dB within 0.1 dB, on waveforms."""
    source = np.random.default_rng(1).standard_normal(1 << 15)
    near, far = (acoustics.pressure_level(acoustics.free_field(source, RATE, d)) for d in (distance, 2 * distance))
    assert near - far == pytest.approx(6.02, abs=0.1)


def test_free_field_agrees_with_pyroomacoustics():
    """A1 with another program: an anechoic room, the same source heard at 2 and at 4 m."""
    pra = pytest.importorskip("pyroomacoustics")
    room = pra.AnechoicRoom(3, fs=int(RATE))
    room.set_sound_speed(acoustics.SOUND_SPEED)
    source = tone(900.0) + tone(2300.0)
    room.add_source([0.0, 0.0, 0.0], signal=source)
    room.add_microphone_array(np.array([[2.0, 4.0], [0.0, 0.0], [0.0, 0.0]]))
    room.simulate()
    inside = slice(4000, 20000)
    other = [acoustics.pressure_level(room.mic_array.signals[i, inside]) for i in (0, 1)]
    ours = [acoustics.pressure_level(acoustics.free_field(source, RATE, d)[inside]) for d in (2.0, 4.0)]
    assert other[0] - other[1] == pytest.approx(6.02, abs=0.1)
    assert ours == pytest.approx(other, abs=0.1)


def test_free_field_delay():
    """3.432 m are 10 ms."""
    click = np.zeros(1024)
    click[100] = 1.0
    heard = acoustics.free_field(click, RATE, 3.432)
    assert int(np.argmax(heard)) == 100 + 256
    assert heard.max() == pytest.approx(1 / 3.432, rel=1e-6)


@pytest.mark.parametrize("frequency", [100.0, 400.0, 3000.0])
def test_waveform_has_the_power_of_the_formula(frequency):
    """A plate that shakes at one frequency: W = ρ0·c·S·σ(f)·⟨v²⟩, and its pressure at r is W's."""
    radiator, amplitude = Radiator(0.25, 0.8), 3.0
    shake = tone(frequency, amplitude)
    speed = amplitude / (2 * np.pi * frequency) / math.sqrt(2)
    x2 = (frequency / radiator.corner_frequency) ** 2
    power = 1.204 * 343.2 * 0.25 * 0.8 * x2 / (1 + x2) * speed ** 2
    assert acoustics.source_power(shake, RATE, radiator) == pytest.approx(power, rel=1e-6)
    heard = acoustics.free_field(acoustics.source_pressure(shake, RATE, radiator), RATE, 3.0)
    assert np.mean(heard ** 2) == pytest.approx(power * 1.204 * 343.2 / (4 * np.pi * 9), rel=1e-6)
    # −11 dB is 10·log10(4π) rounded, and ρ0·c is 413 and not 400
    assert acoustics.pressure_level(heard) == pytest.approx(
        acoustics.free_field_level(acoustics.power_level(power), 3.0), abs=0.2)


def test_corner_is_that_of_the_sphere():
    """Sphere of 0.1 m radius: k·a = 1 at c / (2π·0.1) = 546.2 Hz."""
    assert Radiator(4 * math.pi * 0.01).corner_frequency == pytest.approx(546.2, abs=0.1)
    assert Radiator(4 * math.pi * 0.01).sigma(np.array([546.2])) == pytest.approx([0.5], abs=1e-3)


def test_velocity_of_a_tone():
    """a = 2π·50·v: 10 m/s² at 50 Hz are 31.83 mm/s, 90° behind."""
    found = acoustics.velocity(tone(50.0, 10.0), RATE)
    assert found.max() == pytest.approx(31.83e-3, rel=1e-3)
    assert found == pytest.approx(10 / (2 * np.pi * 50) * np.sin(2 * np.pi * 50 * np.arange(len(found)) / RATE), abs=1e-6)
    assert np.abs(acoustics.velocity(np.full(1000, 3.0), RATE)).max() < 1e-12      # no drift


def test_impacts_are_heard_as_impacts():
    """A train of rings at 107.5 Hz: the squared envelope of the sound, 2 to 4 kHz, has its line there."""
    time = np.arange(4 * int(RATE)) / RATE
    since = np.mod(time, 1 / 107.5)
    ring = np.exp(-600 * since) * np.sin(2 * np.pi * 3000 * since)
    heard = acoustics.free_field(acoustics.source_pressure(ring, RATE, Radiator()), RATE, 2.0)
    envelope = np.abs(hilbert(sosfiltfilt(butter(4, (2000, 4000), "bandpass", fs=RATE, output="sos"), heard))) ** 2
    line = np.abs(np.fft.rfft(envelope - envelope.mean()))
    frequency = np.fft.rfftfreq(len(envelope), 1 / RATE)
    inside = (frequency > 20) & (frequency < 500)
    assert frequency[inside][np.argmax(line[inside])] == pytest.approx(107.5, rel=0.005)


@pytest.mark.parametrize("length", [100, 5000])
def test_steady_is_a_periodic_convolution(length):
    rng = np.random.default_rng(2)
    source, response = rng.standard_normal(997), rng.standard_normal(length)
    whole = np.convolve(np.tile(source, 8), response)
    assert acoustics.steady(source, response) == pytest.approx(whole[6 * 997:7 * 997], abs=1e-9)


@pytest.mark.parametrize("count", [1 << 15, (1 << 15) + 1])
def test_shaped_noise_has_its_density(count):
    """One-sided density 4e-4 up to half the rate: variance 4e-4 · 12800 = 5.12."""
    noise = acoustics.shaped_noise(count, RATE, np.random.default_rng(3), np.full(count // 2 + 1, 4e-4))
    assert len(noise) == count
    assert noise.var() == pytest.approx(5.12, rel=0.03)
    _, density = welch(noise, RATE, nperseg=1024)
    assert density[5:-5].mean() == pytest.approx(4e-4, rel=0.03)


def test_hall_noise_is_pink_and_has_its_level():
    hall = Hall(66.0, ())
    noise = acoustics.hall_noise(1 << 18, RATE, np.random.default_rng(4), hall)
    assert acoustics.pressure_level(noise) == pytest.approx(66.0, abs=0.5)
    frequency, density = welch(noise, RATE, nperseg=8192)
    octaves = [density[(frequency >= f) & (frequency < 2 * f)].sum() for f in (250, 500, 1000, 2000, 4000)]
    assert max(octaves) / min(octaves) < 1.2                              # equal power in every octave
    tonal = acoustics.hall_noise(1 << 18, RATE, np.random.default_rng(4), Hall(-300.0, ((100.0, 52.0),)))
    assert acoustics.pressure_level(tonal) == pytest.approx(52.0, abs=0.01)


def test_noise_is_reproducible():
    first, second = (acoustics.hall_noise(4096, RATE, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, acoustics.hall_noise(4096, RATE, np.random.default_rng(6)))


# ------------------------------------------------------------------------------------------------ rooms

ROOM = rooms.Room((5.0, 4.0, 3.0), 0.2)
PLACES = (((1.1, 1.3, 1.2), (3.7, 2.6, 1.6)), ((2.5, 2.0, 1.5), (4.2, 1.1, 0.9)), ((0.7, 3.1, 2.2), (3.3, 1.4, 1.1)))


def test_sabine_and_eyring_of_the_reference_room():
    """A2: 0.514 s and 0.461 s."""
    assert rooms.sabine(ROOM) == pytest.approx(0.514, abs=1e-3)
    assert rooms.eyring(ROOM) == pytest.approx(0.461, abs=1e-3)


def test_reverberation_of_the_reference_room():
    """A2: by Schroeder from the impulse responses at order 40, within 15 % of Sabine, and of Eyring over the places' mean."""
    pytest.importorskip("pyroomacoustics")
    found = [rooms.reverberation_time(rooms.impulse_response(ROOM, s, m, 16_000.0), 16_000.0, -5, -25) for s, m in PLACES]
    assert found == pytest.approx([0.514] * 3, rel=0.15)
    assert np.mean(found) == pytest.approx(0.461, rel=0.15)


def test_an_order_that_cuts_the_decay_is_refused():
    """Order 17 measures 0.3 s where it should be 0.5 s: truncation (A2)."""
    with pytest.raises(InputError, match=r"order 17 cuts the decay at absorption 0\.2; give 40 to"):
        rooms.impulse_response(rooms.Room((5.0, 4.0, 3.0), 0.2, 17), *PLACES[0], 16_000.0)
    # 35 dB at 10·log10(1 / 0.9) = 0.4576 dB per reflection
    assert [rooms.least_order(a) for a in (0.5, 0.2, 0.1)] == [40, 40, 77]


def test_order_17_really_is_too_short():
    pra = pytest.importorskip("pyroomacoustics")
    box = pra.ShoeBox([5, 4, 3], fs=16_000, materials=pra.Material(0.2), max_order=17)
    box.add_source(list(PLACES[0][0]))
    box.add_microphone(list(PLACES[0][1]))
    box.compute_rir()
    assert rooms.reverberation_time(np.asarray(box.rir[0][0]), 16_000.0) < 0.36


def test_direct_sound_comes_first_and_is_one_over_r():
    pytest.importorskip("pyroomacoustics")
    source, microphone = (1.0, 2.0, 1.5), (1.0 + 343.2 / 16_000 * 64, 2.0, 1.5)        # 64 samples away
    response = rooms.impulse_response(ROOM, source, microphone, 16_000.0)
    assert np.abs(response[:40]).max() < 0.02 * response[64]
    assert response[64] == pytest.approx(1 / (343.2 / 16_000 * 64), rel=0.02)
    assert rooms.impulse_response(ROOM, source, microphone, 16_000.0) is response      # cached by geometry
    with pytest.raises(ValueError, match="read-only"):
        response[0] = 1.0


@pytest.mark.parametrize(("room", "source", "microphone", "message"), [
    (rooms.Room((5.0, 4.0, 3.0), 0.01), (1, 1, 1), (2, 2, 2), r"absorption 0\.01; give 0\.05 to 0\.95"),
    (ROOM, (1, 1, 4), (2, 2, 2), "source at .* is outside .*; move it inside"),
    (ROOM, (1, 1, 1), (1, 1, 1.01), "0.010 m apart"),
    (rooms.Room((500.0, 4.0, 3.0), 0.2), (1, 1, 1), (2, 2, 2), "sides of 1 to 200 m"),
])
def test_rooms_that_cannot_be(room, source, microphone, message):
    with pytest.raises(InputError, match=message):
        rooms.impulse_response(room, source, microphone, 16_000.0)


# ------------------------------------------------------------------------------------------------ jets and cavitation

def test_jet_of_a_leak():
    jet = jets.Jet(1e-3, 7e5)
    assert jet.mach == 1.0
    assert jet.speed == pytest.approx(343.2 / math.sqrt(1.2), rel=1e-9)
    assert jet.peak == pytest.approx(0.2 * 313.3 / 1e-3, rel=1e-3)
    assert jets.Jet(1e-3, 101_325.0).power == 0.0
    assert jets.Jet(math.sqrt(2) * 1e-3, 7e5).power == pytest.approx(2 * jet.power)    # twice the hole, 3 dB more
    assert jets.Jet(1e-3, 1.2e5).mach < 1


def test_share_below_is_the_integral_of_the_density():
    x = np.linspace(0, 3.0, 200_001)
    density = 4 / np.pi * x ** 2 / (1 + x ** 2) ** 2
    assert jets.share_below(3.0, 1.0) == pytest.approx(np.trapezoid(density, x), abs=1e-6)
    assert jets.share_below(1e9, 1.0) == pytest.approx(1.0, abs=1e-6)


def test_ultrasonic_level_falls_with_distance_and_air():
    jet = jets.Jet(1e-3, 7e5)
    near, far = jets.ultrasonic_level(jet, 1.0), jets.ultrasonic_level(jet, 2.0)
    assert near - far == pytest.approx(6.02 + 1.3, abs=0.01)
    assert jets.ultrasonic_level(jets.Jet(1e-3, 101_325.0), 1.0) == -math.inf


def test_jet_waveform_has_its_part_of_the_power():
    """At 400 kHz nearly all of it is there: p² at 1 m = ρ0·c·W / 4π."""
    jet = jets.Jet(2e-3, 7e5)
    source = jets.jet_source(jet, 1 << 17, 4e5, np.random.default_rng(7))
    expected = 1.204 * 343.2 * jet.power * jets.share_below(2e5, jet.peak) / (4 * np.pi)
    assert np.mean(source ** 2) == pytest.approx(expected, rel=0.03)
    assert not jets.jet_source(jets.Jet(1e-3, 101_325.0), 64, RATE, np.random.default_rng(7)).any()


def test_vapour_pressure_and_cavitation_number():
    """Steam tables: 2.339 kPa at 20 °C, 3.169 kPa at 25 °C, 47.4 kPa at 80 °C."""
    assert [cavitation.vapour_pressure(t) for t in (20, 25, 80)] == pytest.approx([2339, 3169, 47_400], rel=0.01)
    assert cavitation.cavitation_number(101_325.0, 20.0, 20.0) == pytest.approx((101_325 - 2339) / (0.5 * 998 * 400), rel=1e-3)


def test_cavitation_is_band_noise_that_beats_with_the_blades():
    model = cavitation.Cavitation(0.45, 0.2, 10.0, 0.6)
    assert not cavitation.cavitation_noise(100, RATE, np.random.default_rng(8), 0.46, 150.0, model=model).any()
    noise = cavitation.cavitation_noise(4 * int(RATE), RATE, np.random.default_rng(8), 0.2, 150.0, model=model)
    assert noise.std() == pytest.approx(10.0, rel=0.03)
    frequency, density = welch(noise, RATE, nperseg=4096)
    inside = (frequency > 900) & (frequency < 10_200)
    assert density[inside].sum() > 0.999 * density.sum()
    envelope = np.abs(hilbert(noise)) ** 2
    line = np.abs(np.fft.rfft(envelope - envelope.mean()))
    at = np.fft.rfftfreq(len(noise), 1 / RATE)
    low = (at > 5) & (at < 1000)
    assert at[low][np.argmax(line[low])] == pytest.approx(150.0, abs=0.5)


def test_noise_comes_before_the_head_falls():
    model = cavitation.Cavitation(0.45, 0.2)
    assert cavitation.head_factor(0.2, model) == pytest.approx(0.97)      # what breakdown means: 3 %
    assert cavitation.head_factor(0.5, model) == 1.0
    half = 0.325
    assert cavitation.intensity(half, model) == pytest.approx(0.5)
    assert 1 - cavitation.head_factor(half, model) < 0.003
