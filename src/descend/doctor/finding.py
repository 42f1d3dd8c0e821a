"""Finding, Diagnosis and Condition: what the doctor says, and the entries it says it from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from descend.trace import Column, Trace

if TYPE_CHECKING:
    from descend.doctor.signals import Signals

__all__ = ["Case", "Condition", "Diagnosis", "Evidence", "Finding", "RunVerdict", "Verdict"]

Verdict = Literal["found", "clear", "cannot_tell"]
RunVerdict = Literal["healthy", "fault", "cannot_tell"]
Kind = Literal["fault", "healthy", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing the doctor says about one condition.

    `confidence` is the probability that this verdict is right, in 0..1; `steps` are the first and last step of the evidence.
    """

    condition: str
    verdict: Verdict
    confidence: float
    steps: tuple[int, int]
    evidence: str
    prescription: str = ""
    kind: Kind = "fault"
    #: What it is easily confused with, and why it is not that.
    unlike: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The seven fields of the JSON report, plain values."""
        return {
            "condition": self.condition,
            "verdict": self.verdict,
            "confidence": round(self.confidence, 3),
            "steps": [int(self.steps[0]), int(self.steps[1])],
            "evidence": self.evidence,
            "prescription": self.prescription,
        }


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one run, a sentence for it, and the findings ordered by how much they matter."""

    source: str
    run: str
    verdict: RunVerdict
    sentence: str
    findings: tuple[Finding, ...]
    trace: Trace
    #: What to log next time to be surer.
    to_log: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[Finding, ...]:
        """The findings that were found, faults first."""
        return tuple(f for f in self.findings if f.verdict == "found")

    def to_dict(self) -> dict[str, Any]:
        """`{source, run, verdict, findings}`, as `descend diagnose --json` prints it."""
        return {
            "source": self.source,
            "run": self.run,
            "verdict": self.verdict,
            "findings": [f.to_dict() for f in self.findings],
        }


@dataclass(frozen=True)
class Evidence:
    """A sentence with numbers, and the steps it speaks of."""

    text: str
    first: int
    last: int


@dataclass
class Case:
    """One run under examination: its signals, the scorer's probability of every code, and lookups conditions share."""

    signals: Signals
    probability: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.signals[name]

    @property
    def trace(self) -> Trace:
        return self.signals.trace

    @property
    def loss(self) -> Column:
        """Finite losses, thinned to at most a thousand points."""
        return self.signals.loss

    def has(self, *names: str) -> bool:
        return self.signals.has(*names)

    @property
    def lr(self) -> float:
        """The largest learning rate logged, or the configured one, or NaN."""
        if self.has("lr"):
            return float(np.abs(self.signals.columns["lr"].value).max())
        configured = self.trace.config.get("lr")
        return float(configured) if isinstance(configured, int | float) and configured > 0 else math.nan

    @property
    def unit(self) -> str:
        """What one step of the log is called."""
        return "epoch" if self.trace.config.get("resolution") == "epoch" else "step"

    @property
    def every(self) -> str:
        """ "a step" or "an epoch"."""
        return f"{'an' if self.unit == 'epoch' else 'a'} {self.unit}"

    def step(self, share: float) -> int:
        """The step at a share of the run."""
        n = len(self.loss)
        return int(self.loss.step[min(max(int(share * n), 0), n - 1)]) if n else 0

    def whole(self, text: str) -> Evidence:
        """Evidence that speaks of the whole run."""
        return Evidence(text, self.step(0), self.step(1))


@dataclass(frozen=True)
class Condition:
    """One entry of the doctor's book: what it is, how it is told from its look-alikes, how it is fixed, and how it is seen."""

    code: str
    name: str
    kind: Kind
    #: How much it matters, 1 (a remark) to 5 (nothing else matters until it is fixed).
    severity: int
    #: Columns without which it cannot be found or ruled out; `a|b` means either.
    needs: tuple[str, ...]
    essay: str
    lesson: str
    confusable: Mapping[str, str]
    evidence: Callable[[Case], Evidence]
    prescribe: Callable[[Case], str]
    #: A certainty from a rule where one exists: (verdict, confidence), or None to leave it to the scorer.
    rule: Callable[[Case], tuple[Verdict, float] | None] | None = None

    def missing(self, case: Case) -> tuple[str, ...]:
        """Needed columns that were not logged."""
        return tuple(need for need in self.needs if not any(case.has(name) or name == "loss" for name in need.split("|")))
