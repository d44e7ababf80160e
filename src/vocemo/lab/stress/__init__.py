"""How a model does where recordings are worse than those that it learnt from.

What each condition is, and where it comes from, stands in docs/robustness.md.
"""

from vocemo.lab.stress.conditions import Condition, choose, table
from vocemo.lab.stress.result import ConditionResult, Robustness

__all__ = ["Condition", "ConditionResult", "Robustness", "choose", "table"]
