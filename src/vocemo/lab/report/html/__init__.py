"""The report of a result: one HTML file that opens anywhere, offline, light and dark.

It says first whether its figures can be believed. Everything in it comes from files: nothing is trained or
answered again to write it.
"""

from vocemo.lab.report.html.machine import details
from vocemo.lab.report.html.material import Material, Training, gather, read
from vocemo.lab.report.html.page import NAME, render, write
from vocemo.lab.report.html.sounds import Recordings

__all__ = ["NAME", "Material", "Recordings", "Training", "details", "gather", "read", "render", "write"]
