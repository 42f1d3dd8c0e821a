import torch


def newton_schulz(G, steps=5, eps=1e-7):
    """Quintic Newton-Schulz iteration towards the orthogonal factor of G."""
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G
    if G.size(0) > G.size(1):
        X = X.T
    for _ in range(steps):
        X = X / (X.norm() + eps)  # spectral norm at most 1
        A = X @ X.T
        B = b * A + c * A @ A
        X = a * X + B @ X
    if G.size(0) > G.size(1):
        X = X.T
    return X


class Muon(torch.optim.Optimizer):
    """Muon for the hidden matrices of a network (2D parameters only)."""

    def __init__(self, params, lr=0.02, weight_decay=0.0, momentum=0.95, nesterov=True, ns_steps=5):
        params = list(params)
        for p in params:
            if p.ndim != 2:
                raise ValueError("Muon is for matrices; use AdamW for the rest")
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum,
                                      nesterov=nesterov, ns_steps=ns_steps))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            mu = group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p)
                buf = state["momentum_buffer"]
                buf.lerp_(p.grad, 1 - mu)
                g = p.grad.lerp(buf, mu) if group["nesterov"] else buf
                update = newton_schulz(g, steps=group["ns_steps"])
                update = update * max(1, p.size(0) / p.size(1)) ** 0.5
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"])
        return loss
