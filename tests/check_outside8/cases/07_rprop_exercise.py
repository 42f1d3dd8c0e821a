import torch


class Rprop:
    """Resilient backpropagation, like torch.optim.Rprop."""

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50)):
        self.params = list(params)
        self.etaminus, self.etaplus = etas
        self.step_min, self.step_max = step_sizes
        self.prev = [torch.zeros_like(p) for p in self.params]
        self.sizes = [torch.full_like(p, lr) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p, prev, size in zip(self.params, self.prev, self.sizes):
            grad = p.grad
            agree = grad * prev
            factor = torch.ones_like(p)
            factor[agree > 0] = self.etaplus
            factor[agree < 0] = self.etaminus
            size.mul_(factor).clamp_(self.step_min, self.step_max)
            # where the sign flipped, stay put for this step
            direction = torch.where(agree < 0, torch.zeros_like(grad), grad.sign())
            p.sub_(direction * size)
            prev.copy_(grad)
