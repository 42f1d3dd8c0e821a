import torch
from torch import Tensor
from torch.optim import Optimizer


def zeropower_via_newtonschulz5(G: Tensor, steps: int, coefficients=(3.4445, -4.7750, 2.0315)) -> Tensor:
    """Quintic Newton-Schulz iteration; kept in the dtype of G (CPU has no fast bf16)."""
    assert G.ndim >= 2
    a, b, c = coefficients
    X = G
    transposed = G.size(-2) > G.size(-1)
    if transposed:
        X = X.mT
    # Ensure spectral norm is at most 1
    X = X / (X.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        A = X @ X.mT
        B = b * A + c * A @ A
        X = a * X + B @ X
    return X.mT if transposed else X


class Muon(Optimizer):
    """
    Muon - MomentUm Orthogonalized by Newton-schulz, https://kellerjordan.github.io/posts/muon/

    Should only be used for hidden weight layers; embeddings, heads and all
    vectors should go to AdamW.
    """

    def __init__(self, params, lr=0.02, weight_decay=0.0, momentum=0.95, nesterov=True, ns_steps=5):
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum,
                                      nesterov=nesterov, ns_steps=ns_steps))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p)
                buf = state["momentum_buffer"]
                buf.lerp_(grad, 1 - group["momentum"])
                update = grad.lerp(buf, group["momentum"]) if group["nesterov"] else buf
                if update.ndim == 4:  # conv filters
                    update = update.view(len(update), -1)
                update = zeropower_via_newtonschulz5(update, steps=group["ns_steps"])
                update = update * max(1, update.size(-1) / update.size(-2)) ** 0.5
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.reshape(p.shape), alpha=-group["lr"])
        return loss
