"""Names of columns and the roles they claim."""

from __future__ import annotations

import pytest

from descend.logs.roles import assign, axis_rank, guess

TABLE = {
    "loss": """
        loss train_loss train/loss Loss/train training_loss train.loss trainLoss epoch_loss train/epoch_loss lm_loss
        objective cost loss/total train/total_loss cross_entropy nll_loss train_cross_entropy mse running_loss avg_loss
        losses/train metrics/train/loss generator/loss train_loss_epoch train_loss_step loss_step batch_loss tr_loss
    """,
    "val_loss": """
        val_loss valid_loss validation_loss eval_loss eval/loss val/loss Loss/val Loss/test test_loss dev_loss
        val_loss_epoch epoch_val_loss valLoss validation/epoch_loss evaluation_loss_vs_iterations eval/lm_loss
        nested/val_loss val/cross_entropy
    """,
    "accuracy": """
        accuracy acc train_acc train/accuracy train_accuracy top1 Acc@1 binary_accuracy sparse_categorical_accuracy
        Accuracy/train epoch_accuracy train/acc1
    """,
    "val_accuracy": """
        val_accuracy val_acc eval_accuracy test_acc Accuracy/test val/top1 valid_accuracy val/acc
    """,
    "lr": """
        lr learning_rate train/learning_rate lr-Adam lr-SGD/pg1 optimizer/lr lr_0 lr/group0 learningRate LR opt/lr
    """,
    "grad_norm": """
        grad_norm train/grad_norm gradient_norm gnorm gradnorm grad-norm total_grad_norm global_grad_norm
        grad_2.0_norm_total grad_norm_total grad/norm gradNorm
    """,
    "update_norm": """
        update_norm update/norm
    """,
    "param_norm": """
        param_norm weight_norm params_norm
    """,
    "epoch": """
        epoch train/epoch current_epoch epochs Epoch
    """,
    "grad_norm/layer1.weight": """
        grad_norm/layer1.weight grad_2.0_norm/layer1.weight train/grad_norm/layer1.weight
    """,
}
NEITHER = (
    "eval_runtime train_samples_per_second time mfu gpu_memory loss_scale perplexity weight_decay momentum num_tokens text f1 "
)
NEITHER += "eval_steps_per_second val_lr tokens/s layer1/grad_norm best clip"


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in TABLE.items() for name in names.split()])
def test_recognised(role: str, name: str) -> None:
    claim = guess(name)
    assert claim is not None
    assert claim.role == role


@pytest.mark.parametrize("name", NEITHER.split())
def test_not_mistaken(name: str) -> None:
    assert guess(name) is None


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        ({"loss": 9, "train_loss": 1}, {"loss": "loss"}),  # a summary value never beats a curve
        ({"train_loss": 1, "avg_loss": 9}, {"loss": "avg_loss"}),
        ({"test_loss": 9, "val_loss": 9}, {"val_loss": "val_loss"}),
        ({"loss_step": 9}, {"loss": "loss_step"}),
        ({"loss_step": 9, "loss_epoch": 3}, {"loss": "loss_epoch", "batch_loss": "loss_step"}),
        ({"loss": 3, "batch_loss": 9}, {"loss": "loss", "batch_loss": "batch_loss"}),
        ({"mse": 9, "loss": 9}, {"loss": "loss"}),
        ({"lr-AdamW/pg2": 9, "lr-AdamW": 9}, {"lr": "lr-AdamW"}),
        ({"train loss": 3, "loss": 9}, {"loss": "loss"}),  # of equals the one with more points
    ],
)
def test_of_several_claims_one_wins(names: dict[str, int], roles: dict[str, str]) -> None:
    assert assign(names) == roles


def test_a_wish_comes_first() -> None:
    assert assign({"loss": 9, "foo": 9}, {"loss": "foo"}) == {"loss": "foo"}


@pytest.mark.parametrize(
    "name", ["step", "global_step", "trainer/global_step", "_step", "iteration", "iter", "training_iteration", "Step"]
)
def test_step_counters(name: str) -> None:
    assert axis_rank(name) is not None


@pytest.mark.parametrize("name", ["loss", "steps_per_second", "epoch", "time", "batch_size"])
def test_no_step_counters(name: str) -> None:
    assert axis_rank(name) is None
