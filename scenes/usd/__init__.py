"""OpenUSD: a line and a unit as a stage that opens in usdview and Isaac Sim, and such a stage as plain values again.

A stage on disk is a folder. Every layer opens alone, because each one sublayers the next weaker one:

    line.usda        how the line is arranged: stations' places, machines' places; sublayers station.usda
    station.usda     cameras, lamps, benches of every station; sublayers equipment.usda (where there is one), product.usda
    equipment.usda   machines' geometry and what moves on them
    product.usda     the unit: board, packages, parts, solder, films, variants; sublayers look.usda
    look.usda        materials
    *_shapes.usdc    the arrays of the meshes of product.usda and equipment.usda (weaker than both), so that those stay readable
    textures/*.png   artwork of the board's top, named relatively

All have metersPerUnit 1, kilogramsPerUnit 1, Z up and defaultPrim /World. ``stage_text`` is the same as one text, without
textures. Prim names are ISA-95 segments, station ids and reference designators through ``prim_name``; the text itself is in
``twin:path`` and ``twin:reference``.

    /World                             Xform, kind assembly; twin:scene, twin:line (string), twin:scene_version (int)
    /World/Looks/<material>            UsdPreviewSurface (child Surface); twin:material, twin:thermal:*, twin:xray:*
    /World/Prototypes/<package>        class; Mesh per (material, part): <material>_<part>
    /World/Prototypes/Machines/<name>  class; what machines repeat
    /World/Unit                        class on a line (def in product.usda alone); kinematic rigid body, mass; below it as
                                       Product, see there; variantSet "unit" where states were asked for: healthy, bridge, …
    /World/<Site>/<Area>/<Line>        Xform groups (kind group), twin:path; as many as the ISA-95 path has segments
    …/<Line>/<station id>              Xform, kind component; twin:path, twin:kind, twin:id; its place on the line
    …/<Line>/Equipment/<name>          what stands beside: conveyors, loaders, CAD files
    …/<station>/Machine                its geometry (station frame); see ``contents.Node``
    …/<station>/Bench                  Xform: the board frame of the side that is up, where a unit stands in the station. What
                                       is below it is there at stations with cameras. twin:exposure, twin:white_balance,
                                       twin:noise, twin:blur where the station has lamps
    …/Bench/Camera_<name>              UsdGeomCamera; tiles Camera_<name>_<k>. Local matrix = the renderer's Camera.pose.
                                       twin:width, twin:height, twin:tile (int), twin:pixel_size, twin:distance (double, m),
                                       twin:model ("telecentric", "perspective"), twin:modality ("rgb", "thermal", "xray"),
                                       twin:spec, twin:name (string)
    …/Bench/Light_dome                 DomeLight, colour = radiance, intensity 1
    …/Bench/Light_directional_<n>      DistantLight, normalised, colour = irradiance, intensity π; shines along its −z
    …/Bench/Light_ring_<n>             Xform; twin:zenith_deg (double2), twin:radiance (color3d), twin:azimuth_count; below it
                                       Lamp_<k>: DiskLights that fill the tier's solid angle
    …/Bench/Product                    Xform, internal reference to /World/Unit; variant "unit" chooses the state
    …/Product/Board                    Xform, twin:instance 1; meshes fr4_board (sides, bottom), fr4_board_top (artwork, st)
    …/Product/Parts/<reference>        Xform, instanceable reference to its package; twin:instance (uint), twin:reference,
                                       twin:package (string), twin:tint
    …/Product/Solder/id_<instance>     Xform, twin:instance; meshes <material>_<part>, primvars:roughness where it has its own
    …/Product/Films/id_<instance>      Mesh a few µm over the board, displayColor, displayOpacity; twin:instance, twin:film:*

Every Mesh of a unit has twin:part (token: PartKind's name in lower case) and every Mesh has twin:material (string). Labels are
``UsdSemantics.LabelsAPI``, one label per taxonomy: ``class`` on everything with a twin:instance ("board", "component", "joint",
"bridge", "ball", "paste", "residue", "scratch"), on stations ("station") and machines; ``reference`` on parts, and on solder and
films that a finding ties to one; ``kind`` on parts where it is known ("chip_resistor"); ``part`` on the meshes of units.
Light is relative: a white diffuser under a dome of radiance 1 renders as 1 at exposure 1.

Not in a stage: sensors, lens errors and motion of cameras, process and acceptance rules, marks printed on parts, copper layers
and voids inside. ``scenes/usd/authored.py`` keeps the scene beside it, and what is edited is read as edits of that.
"""
from __future__ import annotations

from scenes.usd.build import contents_of
from scenes.usd.contents import Contents
from scenes.usd.names import prim_name
from scenes.usd.read import read
from scenes.usd.same import differences
from scenes.usd.write import stage_text, write

__all__ = ["Contents", "contents_of", "differences", "prim_name", "read", "stage_text", "write"]
