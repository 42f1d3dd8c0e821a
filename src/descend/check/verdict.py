"""What a check says: verdict, mistakes, what was excluded; as data and as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["EXIT_CODES", "Found", "Report", "Row"]

#: The exit code of the command for each verdict.
EXIT_CODES = {"right": 0, "dialect": 0, "wrong": 1, "no_reference": 2, "could_not_run": 2}


@dataclass(frozen=True)
class Row:
    """One quantity at the first step where the paths part."""

    name: str
    expected: float
    yours: float
    #: Largest difference over all entries.
    difference: float


@dataclass(frozen=True)
class Found:
    """One mistake: the equation, as it should be and as it is."""

    name: str
    #: The quantity it defines.
    equation: str
    expected: str
    yours: str
    #: The share of this explanation among all that fit, what nobody has listed included; 1 where it was seen and not inferred.
    confidence: float
    consequence: str = ""
    hint: str = ""

    @property
    def fix(self) -> str:
        """The equation to write instead."""
        return self.expected


@dataclass
class Report:
    """The answer to `descend check`."""

    #: "right", "dialect", "wrong", "no_reference" or "could_not_run".
    verdict: str
    #: What was checked: the name the user gave.
    target: str
    #: The rule it was compared with, by name and by title; None without one.
    reference: str | None = None
    title: str = ""
    #: Whose form it follows, where one is known: "PyTorch's AdamW".
    dialect: str | None = None
    #: The sentence that explains verdict and dialect.
    message: str = ""
    mistakes: list[Found] = field(default_factory=list)
    #: Several names that one and the same run fits.
    alternatives: list[list[Found]] = field(default_factory=list)
    #: The intermediate values where the paths part.
    rows: list[Row] = field(default_factory=list)
    #: "step 2 of changing gradients, first array".
    place: str = ""
    #: What has been ruled out, in sentences.
    excluded: list[str] = field(default_factory=list)
    #: Remarks that do not change the verdict: defaults, properties that do not hold.
    remarks: list[str] = field(default_factory=list)
    #: What its behaviour shows, where there is no reference.
    behaviour: list[str] = field(default_factory=list)
    mapping: str = ""
    driven: str = ""
    difference: float | None = None
    probes: int = 0
    printed: str = ""

    @property
    def exit_code(self) -> int:
        """0 for right and for a dialect, 1 for wrong, 2 where nothing could be judged."""
        return EXIT_CODES[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for `--json`."""
        return {
            "verdict": self.verdict,
            "target": self.target,
            "reference": self.reference,
            "dialect": self.dialect,
            "message": self.message,
            "mistakes": [
                {
                    "name": m.name,
                    "equation": m.equation,
                    "expected": m.expected,
                    "yours": m.yours,
                    "confidence": m.confidence,
                    "consequence": m.consequence,
                    "fix": m.fix,
                    "hint": m.hint,
                }
                for m in self.mistakes
            ],
            "alternatives": [[m.name for m in group] for group in self.alternatives],
            "where": self.place or None,
            "values": [
                {"name": r.name, "expected": r.expected, "yours": r.yours, "difference": r.difference} for r in self.rows
            ],
            "excluded": self.excluded,
            "behaviour": self.behaviour,
            "remarks": self.remarks,
            "mapping": self.mapping,
            "difference": self.difference,
            "probes": self.probes,
        }

    def __str__(self) -> str:
        from descend.check.text import text

        return text(self)
