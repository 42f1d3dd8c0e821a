import torch


class RMSProp(torch.optim.Optimizer):
    """RMSProp with momentum and weight decay."""

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, group)
        return loss

    def _update(self, p, group):
        st = self.state[p]
        if not st:
            st["sq"] = torch.zeros_like(p)
            st["buf"] = torch.zeros_like(p)
        a, mu = group["alpha"], group["momentum"]
        g = p.grad
        st["sq"] = a * st["sq"] + (1 - a) * g * g
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        scaled = g / (st["sq"].sqrt() + group["eps"])
        if mu > 0:
            st["buf"] = mu * st["buf"] + (1 - mu) * scaled
            scaled = st["buf"]
        p.sub_(group["lr"] * scaled)
