import keras
from keras import ops


class NAdam(keras.optimizers.Optimizer):
    """Nadam with the momentum schedule cache kept as an optimizer variable."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                 name="nadam", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._m, self._v = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._cache = keras.Variable(1.0, dtype=variables[0].dtype, trainable=False)

    def _momentum_at(self, t):
        return self.beta_1 * (1.0 - 0.5) * ops.power(0.96, t)

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        t = ops.cast(self.iterations + 1, self._cache.dtype)
        self._cache.assign(self._cache * self._momentum_at(t))
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        lr = ops.cast(learning_rate, dtype)
        g = ops.cast(gradient, dtype)
        t = ops.cast(self.iterations + 1, dtype)
        i = self._get_variable_index(variable)
        m, v = self._m[i], self._v[i]

        mu_t = self._momentum_at(t)
        mu_next = self._momentum_at(t + 1)
        prod = ops.cast(self._cache, dtype)

        self.assign_add(m, (g - m) * (1 - self.beta_1))
        self.assign_add(v, (ops.square(g) - v) * (1 - self.beta_2))
        m_bar = mu_next * m / (1 - prod * mu_next) + (1 - mu_t) * g / (1 - prod)
        v_hat = v / (1 - ops.power(ops.cast(self.beta_2, dtype), t))
        self.assign_sub(variable, lr * m_bar / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update(beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)
        return config
