import torch


class LAMB:
    """Layer-wise adaptive moments (You et al. 2020), version 3 of the paper."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        self.params = list(params)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.t = 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @staticmethod
    def _trust_ratio(w, u):
        w_norm, u_norm = w.norm(), u.norm()
        if w_norm > 0 and u_norm > 0:
            return (w_norm / u_norm).item()
        return 1.0

    @torch.no_grad()
    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for p, m, v in zip(self.params, self.m, self.v):
            g = p.grad
            m.mul_(b1).add_(g, alpha=1 - b1)
            v.mul_(b2).addcmul_(g, g, value=1 - b2)
            m_hat = m / (1 - b1 ** self.t)
            v_hat = v / (1 - b2 ** self.t)
            update = m_hat / (v_hat.sqrt() + self.eps)
            ratio = self._trust_ratio(p, update)
            if self.weight_decay:
                update = update + self.weight_decay * p
            p.add_(update, alpha=-self.lr * ratio)
