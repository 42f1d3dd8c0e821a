import numpy as np


def nadam(theta, grad, m, v, t, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    """Nadam (Dozat, 2016), in the short form with a constant beta1.

    t counts from 1.  Returns theta, m, v.
    """
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    nesterov = beta1 * m_hat + (1 - beta1) * grad
    theta = theta - lr * nesterov / (np.sqrt(v_hat) + eps)
    return theta, m, v
