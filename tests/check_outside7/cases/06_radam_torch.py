import torch


class RAdam(torch.optim.Optimizer):
    """Rectified Adam (Liu et al., "On the variance of the adaptive learning rate and beyond")."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def _rectification(self, t, beta2):
        rho_inf = 2.0 / (1.0 - beta2) - 1.0
        rho_t = rho_inf - t * beta2**t / (1.0 - beta2**t)
        if rho_t <= 5.0:
            return None
        num = (rho_t - 4) * (rho_t - 2) * rho_inf
        den = (rho_inf - 4) * (rho_inf - 2) * rho_t
        return (num / den) ** 0.5

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                state["t"] += 1
                t, m, v = state["t"], state["m"], state["v"]
                m.lerp_(p.grad, 1 - beta1)
                v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
                m_hat = m / (1 - beta1**t)
                r = self._rectification(t, beta2)
                if r is None:
                    p.sub_(group["lr"] * m_hat)
                else:
                    l = (1 - beta2**t) ** 0.5 / (v.sqrt() + group["eps"])
                    p.sub_(group["lr"] * r * m_hat * l)
