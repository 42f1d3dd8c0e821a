# %% [markdown]
# ## Adam from scratch
# Trying the optimizer on f(x) = x^2 - 2x + 1 before I use it for the network.

# %%
import numpy as np


class AdamOptim():
    def __init__(self, eta=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.m_dw, self.v_dw = 0, 0
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.eta = eta
        self.t = 0

    def update(self, w, dw):
        self.t += 1
        # momentum beta 1
        self.m_dw = self.beta1 * self.m_dw + (1 - self.beta1) * dw
        # rms beta 2
        self.v_dw = self.beta2 * self.v_dw + 0.001 * (dw ** 2)

        # bias correction
        m_dw_corr = self.m_dw / (1 - self.beta1 ** self.t)
        v_dw_corr = self.v_dw / (1 - self.beta2 ** self.t)

        # update weights
        w = w - self.eta * (self.m_dw / (np.sqrt(v_dw_corr) + self.epsilon))
        return w
