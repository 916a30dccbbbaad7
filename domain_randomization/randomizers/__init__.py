"""Randomizers: pure functions from a nominal value and a generator to a varied one.

Each makes a fixed number of draws, so that changing a range moves values and never which draw belongs to what.
"""
