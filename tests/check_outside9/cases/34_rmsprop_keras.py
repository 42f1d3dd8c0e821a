import keras
from keras import ops


class SimpleRMSprop(keras.optimizers.Optimizer):
    """RMSprop without momentum and centering."""

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7, name="simple_rmsprop", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._mean_square = [
            self.add_variable_from_reference(v, name="mean_square") for v in var_list
        ]

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        ms = self._mean_square[self._get_variable_index(variable)]

        self.assign_add(ms, self.rho * (ops.square(g) - ms))
        self.assign_sub(variable, lr * g / ops.sqrt(ms + self.epsilon))

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
