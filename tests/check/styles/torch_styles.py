"""Optimizers in PyTorch that are no torch.optim.Optimizer. Each block is a module of its own; see test_check_styles.

The line above a block: the object, the rule it is meant to be, and the mistake that is planted, as old => new.
"""

# ruff: noqa: F811, E501  (blocks of the same names; a line says what is planted)

import torch

# %% hyperparams_and_states:adam adam | torch.sqrt(s / (1 - beta2 ** hyperparams["t"])) => torch.sqrt(s)


def init_adam_states(shapes):
    return [(torch.zeros(s), torch.zeros(s)) for s in shapes]


def adam(params, states, hyperparams):
    beta1, beta2, eps = hyperparams["beta1"], hyperparams["beta2"], hyperparams["eps"]
    for p, (v, s) in zip(params, states, strict=True):
        with torch.no_grad():
            v[:] = beta1 * v + (1 - beta1) * p.grad
            s[:] = beta2 * s + (1 - beta2) * torch.square(p.grad)
            first = v / (1 - beta1 ** hyperparams["t"])
            p[:] -= hyperparams["lr"] * first / (torch.sqrt(s / (1 - beta2 ** hyperparams["t"])) + eps)
        p.grad.data.zero_()
    hyperparams["t"] += 1


# %% batch_size:sgd sgd | param.grad / batch_size => param.grad * param.abs() / batch_size


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


# %% functional_form:adam adam | exp_avg_sq.mul_(beta2) => exp_avg_sq.mul_(beta1)


def adam(params, grads, exp_avgs, exp_avg_sqs, state_steps, *, maximize, lr, beta1, beta2, eps):
    for i, param in enumerate(params):
        grad = -grads[i] if maximize else grads[i]
        exp_avg, exp_avg_sq, step_t = exp_avgs[i], exp_avg_sqs[i], state_steps[i]
        step_t += 1
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        step = step_t.item()
        denom = (exp_avg_sq / (1 - beta2**step)).sqrt().add_(eps)
        param.addcdiv_(exp_avg, denom, value=-lr / (1 - beta1**step))


# %% model_with_parameters:Momentum momentum | buffer.mul_(self.momentum) => buffer.mul_(1 - self.momentum)


class Momentum:
    def __init__(self, model, lr=0.01, momentum=0.9):
        self.model, self.lr, self.momentum = model, lr, momentum
        self.buffers = {name: torch.zeros_like(p) for name, p in model.named_parameters()}

    def zero_grad(self):
        for p in self.model.parameters():
            p.grad = None

    @torch.no_grad()
    def step(self):
        for name, p in self.model.named_parameters():
            if p.grad is None:
                continue
            buffer = self.buffers[name]
            buffer.mul_(self.momentum).add_(p.grad)
            p.sub_(buffer, alpha=self.lr)


# %% state_by_parameter:rmsprop_step rmsprop | .addcmul_(p.grad, p.grad, value=1 - alpha) => .add_(p.grad, alpha=1 - alpha).abs_()


@torch.no_grad()
def rmsprop_step(parameters, state, lr=0.01, alpha=0.99, eps=1e-8):
    for p in parameters:
        if p not in state:
            state[p] = torch.zeros_like(p)
        avg = state[p]
        avg.mul_(alpha).addcmul_(p.grad, p.grad, value=1 - alpha)
        p.addcdiv_(p.grad, avg.sqrt().add_(eps), value=-lr)


# %% dict_of_settings:Adam adam | self.opts["lr"] * m_hat => 0.5 * self.opts["lr"] * m_hat


class Adam:
    def __init__(self, params, opts):
        self.params, self.opts = list(params), opts
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]
        self.t = 0

    def step(self):
        self.t += 1
        b1, b2 = self.opts["beta1"], self.opts["beta2"]
        with torch.no_grad():
            for p, m, v in zip(self.params, self.m, self.v, strict=True):
                m.mul_(b1).add_(p.grad, alpha=1 - b1)
                v.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                m_hat, v_hat = m / (1 - b1**self.t), v / (1 - b2**self.t)
                p -= self.opts["lr"] * m_hat / (v_hat.sqrt() + self.opts["eps"])


# %% optimizer_of_a_model:train_step momentum | mu * v + p.grad => mu * v + p.grad.sign()


def train_step(model, memory, lr=0.01, mu=0.9):
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            v = memory.get(i, torch.zeros_like(p))
            memory[i] = v = mu * v + p.grad
            p.copy_(p - lr * v)
