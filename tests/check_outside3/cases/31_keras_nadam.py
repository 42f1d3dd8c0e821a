import keras
from keras import ops


class Nadam(keras.optimizers.Optimizer):
    """Adam with Nesterov momentum and the warming momentum schedule of Dozat (2015).

    Args:
        learning_rate: float or schedule.
        beta_1: decay rate for the first moment.
        beta_2: decay rate for the second moment.
        epsilon: small constant for numerical stability.
    """

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
        dtype = variables[0].dtype if variables else keras.config.floatx()
        self._m = self.add_optimizer_variables(variables, "momentum")
        self._v = self.add_optimizer_variables(variables, "velocity")
        self._u_product = keras.Variable(1.0, dtype=dtype, trainable=False, name="u_product")

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        lr = ops.cast(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        t = ops.cast(self.iterations + 1, dtype)
        beta_1 = ops.cast(self.beta_1, dtype)
        beta_2 = ops.cast(self.beta_2, dtype)
        base = ops.cast(0.96, dtype)

        u_t = beta_1 * (1.0 - 0.5 * ops.power(base, t))
        u_t_1 = beta_1 * (1.0 - 0.5 * ops.power(base, t + 1))
        self.assign(self._u_product, ops.cast(self._u_product, dtype) * u_t)
        u_product = ops.cast(self._u_product, dtype)

        i = self._get_variable_index(variable)
        m, v = self._m[i], self._v[i]
        self.assign_add(m, (gradient - m) * (1 - beta_1))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - beta_2))

        m_hat = u_t_1 * m / (1 - u_product * u_t_1) + (1 - u_t) * gradient / (1 - u_product)
        v_hat = v / (1 - ops.power(beta_2, t))
        self.assign_sub(variable, lr * m_hat / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update(
            {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon})
        return config
