import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from keras import ops


class NadamV2(keras.optimizers.Optimizer):
    """Nadam with warming momentum schedule, subclassing the Keras 3 base optimizer."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="nadam_v2", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._m = [self.add_variable_from_reference(v, name="momentum") for v in variables]
        self._v = [self.add_variable_from_reference(v, name="velocity") for v in variables]
        self._u_product = keras.Variable(1.0, dtype=variables[0].dtype, trainable=False, name="u_product")

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        lr = ops.cast(learning_rate, dtype)
        g = ops.cast(gradient, dtype)
        t = ops.cast(self.iterations + 1, dtype)

        u_t = self.beta_1 * (1.0 - 0.5 * ops.power(ops.cast(0.96, dtype), t))
        u_t_1 = self.beta_1 * (1.0 - 0.5 * ops.power(ops.cast(0.96, dtype), t + 1))
        self.assign(self._u_product, self._u_product * u_t)
        u_prod = ops.convert_to_tensor(self._u_product)

        idx = self._get_variable_index(variable)
        m, v = self._m[idx], self._v[idx]
        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * g)
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(g))

        m_bar = u_t_1 * m / (1 - u_prod * u_t_1) + (1 - u_t) * g / (1 - u_prod)
        v_hat = v / (1 - ops.power(ops.cast(self.beta_2, dtype), t))
        self.assign_sub(variable, lr * m_bar / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update({"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon})
        return config
