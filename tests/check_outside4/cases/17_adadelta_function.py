import numpy as np


def adadelta(x, dx, config=None, lr=1.0, rho=0.95, eps=1e-6):
    """One AdaDelta step for one array, in the manner of the cs231n ``optim.py``.

    config carries ``Eg2`` and ``Edx2`` between calls and is returned together
    with the next x.
    """
    if config is None:
        config = {}
    Eg2 = config.get("Eg2", np.zeros_like(x))
    Edx2 = config.get("Edx2", np.zeros_like(x))

    Eg2 = rho * Eg2 + (1 - rho) * dx ** 2
    step = lr * dx * np.sqrt(Edx2 + eps) / np.sqrt(Eg2 + eps)
    Edx2 = rho * Edx2 + (1 - rho) * step ** 2

    config = {"Eg2": Eg2, "Edx2": Edx2}
    return x - step, config
