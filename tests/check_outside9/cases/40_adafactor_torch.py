import torch


class Adafactor(torch.optim.Optimizer):
    """Adafactor with relative step sizes, arguments as in torch.optim.Adafactor."""

    def __init__(self, params, lr=1e-2, beta2_decay=-0.8, eps=(1e-15, 1e-3), d=1.0, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            eps1, eps2 = group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    if g.dim() > 1:
                        state["row_var"] = g.new_zeros(g.shape[:-1] + (1,))
                        state["col_var"] = g.new_zeros(g.shape[:-2] + (1, g.shape[-1]))
                    else:
                        state["variance"] = torch.zeros_like(g)
                state["step"] += 1
                t = state["step"]

                one_minus_beta2 = t ** group["beta2_decay"]
                rho = min(group["lr"], t ** -0.5)
                alpha = max(eps2, p.norm().item()) * rho

                if group["weight_decay"] != 0:
                    p.mul_(1 - group["lr"] * group["weight_decay"])

                sq = g * g
                if g.dim() > 1:
                    state["row_var"].lerp_(sq.mean(dim=-1, keepdim=True), one_minus_beta2)
                    state["col_var"].lerp_(sq.mean(dim=-2, keepdim=True), one_minus_beta2)
                    v = state["row_var"] @ state["col_var"]
                else:
                    state["variance"].lerp_(sq, one_minus_beta2)
                    v = state["variance"].clone()

                update = g * v.clamp_(min=eps1 * eps1).rsqrt_()
                # update clipping
                update.div_(max(1.0, update.pow(2).mean().sqrt().item() / group["d"]))
                p.add_(update, alpha=-alpha)
        return loss
