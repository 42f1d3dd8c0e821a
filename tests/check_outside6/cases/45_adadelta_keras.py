import keras
from keras import ops


class MyAdadelta(keras.optimizers.Optimizer):
    """Adadelta (Zeiler 2012) with a learning rate in front of the update."""

    def __init__(self, learning_rate=0.1, rho=0.95, epsilon=1e-7, name="my_adadelta", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._eg2, self._edx2 = self.add_optimizer_variables(variables, ["accum_grad", "accum_var"])

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        idx = self._get_variable_index(variable)
        eg2, edx2 = self._eg2[idx], self._edx2[idx]

        self.assign(eg2, self.rho * eg2 + (1 - self.rho) * ops.square(g))
        dx = -lr * g * ops.sqrt(edx2 + self.epsilon) / ops.sqrt(eg2 + self.epsilon)
        self.assign(edx2, self.rho * edx2 + (1 - self.rho) * ops.square(dx))
        self.assign_add(variable, dx)

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
