"""Exploratory analysis of a corpus: what is in it, what stands out, and how it looks.

found = survey(["ravdess:DIR"])         every clip measured
findings(found)                         what stands out, in sentences
numbers(found)                          all of it as JSON-able values
write_page(found, "out")                explore.html, explore.json and the pictures
"""

from vocemo.lab.explore.clip_statistics import ClipStatistics, measure
from vocemo.lab.explore.numbers_file import numbers
from vocemo.lab.explore.page import Written, lead
from vocemo.lab.explore.page import write as write_page
from vocemo.lab.explore.pictures import Picture, pictures
from vocemo.lab.explore.pitch import PitchOptions, PitchTrack, track_pitch
from vocemo.lab.explore.rules import Finding, findings
from vocemo.lab.explore.surveying import SameContent, Survey, Surveyed, survey

__all__ = [
    "ClipStatistics",
    "Finding",
    "Picture",
    "PitchOptions",
    "PitchTrack",
    "SameContent",
    "Survey",
    "Surveyed",
    "Written",
    "findings",
    "lead",
    "measure",
    "numbers",
    "pictures",
    "survey",
    "track_pitch",
    "write_page",
]
