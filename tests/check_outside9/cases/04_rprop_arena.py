import torch


class Rprop:
    """Resilient backpropagation. Full-batch training only."""

    def __init__(self, params, lr=0.01, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0)):
        self.params = list(params)
        self.eta_minus, self.eta_plus = etas
        self.step_min, self.step_max = step_sizes
        self.delta = [torch.full_like(p, lr, requires_grad=False) for p in self.params]
        self.prev = [torch.zeros_like(p, requires_grad=False) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for i, p in enumerate(self.params):
            g = p.grad
            agree = g * self.prev[i]

            factor = torch.ones_like(g)
            factor[agree > 0] = self.eta_plus
            factor[agree < 0] = self.eta_minus
            self.delta[i] = (self.delta[i] * factor).clamp(self.step_min, self.step_max)

            # no move in the coordinates whose gradient changed its sign
            direction = torch.where(agree < 0, torch.zeros_like(g), g.sign())
            p -= self.delta[i] * direction
            self.prev[i] = g.clone()
