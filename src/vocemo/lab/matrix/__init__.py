"""The cross-corpus matrix: trained on each corpus, tested on each, over the emotions that all share.

gathering.py  the corpora's clips of the shared emotions, and what is left out
jobs.py       every training that a matrix takes, and running them, each resumable
results.py    cells from finished trainings; matrix.json
"""

from vocemo.lab.matrix.gathering import Gathered, Part, gather
from vocemo.lab.matrix.jobs import ALL_OTHERS, DEFAULT_FOLDS, MatrixJob, audit, jobs, run
from vocemo.lab.matrix.results import Cell, CorpusFacts, Matrix, measure

__all__ = [
    "ALL_OTHERS",
    "DEFAULT_FOLDS",
    "Cell",
    "CorpusFacts",
    "Gathered",
    "Matrix",
    "MatrixJob",
    "Part",
    "audit",
    "gather",
    "jobs",
    "measure",
    "run",
]
