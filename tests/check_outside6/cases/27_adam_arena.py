import torch as t
from typing import Iterable


class Adam:
    """Adam, following the pseudocode in the PyTorch docs."""

    def __init__(
        self,
        params: Iterable[t.nn.parameter.Parameter],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
    ):
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.eps = eps
        self.lmda = weight_decay
        self.t = 0

        self.gs = [t.zeros_like(p) for p in self.params]
        self.vs = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for i, (p, m, v) in enumerate(zip(self.params, self.gs, self.vs)):
            if p.grad is None:
                continue
            self.t += 1
            new_grad = p.grad
            if self.lmda:
                new_grad = new_grad + self.lmda * p
            self.gs[i] = self.beta1 * m + (1 - self.beta1) * new_grad
            self.vs[i] = self.beta2 * v + (1 - self.beta2) * new_grad**2
            m_hat = self.gs[i] / (1 - self.beta1**self.t)
            v_hat = self.vs[i] / (1 - self.beta2**self.t)
            p -= self.lr * m_hat / (t.sqrt(v_hat) + self.eps)

    def __repr__(self) -> str:
        return f"Adam(lr={self.lr}, beta1={self.beta1}, beta2={self.beta2}, eps={self.eps}, weight_decay={self.lmda})"
