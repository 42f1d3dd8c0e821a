"""Small networks trained on all their data at once: objectives whose trainability can be mapped."""

from __future__ import annotations

from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.objectives.objective import Objective

__all__ = ["NETWORKS", "trainability"]


def trainability(hidden: int = 16, inputs: int = 16, samples: int | None = None, seed: int = 0) -> Objective:
    """A network of two layers with tanh between them, fitted to random targets: full batch, mean squared error.

    f(x) = w1·tanh(w0·x/√inputs)/hidden with one learning rate for each layer: the map of lr_w0 × lr_w1 is a fractal at the
    boundary between learning and divergence (Sohl-Dickstein 2024, "The boundary of neural network trainability is fractal").

    Parameters: `{"w0": (hidden, inputs), "w1": (hidden,)}`. Data: as many samples as there are parameters unless said
    otherwise, standard normal, fixed by `seed`.

    >>> goal = trainability()
    >>> {name: array.shape for name, array in goal.start.items()}
    {'w0': (16, 16), 'w1': (16,)}
    """
    for name, value in (("hidden", hidden), ("inputs", inputs), ("samples", 1 if samples is None else samples)):
        if value != int(value) or value < 1:
            raise DescendError(f"{name} must be a whole number of at least 1; got {value}")
    rng = np.random.default_rng(seed)
    count = hidden * inputs + hidden if samples is None else int(samples)
    start = {"w0": rng.standard_normal((hidden, inputs)), "w1": rng.standard_normal(hidden)}
    x, y = rng.standard_normal((count, inputs)), rng.standard_normal(count)

    def loss(p: Any) -> Any:
        import jax.numpy as jnp

        kind = p["w0"].dtype
        inner = jnp.tanh(jnp.asarray(x, kind) @ p["w0"].T / np.sqrt(inputs).astype(kind))
        return jnp.mean((inner @ p["w1"] / hidden - jnp.asarray(y, kind)) ** 2)

    return Objective(
        fun=loss,
        name="trainability",
        text=f"mean (w₁·tanh(w₀x/√{inputs})/{hidden} − y)²",
        start=start,
        minimum=0.0,
        note="Two learning rates and a fractal between learning and divergence.",
        immutable=True,
    )


#: Networks by the name a command takes.
NETWORKS = {"trainability": trainability}
