import numpy as np

NS_COEFFS = (3.4445, -4.7750, 2.0315)


def zeropower(G, steps=5, eps=1e-7):
    # numpy port of zeropower_via_newtonschulz5
    a, b, c = NS_COEFFS
    X = G.T if G.shape[0] > G.shape[1] else G
    X /= np.linalg.norm(X) + eps
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A
        X = a * X + B @ X
    if G.shape[0] > G.shape[1]:
        X = X.T
    return X


def muon_update(w, grad, state, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5):
    """One Muon step for one matrix. `state` is a dict holding the momentum buffer."""
    buf = state.get("buf")
    if buf is None:
        buf = np.zeros_like(grad)
    buf = momentum * buf + grad
    state["buf"] = buf
    g = grad + momentum * buf if nesterov else buf
    o = zeropower(g, steps=ns_steps)
    return w - lr * max(1, w.shape[0] / w.shape[1]) ** 0.5 * o, state
