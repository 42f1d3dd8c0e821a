import torch
from torch.optim import Optimizer


class SumAdam(Optimizer):
    r"""Adam kept as geometrically weighted sums.

    With :math:`S_t = \beta_1 S_{t-1} + g_t`, :math:`Q_t = \beta_2 Q_{t-1} + g_t^2`
    and the total weights :math:`n_t = \beta_1 n_{t-1} + 1`,
    :math:`q_t = \beta_2 q_{t-1} + 1` the debiased moments are plain weighted
    means :math:`S_t / n_t` and :math:`Q_t / q_t`.  Handy for betas that change
    during training, where :math:`1 - \beta^t` is no longer meaningful.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if len(st) == 0:
                    st["S"], st["Q"] = torch.zeros_like(p), torch.zeros_like(p)
                    st["n"], st["q"] = 0.0, 0.0
                st["S"].mul_(b1).add_(p.grad)
                st["Q"].mul_(b2).addcmul_(p.grad, p.grad)
                st["n"] = b1 * st["n"] + 1.0
                st["q"] = b2 * st["q"] + 1.0
                rms = (st["Q"] / st["q"]).sqrt_()
                p.addcdiv_(st["S"], rms.add_(group["eps"]), value=-group["lr"] / st["n"])
        return loss
