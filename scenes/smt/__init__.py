"""scenes.smt: surface-mount assembly, the first product family.

For: the assembly (parts on lands), the process (printing, placement, reflow, handling) that turns it into a unit's
state, the taxonomy of 18 defects, the acceptance rules that derive defects from a state, and the ``Family``.
Not for: how a unit looks (``geometry`` builds it, renderers draw it), which units are wanted (recipes).
Start reading at state.py, then process.py, simulate.py and acceptance.py.
"""
