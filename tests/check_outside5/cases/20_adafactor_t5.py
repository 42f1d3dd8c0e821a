import torch


def _rms(x):
    return x.norm(2) / x.numel() ** 0.5


class Adafactor(torch.optim.Optimizer):
    """Adafactor with an external learning rate, as for T5 fine-tuning
    (scale_parameter=False, relative_step=False)."""

    def __init__(self, params, lr=1e-3, eps=(1e-30, 1e-3), clip_threshold=1.0, decay_rate=-0.8,
                 weight_decay=0.0, scale_parameter=False):
        super().__init__(params, dict(lr=lr, eps=eps, clip_threshold=clip_threshold,
                                      decay_rate=decay_rate, weight_decay=weight_decay,
                                      scale_parameter=scale_parameter))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g, st = p.grad, self.state[p]
                st["step"] = st.get("step", 0) + 1
                weight_new = st["step"] ** group["decay_rate"]
                lr = group["lr"]
                if group["scale_parameter"]:
                    lr = lr * max(group["eps"][1], _rms(p).item())

                sq = g * g + group["eps"][0]
                if g.dim() >= 2:
                    row, col = sq.mean(-1), sq.mean(-2)
                    st["row"] = torch.lerp(st.get("row", row), row, weight_new)
                    st["col"] = torch.lerp(st.get("col", col), col, weight_new)
                    r = (st["row"] / st["row"].mean(-1, keepdim=True)).rsqrt().unsqueeze(-1)
                    u = r * st["col"].rsqrt().unsqueeze(-2) * g
                else:
                    st["full"] = torch.lerp(st.get("full", sq), sq, weight_new)
                    u = g * st["full"].rsqrt()
                u = u / (_rms(u) / group["clip_threshold"]).clamp(min=1.0)

                p.mul_(1 - group["weight_decay"] * lr).sub_(lr * u)
        return loss
