"""`assert_descends`: the one-line check for a development loop."""

from __future__ import annotations

import math

from descend.errors import DescendError

__all__ = ["WHEN_BREAKING_IT_IS_LEGITIMATE", "assert_descends"]

WHEN_BREAKING_IT_IS_LEGITIMATE = """\
A single step may raise the loss on a healthy run when
- the two losses come from different minibatches (compare on one fixed batch, or allow a few times the batch noise);
- momentum carries the point past the minimum: it rings, and the loss comes back down within 1/(1-beta) steps;
- Adam and other normalised rules step about lr in every coordinate however flat it is: near a minimum they hover;
- training is at the edge of stability or in a catapult: short rises inside a long fall;
- dropout or other noise is drawn anew.
Plain full-batch gradient descent with lr < 2/curvature may never break it: there a rise means a wrong gradient, a wrong sign,
or a learning rate too high."""


def assert_descends(loss_old: float, loss_new: float, tol: float = 0.0) -> None:
    """Raise when a step raised the loss by more than `tol` (in the loss's own unit), saying what that may mean.

    >>> assert_descends(1.0, 0.9)
    >>> assert_descends(1.0, 1.05, tol=0.1)
    >>> assert_descends(1.0, 1.2)
    Traceback (most recent call last):
        ...
    descend.errors.DescendError: the step raised the loss from 1 to 1.2, by 0.2 where at most 0 was allowed: with plain \
full-batch gradient descent halve lr and check the gradient's sign; with minibatches, momentum or Adam single rises are normal
    """
    if not tol >= 0:
        raise DescendError(f"tol is how much the loss may rise, a number of at least 0; it is {tol}")
    if math.isnan(loss_new) or loss_new == math.inf:
        raise DescendError(
            f"the loss went from {loss_old:.6g} to {loss_new}: use a tenth of the lr, and look for log(0), "
            "0/0 or NaN in the data"
        )
    if not loss_new <= loss_old + tol:
        raise DescendError(
            f"the step raised the loss from {loss_old:.6g} to {loss_new:.6g}, by {loss_new - loss_old:.3g} "
            f"where at most {tol:g} was "
            "allowed: with plain full-batch gradient descent halve lr and check the gradient's sign; with "
            "minibatches, momentum or "
            "Adam single rises are normal"
        )
