"""imaging: from what a renderer has found to what an instrument shows: detectors, noise, blur, calibrated units.

For: pure functions from arrays and an instrument (scenes/instruments) to a picture. Every random number has a seed.
Not for: geometry passes (generators/render), what an instrument is (scenes/instruments).
"""
