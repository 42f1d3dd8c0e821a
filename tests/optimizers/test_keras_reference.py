"""The forms named after Keras, against Keras itself: 24 steps on fixed gradients in float64, the rate changed in mid-run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest
from fixed_gradients import MATRICES, SHAPES, Arrays, apart, sequence, start

from descend.check.dialects import references
from descend.optimizers import (
    adadelta,
    adagrad,
    adam_hat,
    lamb,
    lion,
    momentum,
    muon,
    nadam,
    nesterov,
    rmsprop,
    schedule_free_adamw,
    sgd,
)
from descend.rules import OPTIMIZERS, Optimizer

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "jax"))  # read when Keras is imported; by default TensorFlow
    keras: Any = pytest.importorskip("keras")
if keras.backend.backend() != "jax":  # with torch tensors Keras 3.15's ScheduleFreeAdamW changes what it meant to remember
    pytest.skip("Keras was imported with another backend than JAX", allow_module_level=True)

STEPS, CHANGE = 24, 12
RATES = (0.03, 0.004)
TOLERANCE = 1e-12


def checkers(name: str, **values: Any) -> Optimizer:
    """The form that the checker of optimizers calls Keras's."""
    (form,) = [c for c in references(OPTIMIZERS[name], decays=False) if c.kind == "dialect" and c.source == "Keras"]
    return form.rule(**{**form.fixed, **values})


B = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}
KB = {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
R = {"rho": 0.8, "eps": 1e-3}
KR = {"rho": 0.8, "epsilon": 1e-3}
HEAVY: dict[str, Any] = {"momentum": 0.8, "lr_in_velocity": True}
DECAY = {"weight_decay": 0.1, "decoupled": True}

#: Ours, and the class and arguments of theirs.
PAIRS: dict[str, tuple[Optimizer, str, dict[str, Any]]] = {
    "SGD": (sgd(), "SGD", {}),
    "SGD, decay": (sgd(**DECAY), "SGD", {"weight_decay": 0.1}),
    "SGD, momentum": (momentum(**HEAVY), "SGD", {"momentum": 0.8}),
    "SGD, momentum, the checker's": (checkers("momentum", momentum=0.8), "SGD", {"momentum": 0.8}),
    "SGD, Nesterov": (nesterov(**HEAVY), "SGD", {"momentum": 0.8, "nesterov": True}),
    "SGD, Nesterov, the checker's": (checkers("nesterov", momentum=0.8), "SGD", {"momentum": 0.8, "nesterov": True}),
    "Adam": (adam_hat(**B), "Adam", KB),
    "Adam, decay": (adam_hat(**B, **DECAY), "Adam", KB | {"weight_decay": 0.1}),
    "Adam, AMSGrad": (checkers("amsgrad", **B), "Adam", KB | {"amsgrad": True}),
    "AdamW": (checkers("adamw", **B, weight_decay=0.1), "AdamW", KB | {"weight_decay": 0.1}),
    "Adamax": (checkers("adamax", **B), "Adamax", KB),
    "Nadam": (nadam(**B, momentum_decay=1.0), "Nadam", KB),
    "RMSprop": (rmsprop(**R, eps_in_root=True), "RMSprop", KR),
    "RMSprop, momentum": (rmsprop(**R, **HEAVY, eps_in_root=True), "RMSprop", KR | {"momentum": 0.8}),
    "RMSprop, centered": (rmsprop(**R, eps_in_root=True, centered=True), "RMSprop", KR | {"centered": True}),
    "Adagrad": (adagrad(eps=1e-3, eps_in_root=True, v0=0.1), "Adagrad", {"epsilon": 1e-3}),
    "Adadelta": (adadelta(**R), "Adadelta", KR),
    "LAMB": (lamb(**B, ratio="no_decay"), "Lamb", KB),
    "LAMB, decay": (lamb(**B, ratio="no_decay", weight_decay=0.1), "Lamb", KB | {"weight_decay": 0.1}),
    "Lion": (lion(beta1=0.8, beta2=0.95), "Lion", {"beta_1": 0.8, "beta_2": 0.95}),
    "Lion, decay": (
        lion(beta1=0.8, beta2=0.95, weight_decay=0.1),
        "Lion",
        {"beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.1},
    ),
    "Adafactor": (
        checkers("adafactor", eps1=1e-3, eps2=1e-2, d=1.5, weight_decay=0.1),
        "Adafactor",
        {"epsilon_1": 1e-3, "epsilon_2": 1e-2, "clip_threshold": 1.5, "weight_decay": 0.1},
    ),
    "Muon": (
        muon(scale="match_rms_adamw", weight_decay=0.1, eps=0.0),
        "Muon",
        {"weight_decay": 0.1, "exclude_embeddings": False},
    ),
    "ScheduleFreeAdamW": (schedule_free_adamw(**B, weight_lr_power=0.0), "ScheduleFreeAdamW", KB),
    "SGD, clipvalue": (sgd(clip_value=0.5), "SGD", {"clipvalue": 0.5}),
    "SGD, clipnorm": (sgd(clip_norm=0.5), "SGD", {"clipnorm": 0.5}),
    "SGD, global_clipnorm": (sgd(clip_global_norm=0.5), "SGD", {"global_clipnorm": 0.5}),
}


@pytest.fixture(autouse=True)
def _in_float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything in float64, means and norms too: Keras takes those of any type in float32, which shows as 6e-8."""
    before, tensor = keras.config.floatx(), keras.ops.convert_to_tensor
    monkeypatch.setattr("keras.src.ops.mean", lambda x, **options: jax.numpy.mean(tensor(x), **options))
    monkeypatch.setattr("keras.src.ops.norm", lambda x, **options: jax.numpy.linalg.norm(tensor(x), **options))
    keras.config.set_floatx("float64")
    with jax.enable_x64(True):
        yield
    keras.config.set_floatx(before)


def theirs(make: Callable[..., Any], ps: Arrays, gs: list[Arrays], **options: Any) -> list[Arrays]:
    """The points visited by a Keras optimizer, the start among them."""
    variables = [keras.Variable(np.array(p), dtype="float64") for p in ps]
    optimizer = make(learning_rate=RATES[0], **options)
    optimizer.build(variables)
    points = [list(ps)]
    for t, g in enumerate(gs):
        optimizer.learning_rate = RATES[t >= CHANGE]
        optimizer.apply([keras.ops.convert_to_tensor(x, dtype="float64") for x in g], variables)
        points.append([np.array(keras.ops.convert_to_numpy(v.value)) for v in variables])
    return points


def ours(optimizer: Optimizer, ps: Arrays, gs: list[Arrays]) -> list[Arrays]:
    points, state = [list(ps)], optimizer.init(list(ps))
    for t, g in enumerate(gs):
        ps, state = optimizer.step(list(ps), g, state, optimizer.hyperparameters | {"lr": RATES[t >= CHANGE]})
        points.append(list(ps))
    return points


@pytest.mark.parametrize("name", PAIRS)
def test_a_form_named_after_keras_is_keras(name: str) -> None:
    optimizer, cls, options = PAIRS[name]
    shapes = MATRICES if cls == "Muon" else SHAPES
    ps, gs = start(shapes), sequence(STEPS, shapes)
    if cls == "Muon":  # Keras adds 1e-7 to the norm it divides by
        gs = [[1e6 * x + 1.0 for x in g] for g in gs]
    assert apart(ours(optimizer, ps, gs), theirs(getattr(keras.optimizers, cls), ps, gs, **options)) <= TOLERANCE


def test_the_forms_are_not_ours_without_their_options() -> None:
    """The gradients tell the dialects apart: without the option each is far off, so that agreement above says something."""
    ps, gs = start(), sequence(STEPS)
    far = {
        "SGD, momentum": momentum(momentum=0.8),
        "SGD, Nesterov": nesterov(momentum=0.8),
        "Adam": OPTIMIZERS["adam"](**B),
        "Adam, decay": adam_hat(**B, weight_decay=0.1),
        "Adam, AMSGrad": OPTIMIZERS["amsgrad"](**B),
        "Adamax": OPTIMIZERS["adamax"](**B),
        "Nadam": nadam(**B),
        "RMSprop": rmsprop(**R),
        "Adagrad": adagrad(eps=1e-3),
        "LAMB, decay": lamb(**B, weight_decay=0.1),
    }
    for name, plain in far.items():
        _, cls, options = PAIRS[name]
        assert apart(ours(plain, ps, gs), theirs(getattr(keras.optimizers, cls), ps, gs, **options)) > 1e-5, name
