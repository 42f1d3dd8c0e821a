import torch as t


class AdamW:
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        """
        Adam with decoupled weight decay:
            https://arxiv.org/abs/1711.05101
        """
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.eps = eps
        self.lmda = weight_decay
        self.t = 1
        self.m = [t.zeros_like(p) for p in self.params]
        self.v = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self):
        for i, p in enumerate(self.params):
            g = p.grad
            # the decay does not enter the moving averages
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g.pow(2)
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            denom = self.v[i].sqrt() + self.eps
            p -= self.lr * (m_hat + self.lmda * p) / denom
        self.t += 1
