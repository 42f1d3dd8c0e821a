import torch
from torch.optim import Optimizer


class Adafactor(Optimizer):
    """Adafactor (https://arxiv.org/abs/1804.04235), factored second moment without
    first moment, relative step sizes.

    Arguments:
        lr (float, optional): upper bound of the relative step size (default: 1e-2)
        eps (tuple): regularization constants for the squared gradient and the
            parameter scale (default: (1e-30, 1e-3))
        clip_threshold (float): threshold of the root mean square of the update
        decay_rate (float): exponent of the running average schedule (default: -0.8)
        weight_decay (float): weight decay (default: 0)
        scale_parameter (bool): scale the step by the root mean square of the parameter
    """

    def __init__(self, params, lr=1e-2, eps=(1e-30, 1e-3), clip_threshold=1.0,
                 decay_rate=-0.8, weight_decay=0.0, scale_parameter=True):
        defaults = dict(lr=lr, eps=eps, clip_threshold=clip_threshold, decay_rate=decay_rate,
                        weight_decay=weight_decay, scale_parameter=scale_parameter)
        super().__init__(params, defaults)

    def _get_lr(self, group, state):
        rel_step = min(group["lr"], state["step"] ** -0.5)
        scale = max(group["eps"][1], state["RMS"]) if group["scale_parameter"] else 1.0
        return scale * rel_step

    @staticmethod
    def _approx_sq_grad(exp_avg_sq_row, exp_avg_sq_col):
        r_factor = (exp_avg_sq_row / exp_avg_sq_row.mean(dim=-1, keepdim=True)).rsqrt_().unsqueeze(-1)
        c_factor = exp_avg_sq_col.unsqueeze(-2).rsqrt()
        return torch.mul(r_factor, c_factor)

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None

        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                factored = grad.dim() >= 2
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    if factored:
                        state["exp_avg_sq_row"] = grad.new_zeros(grad.shape[:-1])
                        state["exp_avg_sq_col"] = grad.new_zeros(grad.shape[:-2] + grad.shape[-1:])
                    else:
                        state["exp_avg_sq"] = torch.zeros_like(grad)

                state["step"] += 1
                state["RMS"] = (p.norm(2) / p.numel() ** 0.5).item()
                lr = self._get_lr(group, state)

                beta2t = 1.0 - state["step"] ** group["decay_rate"]
                update = grad ** 2 + group["eps"][0]
                if factored:
                    row, col = state["exp_avg_sq_row"], state["exp_avg_sq_col"]
                    row.mul_(beta2t).add_(update.mean(dim=-1), alpha=1.0 - beta2t)
                    col.mul_(beta2t).add_(update.mean(dim=-2), alpha=1.0 - beta2t)
                    update = self._approx_sq_grad(row, col).mul_(grad)
                else:
                    exp_avg_sq = state["exp_avg_sq"]
                    exp_avg_sq.mul_(beta2t).add_(update, alpha=1.0 - beta2t)
                    update = exp_avg_sq.rsqrt().mul_(grad)

                update.div_((update.norm(2) / group["clip_threshold"]).clamp_(min=1.0))

                if group["weight_decay"] != 0:
                    p.add_(p, alpha=-group["weight_decay"] * lr)
                p.add_(update, alpha=-lr)
        return loss
