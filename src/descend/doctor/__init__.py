"""The doctor: a trace in, findings out.

>>> from descend.doctor import diagnose
>>> from descend.trace import Trace, column
>>> diagnose(Trace({"loss": column([0], [1.0])})).verdict
'cannot_tell'
"""

from descend.doctor.descends import assert_descends
from descend.doctor.examine import CONDITIONS, diagnose
from descend.doctor.finding import Condition, Diagnosis, Evidence, Finding

__all__ = ["CONDITIONS", "Condition", "Diagnosis", "Evidence", "Finding", "assert_descends", "diagnose"]
