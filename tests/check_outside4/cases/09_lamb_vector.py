import torch


class FlatLAMB:
    """LAMB on one flat vector: a handful of large kernels instead of
    hundreds of small ones.

    ``params`` is a list of tensors (changed in place); ``step`` takes the
    gradients as a list.
    """

    def __init__(self, params, lr=1e-2, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        self.params = list(params)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.sizes = [p.numel() for p in self.params]
        n = sum(self.sizes)
        self.m = self.params[0].new_zeros(n)
        self.v = self.params[0].new_zeros(n)
        self.t = 0

    @torch.no_grad()
    def step(self, grads):
        self.t += 1
        b1, b2 = self.betas
        w = torch.cat([p.reshape(-1) for p in self.params])
        g = torch.cat([d.reshape(-1) for d in grads])

        self.m.lerp_(g, 1 - b1)
        self.v.lerp_(g * g, 1 - b2)
        m_hat = self.m / (1 - b1 ** self.t)
        v_hat = self.v / (1 - b2 ** self.t)
        r = m_hat / (v_hat.sqrt() + self.eps) + self.weight_decay * w

        w_norm, r_norm = float(w.norm()), float(r.norm())
        trust = w_norm / r_norm if w_norm > 0 and r_norm > 0 else 1.0
        w = w - self.lr * trust * r
        for p, chunk in zip(self.params, w.split(self.sizes)):
            p.copy_(chunk.view_as(p))
