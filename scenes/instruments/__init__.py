"""instruments: what a camera, a thermal camera or an X-ray machine is, as a scene says it. No picture is made here.

For: frozen descriptions in SI units, and the file models that they are read from.
Not for: the physics of a picture (generators/imaging).
May import: scenes, numpy, pydantic.
"""
