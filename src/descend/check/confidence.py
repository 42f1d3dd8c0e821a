"""How sure a named mistake is: its share among all explanations of what was seen, unlisted ones included.

Every explanation that is told fits every probe to rounding, so the probes cannot rank them; what ranks them is how many
mistakes each supposes and whether it is in the catalogue. Against all of them stands what nobody has listed: the fewer probes
part from the right rule, the more room is left for that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.check.judge import EXACT, Match
from descend.check.probes import Probe
from descend.check.variants import Candidate, apart, trajectory

__all__ = ["GUESSED", "confidences", "unlisted"]

#: An equation that is contradicted, with no explanation that fits: the first one contradicted need not be the one at fault.
GUESSED = 0.3
#: Weight of one edit outside the catalogue, of its first rank, beside a mistake people are known to make.
EDIT = 0.3
#: Weight of each mistake beyond the first.
SECOND = 0.05


def confidences(match: Match, base: Candidate, probes: Sequence[Probe], points: Sequence[np.ndarray]) -> list[float]:
    """One number per explanation, in the order of the match; together they leave room for what is not listed."""
    weights = [_weight(c) for c in match.candidates]
    showing = sum(apart(trajectory(base, p), x) > EXACT for p, x in zip(probes, points, strict=True))
    left = unlisted(showing, match.single)
    return [(1.0 - left) * w / sum(weights) for w in weights]


def unlisted(showing: int, single: bool = False) -> float:
    """The share left to explanations nobody has listed, by the number of probes that part from the right rule.

    >>> [round(unlisted(n), 3) for n in (1, 2, 6)]
    [0.1, 0.05, 0.003]
    """
    room: float = 0.2 * 0.5**showing
    return max(room, 0.1) if single else room  # equal to five digits leaves more room than equal to twelve


def _weight(candidate: Candidate) -> float:
    weight = SECOND ** (len(candidate.entries) - 1)
    for entry in candidate.entries:
        rank = getattr(entry, "rank", 0)
        weight *= EDIT / rank if rank else 1.0
    return float(weight)
