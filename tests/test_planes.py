"""Planes: each point equals the single descent, whatever the chunk; and what is said about them is seen in them."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

import descend as ds
from descend.errors import DescendError
from descend.planes import Store, verdicts
from descend.planes.axes import precision
from descend.planes.job import Job
from descend.planes.program import program
from descend.trace import OUTCOMES

RULES = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "lion", "lamb", "nadam", "radam", "adan", "prodigy"]


@pytest.mark.parametrize("name", [*RULES, "schedule_free_adamw"])
def test_each_point_equals_the_single_descent(name):
    optimizer = getattr(ds, name)
    lrs = np.array([1e-5, 2e-4, 2e-2])
    plane = ds.plane("rosenbrock", [-1.2, 1], optimizer(), steps=60, dtype="float64", lr=lrs, y=[1.0, -0.5])
    for i, lr in enumerate(lrs):
        for j, y in enumerate((1.0, -0.5)):
            trace = ds.descend("rosenbrock", [-1.2, y], optimizer(lr=lr), steps=60)
            if not np.isfinite(trace.loss[-1]):
                assert not np.isfinite(plane.loss[i, j])
                assert plane.outcomes[i, j] == "diverged"
                continue
            size = max(1.0, float(np.abs(trace.points).max()), float(np.abs(trace.loss).max()))
            assert abs(trace.loss[-1] - plane.loss[i, j]) <= 1e-10 * size
            assert np.abs(trace.points[-1] - plane["point"][i, j]).max() <= 1e-10 * size
            assert plane["first_loss"][i, j] == trace.loss[0]
            assert abs(plane["best_loss"][i, j] - trace.best) <= 1e-10 * size


def test_a_user_function_on_a_tree_with_a_rate_for_each_array():
    def loss(p):
        return ((p["a"] - 1) ** 2).sum() + 3 * (p["b"] ** 2).sum()

    start = {"a": np.zeros(3), "b": np.ones((2, 2))}
    plane = ds.plane(loss, start, ds.momentum(momentum=0.5), steps=30, dtype="float64", lr_a=[0.1, 0.2], lr_b=[0.01, 0.05])
    for i, lr_a in enumerate((0.1, 0.2)):
        for j, lr_b in enumerate((0.01, 0.05)):
            a = ds.descend(lambda p: ((p - 1) ** 2).sum(), start["a"], ds.momentum(lr=lr_a, momentum=0.5), steps=30)
            b = ds.descend(lambda p: 3 * (p**2).sum(), start["b"], ds.momentum(lr=lr_b, momentum=0.5), steps=30)
            assert plane.loss[i, j] == pytest.approx(a.loss[-1] + b.loss[-1], rel=1e-12)


def test_the_chunk_does_not_change_a_bit():
    def made(memory):
        return ds.plane(
            "himmelblau", [0, 0], ds.adam(lr=0.1), steps=40, memory=memory, x=ds.linspace(-5, 5, 23), y=ds.linspace(-5, 5, 19)
        )

    small, large = made(4e3), made(256e6)
    for name in small.arrays:
        np.testing.assert_array_equal(small[name], large[name])


def test_momentum_diverges_exactly_above_its_predicted_limit():
    plane = ds.plane(
        "x² + 3y²", [4, 3], ds.momentum(), steps=4000, lr=ds.linspace(0.05, 1.2, 60), momentum=ds.linspace(0, 0.9, 10)
    )
    others, limits = plane.limit()
    np.testing.assert_allclose(limits, 2 * (1 + others) / 6, rtol=1e-6)
    for j, limit in enumerate(limits):
        lrs = plane.axes["lr"].values
        diverged = plane.outcomes[:, j] == "diverged"
        assert diverged[lrs > 1.01 * limit].all()
        assert not diverged[lrs < 0.99 * limit].any()


def test_a_run_that_swings_through_its_minimum_has_the_rate_of_its_envelope():
    """Momentum on a bowl against the roots of r² − (1 + β − lr·λ)r + β: also where the gradient passes 0 at a snapshot."""
    lrs, betas = ds.linspace(0.005, 0.7, 96), ds.linspace(0, 0.99, 96)
    plane = ds.plane("x**2 + 3*y**2", optimizer=ds.momentum(), start=[4, 3], steps=200, lr=lrs, momentum=betas)
    expected = np.zeros((96, 96))
    for curvature in (2.0, 6.0):
        middle = 1 + betas.values[None, :] - lrs.values[:, None] * curvature
        roots = [(middle + sign * np.sqrt(middle.astype(complex) ** 2 - 4 * betas.values[None, :])) / 2 for sign in (1, -1)]
        expected = np.fmax(expected, np.abs(roots).max(axis=0))
    stable = expected < 0.999
    wrong = np.abs(np.log(plane["rate"][stable] / expected[stable]))
    assert np.median(wrong) < 0.005
    assert np.quantile(wrong, 0.95) < 0.1
    assert np.all(plane["rate"][stable] < 1)


def test_measured_rate_is_the_spectral_radius():
    plane = ds.plane("x² + 3y²", [4, 3], ds.sgd(), steps=400, dtype="float64", tol=1e-30, lr=[0.02, 0.05, 0.32])
    expected = np.maximum(np.abs(1 - 2 * plane.axes["lr"].values), np.abs(1 - 6 * plane.axes["lr"].values))
    np.testing.assert_allclose(plane["rate"], expected, rtol=1e-3)


def test_steps_to_a_tolerance_and_outcomes_agree_with_single_descents():
    lrs = np.array([0.001, 0.05, 0.25, 0.3, 0.4])
    plane = ds.plane("ellipse", [4, 3], ds.sgd(), steps=300, dtype="float64", tol=1e-6, lr=lrs)
    for i, lr in enumerate(lrs):
        trace = ds.descend("ellipse", [4, 3], ds.sgd(lr=lr), steps=300)
        reached = np.flatnonzero(trace.loss <= 1e-6 * trace.loss[0])
        assert plane["steps_to"][i] == (reached[0] if len(reached) else -1)
        assert plane.outcomes[i] == trace.outcome.kind


def test_the_grid_is_filled_coarsely_first_and_can_be_stopped():
    seen = []

    def look(partial):
        seen.append(partial["outcome"].copy())
        return len(seen) < 2

    plane = ds.plane(
        "rosenbrock",
        [-1.2, 1],
        ds.adam(),
        steps=3000,
        memory=1e5,
        callback=look,
        lr=ds.logspace(1e-4, 1, 128),
        beta1=ds.linspace(0, 0.9, 128),
    )
    assert 0 < plane.done < 1
    assert (seen[0][::16, ::16] >= 0).mean() >= (seen[0] >= 0).mean()
    assert set(np.unique(plane.outcomes)) <= {*OUTCOMES, ""}


def test_labels_slices_best_and_files(tmp_path):
    plane = ds.plane("rosenbrock", [-1.2, 1], ds.adam(), steps=200, lr=ds.logspace(1e-3, 0.5, 12), beta1=ds.linspace(0, 0.9, 5))
    assert plane.shape == (12, 5)
    assert list(plane.axes) == ["lr", "beta1"]
    best = plane.best()
    i = int(np.argmin(np.abs(plane.axes["lr"].values - best["lr"])))
    j = int(np.argmin(np.abs(plane.axes["beta1"].values - best["beta1"])))
    assert best["loss"] == plane.loss[i, j] == np.nanmin(plane.loss)
    line = plane.slice(beta1=best["beta1"])
    assert list(line.axes) == ["lr"]
    assert line.best()["loss"] == best["loss"]
    assert line.config["fixed"] == {"beta1": best["beta1"]}
    plane.save(tmp_path / "p.npz")
    again = ds.Plane.load(tmp_path / "p.npz")
    assert again.config == plane.config
    assert again.axes["lr"].scale == "log"
    for name in plane.arrays:
        np.testing.assert_array_equal(again[name], plane[name])
    (tmp_path / "junk.npz").write_bytes(b"junk")
    with pytest.raises(DescendError, match="not a plane saved by descend"):
        ds.Plane.load(tmp_path / "junk.npz")


def test_precision_follows_the_grid():
    assert precision(None, {"lr": ds.linspace(0.1, 0.2, 64)}) == np.float32
    assert precision(None, {"lr": ds.linspace(0.1, 0.1 + 1e-8, 64)}) == np.float64
    deep = ds.plane("rosenbrock", [-1.2, 1], ds.sgd(), steps=20, lr=ds.linspace(1e-3, 1e-3 + 1e-12, 4))
    assert deep.config["dtype"] == "float64"
    assert len(np.unique(deep.loss)) == 4


def test_the_trainability_network_has_two_rates_and_a_boundary():
    plane = ds.plane("trainability", None, ds.sgd(), steps=30, lr_w0=ds.logspace(1, 1e5, 4), lr_w1=ds.logspace(1, 1e5, 4))
    kinds = set(np.unique(plane.outcomes))
    assert "diverged" in kinds
    assert kinds != {"diverged"}
    single = ds.descend(ds.trainability(), ds.trainability().start, ds.sgd(lr=1.0), steps=30)
    assert plane.loss[0, 0] == pytest.approx(single.loss[-1], rel=1e-4)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({}, "at least one axis"),
        ({"lrr": [0.1]}, "neither a hyperparameter of sgd"),
        ({"lr": [0.1, -1.0]}, "must be above 0"),
        ({"lr": []}, "list of finite numbers"),
        ({"lr": [np.nan]}, "list of finite numbers"),
    ],
)
def test_axes_that_cannot_work_are_one_sentence(axes, message):
    with pytest.raises(DescendError, match=message):
        ds.plane("x**2", [1.0], **axes)


def test_other_input_that_cannot_work():
    with pytest.raises(DescendError, match="two positive numbers"):
        ds.logspace(0, 1)
    with pytest.raises(DescendError, match="at least 1"):
        ds.plane("x**2", [1.0], steps=0, lr=[0.1])
    with pytest.raises(DescendError, match="holds hyperparameters still"):
        ds.plane("x**2", [1.0], ds.adam(lr=ds.cosine(0.1, 10)), beta1=[0.1])
    with pytest.raises(DescendError, match="structure"):
        ds.plane("x**2", [1.0], ds.rmsprop(), centered=[0.0, 1.0])
    with pytest.raises(DescendError, match="works on matrices alone"):
        ds.plane("x**2 + y**2", [1.0, 1.0], ds.muon(), lr=[0.1])
    with pytest.raises(DescendError, match="2 numbers"):
        ds.plane("x**2", [1.0, 2.0], lr=[0.1])
    with pytest.raises(DescendError, match="float32"):
        ds.plane("x**2", [1.0], dtype="int8", lr=[0.1])


@pytest.mark.parametrize(("formula", "lr", "rate"), [("x**2 - 5", 0.001, 0.998), ("x**2 + 5", 0.1, 0.8), ("x**2", 0.1, 0.8)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rate_does_not_depend_on_the_minimum(formula, lr, rate, dtype):
    plane = ds.plane(formula, [3.0], ds.sgd(), steps=500, dtype=dtype, lr=[lr])
    assert plane["rate"][0] == pytest.approx(rate, abs=2e-4)


def test_the_rate_is_measured_above_rounding():
    plane = ds.plane("(x - 1)**2 + 3*(y + 2)**2", [4, 3], ds.sgd(), steps=2000, dtype="float64", lr=[0.01, 0.1, 0.25, 0.3, 0.4])
    lr = plane.axes["lr"].values
    expected = np.maximum(np.abs(1 - 2 * lr), np.abs(1 - 6 * lr))
    np.testing.assert_allclose(plane["rate"], expected, rtol=1e-2)


def test_without_a_known_minimum_no_step_is_the_solution():
    for formula, start in (("x**2 - 5", [3.0]), ("saddle", None), ("cubic", None)):
        plane = ds.plane(formula, start, ds.sgd(), steps=300, lr=ds.logspace(1e-3, 1, 8))
        assert (plane["steps_to"] == -1).all()
        with pytest.raises(DescendError, match="colour by rate or loss"):
            plane.plot(by="steps")


def test_a_fall_without_end_is_divergence_and_nobodys_best():
    plane = ds.plane("saddle", None, ds.sgd(), steps=200, lr=ds.logspace(1e-3, 1, 16))
    assert set(plane.outcomes[plane.loss < -1e7]) == {"diverged"}
    assert plane.best()["outcome"] != "diverged"
    below = ds.plane("mccormick", None, ds.sgd(), steps=500, lr=ds.logspace(1e-2, 2, 16))
    assert (below["steps_to"][below["best_loss"] < -2.0] == -1).all()


SURFACES = [
    ("rosenbrock", None), ("himmelblau", None), ("goldstein_price", None), ("saddle", None), ("cubic", None), ("kink", None),
    ("pathological", None), ("double_well", None), ("x**2 - 5", [3.0]), ("x**2 + 3*y**2 + 5", [4.0, 3.0]),
    ("x - log(x)", [3.0]), ("x**4 - y", [1.0, 1.0]), ("saddle", [2.0, 0.0]),
]  # fmt: skip


def test_outcomes_agree_with_single_descents():
    """Saddles apart (verdicts.DIFFERENCES), at least 95% of the words are the same."""
    same, different, saddles = 0, [], 0
    lrs = np.array([1e-4, 3e-3, 0.05, 0.3, 0.9, 1.7])
    for formula, start in SURFACES:
        for optimizer in (ds.sgd, ds.momentum, ds.adam):
            plane = ds.plane(formula, start, optimizer(), steps=300, dtype="float64", lr=lrs)
            for i, lr in enumerate(lrs):
                single = ds.descend(formula, start, optimizer(lr=float(lr)), steps=300).outcome
                if "saddle" in single.message:
                    saddles += 1
                    assert plane.outcomes[i] == "converged"
                elif single.kind == plane.outcomes[i]:
                    same += 1
                else:
                    different.append((formula, optimizer().name, float(lr), single.kind, str(plane.outcomes[i])))
    print(f"{same} agree, {saddles} saddles, {len(different)} differ: {different}")
    assert saddles >= 3
    assert same + len(different) >= 200
    assert same >= 0.95 * (same + len(different)), different


def test_maximising_is_judged_as_climbing():
    plane = ds.plane("5 - x**2", [3.0], ds.sgd(maximize=True), steps=300, dtype="float64", lr=[0.001, 0.1, 1.5])
    singles = [ds.descend("5 - x**2", [3.0], ds.sgd(lr=lr, maximize=True), steps=300).outcome.kind for lr in (0.001, 0.1, 1.5)]
    assert plane.outcomes.tolist() == singles == ["step_budget", "converged", "diverged"]


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 7, 8])
def test_few_steps_are_judged_alike(steps):
    lrs = [0.01, 0.25, 0.5, 1.5]
    plane = ds.plane("x**2 + 3*y**2", [4, 3], ds.sgd(), steps=steps, dtype="float64", lr=lrs)
    singles = [ds.descend("x**2 + 3*y**2", [4, 3], ds.sgd(lr=lr), steps=steps).outcome.kind for lr in lrs]
    assert plane.outcomes.tolist() == singles
    assert verdicts.marks(steps)[-1] == steps


def test_the_limit_is_that_of_the_objective_itself(tmp_path):
    def bowl(x, y):  # the name of a built-in surface with another curvature
        return 5 * x**2 + 5 * y**2

    plane = ds.plane(bowl, [1.0, 1.0], ds.momentum(), steps=20, lr=ds.linspace(0.01, 1, 8), momentum=ds.linspace(0, 0.9, 4))
    others, limits = plane.limit()
    np.testing.assert_allclose(limits, 2 * (1 + others) / 10, rtol=1e-6)
    plane.save(tmp_path / "p.npz")
    again = ds.Plane.load(tmp_path / "p.npz")
    np.testing.assert_array_equal(again.limit()[1], limits)
    line = again.slice(momentum=0.3)
    np.testing.assert_allclose(line.limit()[1], plane.slice(momentum=0.3).limit()[1], rtol=1e-9)
    assert again.slice(lr=0.1).limit() is None
    ds.plane(bowl, [1.0, 1.0], ds.adam(), steps=5, lr=[0.1]).save(tmp_path / "q.npz")
    assert ds.Plane.load(tmp_path / "q.npz").limit() is None


def test_a_point_is_marked_done_last():
    class Killed(np.ndarray):
        def __setitem__(self, key, value):
            raise KeyboardInterrupt

    class Fragile(Store):
        def __init__(self, column):
            self.column = column

        def arrays(self, job):
            made = job.empty()
            made[self.column] = made[self.column].view(Killed)
            return made

    for column in ("first_loss", "loss", "best_loss", "steps_to", "rate", "point"):
        plane = ds.plane("rosenbrock", None, ds.sgd(), steps=5, store=Fragile(column), lr=[1e-4, 1e-3])
        assert plane.done == 0, column


def test_compiled_programs_are_found_by_the_text_of_the_trace():
    job = Job(ds.objective("rosenbrock"), None, ds.sgd(), 10, 1e-6, np.dtype("float32"), 1e6, {"lr": ds.logspace(1e-3, 1, 3)})
    found = program(job)
    assert program(job) is found
    job.traced = dataclasses.replace(job.traced, text=job.traced.text + "another constant")
    assert program(job) is not found


MEMORY = """
import json, resource, sys
import numpy as np
import descend as ds

def made(n):
    lr, momentum = ds.logspace(1e-3, 1, n), ds.linspace(0, 0.9, n)
    memory = float(sys.argv[1])
    return ds.plane(lambda p: (p**2).sum(), np.ones(256), ds.momentum(), steps=2, memory=memory, lr=lr, momentum=momentum)

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

made(2)  # a chunk is padded: the program and its memory are the same
before = peak()
plane = made(512)
print(json.dumps([peak() - before, sum(a.nbytes for a in plane.arrays.values())]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory in kilobytes, as Linux tells it")
@pytest.mark.parametrize("memory", [1e6, 64e6])
def test_memory_is_bounded_by_the_setting_and_the_results(memory):
    """512 × 512 descents of 256 numbers: all at once they would take 800 MB for the parameters and slots alone."""
    told = subprocess.run([sys.executable, "-c", MEMORY, str(memory)], capture_output=True, text=True, check=True).stdout
    grown, results = json.loads(told)
    assert grown <= 2 * results + memory + 24e6, (grown, results)
