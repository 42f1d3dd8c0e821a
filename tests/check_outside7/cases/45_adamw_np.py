import numpy as np


def adamw_update(w, dw, cache, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    """One AdamW step on one weight array.

    cache: dict, pass {} on the first call.
    Returns the new weights and the cache.
    """
    m = cache.get("m", np.zeros_like(w))
    v = cache.get("v", np.zeros_like(w))
    t = cache.get("t", 0) + 1
    b1, b2 = betas

    m = b1 * m + (1 - b1) * dw
    v = b2 * v + (1 - b2) * dw * dw
    mhat = m / (1 - b1**t)
    vhat = v / (1 - b2**t)

    # the decay does not go through the moments
    w = w - lr * (mhat + weight_decay * w) / (np.sqrt(vhat) + eps)
    return w, {"m": m, "v": v, "t": t}
