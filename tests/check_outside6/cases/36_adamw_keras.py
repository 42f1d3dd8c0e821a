import keras
from keras import ops


class PortedAdamW(keras.optimizers.Optimizer):
    """AdamW ported line by line from our PyTorch trainer."""

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        weight_decay=0.01,
        name="ported_adamw",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, weight_decay=weight_decay, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._exp_avg, self._exp_avg_sq = self.add_optimizer_variables(variables, ["exp_avg", "exp_avg_sq"])

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        t = ops.cast(self.iterations + 1, variable.dtype)
        i = self._get_variable_index(variable)
        m, v = self._exp_avg[i], self._exp_avg_sq[i]

        # p.mul_(1 - lr * wd)
        self.assign(variable, variable * (1 - lr * self.weight_decay))

        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * g)
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(g))
        bc1 = 1 - ops.power(ops.cast(self.beta_1, variable.dtype), t)
        bc2 = 1 - ops.power(ops.cast(self.beta_2, variable.dtype), t)
        denom = ops.sqrt(v) / ops.sqrt(bc2) + self.epsilon
        self.assign_sub(variable, (lr / bc1) * m / denom)

    def get_config(self):
        config = super().get_config()
        config.update(beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)
        return config
