"""scenes.equipment: machines of a production line as parametric meshes that a process engineer recognises.

For: printer, SPI, placer, oven, AOI, AXI, infrared and test stations, conveyors, magazine loaders; how they stand; what moves.
Not for: the product (scenes.smt), what machines do (scenes.line, scenes.smt), pictures (generators), stages (scenes.usd).
May import: numpy, shapely; trimesh inside ``authored.py`` only.
Promise: equal scenes give equal bytes; every body is closed; ports of neighbours meet at 0.95 m.
Start reading at model.py, then layout.py.
"""
from scenes.equipment.furniture import Board
from scenes.equipment.layout import board_of, line_layout, machine_of
from scenes.equipment.looks import LOOKS, Look
from scenes.equipment.model import Body, Joint, Machine, Placed, Port, Shape

__all__ = ["LOOKS", "Board", "Body", "Joint", "Look", "Machine", "Placed", "Port", "Shape", "board_of", "line_layout",
           "machine_of"]
