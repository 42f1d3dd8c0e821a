"""Adam with its powers of beta kept as running products."""
import numpy as np


def apply_adam(var, grad, slots, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    """Changes `var` and `slots` in place. `slots` starts as an empty dict."""
    m = slots.setdefault("m", np.zeros_like(var))
    v = slots.setdefault("v", np.zeros_like(var))
    slots["beta1_power"] = slots.get("beta1_power", 1.0) * beta1
    slots["beta2_power"] = slots.get("beta2_power", 1.0) * beta2

    alpha = learning_rate * np.sqrt(1.0 - slots["beta2_power"]) / (1.0 - slots["beta1_power"])
    m += (grad - m) * (1.0 - beta1)
    v += (grad ** 2 - v) * (1.0 - beta2)
    var -= m * alpha / (np.sqrt(v) + epsilon)
    return var
