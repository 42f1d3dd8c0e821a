# ruff: noqa  (kept as it was written)
import torch


class Adafactor(torch.optim.Optimizer):
    """Adafactor with relative step size, factored second moment, no first moment."""

    def __init__(self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay))

    @staticmethod
    def _rms(x):
        return x.norm() / x.numel() ** 0.5

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            eps1, eps2 = group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                e1 = torch.finfo(p.dtype).eps if eps1 is None else eps1
                st = self.state[p]
                if not st:
                    st["step"] = 0
                    if p.dim() > 1:
                        st["row"] = p.new_zeros(p.shape[:-1] + (1,))
                        st["col"] = p.new_zeros(p.shape[:-2] + (1, p.shape[-1]))
                    else:
                        st["var"] = torch.zeros_like(p)
                st["step"] += 1
                w = st["step"] ** group["beta2_decay"]
                rho = min(group["lr"], st["step"] ** -0.5)
                alpha = max(eps2, self._rms(p).item()) * rho
                if group["weight_decay"]:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                sq = g * g
                if p.dim() > 1:
                    st["row"].lerp_(sq.mean(-1, keepdim=True), w)
                    st["col"].lerp_(sq.mean(-2, keepdim=True), w)
                    var = st["row"] @ st["col"]
                    var = var / st["row"].mean(-2, keepdim=True).clamp(min=e1)
                else:
                    st["var"].lerp_(sq, w)
                    var = st["var"]
                u = g * var.clamp(min=e1 * e1).rsqrt()
                u = u / max(1.0, u.norm().item() / group["d"])
                p.sub_(alpha * u)
