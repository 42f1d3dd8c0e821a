import torch
from torch.optim import Optimizer


class NAdam(Optimizer):
    """NAdam with the momentum schedule of Dozat's report."""

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3):
        super().__init__(
            params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        )

    def _schedule(self, beta1, k, psi):
        return beta1 * (1.0 - 0.5 * 0.96 ** (k * psi))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            b1, b2 = group["betas"]
            psi = group["momentum_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"] != 0:
                    g = g.add(p, alpha=group["weight_decay"])
                st = self.state[p]
                if not st:
                    st.update(step=0, mu_product=1.0, m=torch.zeros_like(p), n=torch.zeros_like(p))
                st["step"] += 1
                k = st["step"]

                mu = self._schedule(b1, k, psi)
                mu_next = self._schedule(b1, k + 1, psi)
                st["mu_product"] *= mu

                st["m"].lerp_(g, 1 - b1)
                st["n"].mul_(b2).addcmul_(g, g, value=1 - b2)
                n_hat = st["n"] / (1 - b2**k)

                m_bar = ((1 - mu) * g + mu_next * st["m"]) / (1 - st["mu_product"])
                p.addcdiv_(m_bar, n_hat.sqrt_().add_(group["eps"]), value=-group["lr"])
        return loss
