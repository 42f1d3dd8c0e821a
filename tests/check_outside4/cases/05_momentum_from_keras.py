"""tf.keras.optimizers.SGD(momentum=...) brought over to PyTorch."""
import torch


class KerasSGD(torch.optim.Optimizer):
    def __init__(self, params, learning_rate=0.01, momentum=0.9, weight_decay=None):
        defaults = dict(lr=learning_rate, momentum=momentum, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            lr, momentum = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    # "velocity" slot of the keras optimizer
                    state["velocity"] = torch.zeros_like(p)
                if group["weight_decay"]:
                    p.sub_(p * group["weight_decay"] * lr)
                velocity = state["velocity"]
                velocity.mul_(momentum).sub_(p.grad, alpha=lr)
                p.add_(velocity, alpha=lr)
        return loss
