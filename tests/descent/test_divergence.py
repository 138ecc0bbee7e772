"""A walker that falls off is flagged and frozen, without a warning, and the others go on."""

import math
import warnings

import numpy as np
import pytest

import tinygrad_landscape as tl

SGD = tl.optim.SGD
BOWL = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))


def test_a_diverging_walker_is_frozen_and_the_others_go_on():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        walk = tl.descend(BOWL, [1.0, 1.0], SGD(lr=[0.5, 5.0, 0.1]), steps=60)
    assert walk.diverged.tolist() == [False, True, False]
    at = walk.diverged_at[1]
    assert walk.diverged_at.tolist() == [-1, at, -1]
    # each step multiplies by -4, the loss by 16; it first exceeds 1e6 * (1 + 1) here
    assert 16.0 ** (at - 1) <= 2e6 < 16.0**at
    assert np.isfinite(walk.points).all()
    assert np.isfinite(walk.losses[:at, 1]).all() and np.isnan(walk.losses[at:, 1]).all()
    assert np.isnan(walk.gradient_norms[at:, 1]).all() and np.isnan(walk.batch_losses[at:, 1]).all()
    assert (walk.points[at:, 1] == walk.points[at - 1, 1]).all()
    alone = tl.descend(BOWL, [1.0, 1.0], SGD(0.1), steps=60)
    np.testing.assert_array_equal(walk.points[:, 2], alone.points)


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("batch", [None, 8])
def test_a_single_walker_that_diverges_fills_the_record(every, batch):
    line = tl.Landscape(
        tl.Network(tl.Linear(1, 1)), tl.losses.mean_squared_error, tl.data.line(20, seed=0)
    )
    walk = tl.descend(line, [0.0, 0.0], SGD(1e3), 40, batch_size=batch, record_every=every)
    assert walk.diverged.shape == () and bool(walk.diverged)
    assert walk.steps[-1] == 40 and walk.batch_losses.shape == (40,)
    after = walk.steps >= walk.diverged_at
    assert np.isnan(walk.losses[after]).all() and np.isfinite(walk.losses[~after]).all()
    assert (walk.points[after] == walk.end).all() and np.isfinite(walk.points).all()
    assert "diverged at step" in walk.describe()


@pytest.mark.parametrize(
    ("f", "start"),
    [
        (lambda p: p[..., 0] / p[..., 1], [1.0, 0.0]),  # infinite at once
        (lambda p: np.sqrt(p.sum(-1)), [0.5, 0.5]),  # NaN after a step too far
        (lambda p: -np.exp(p.sum(-1)), [1.0, 1.0]),  # to minus infinity
        (lambda p: np.exp(500 * p.sum(-1)), [1.0, 0.5]),  # overflows
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whatever_is_not_finite_is_divergence_without_a_warning(f, start, dtype):
    L = tl.Landscape.from_function(f)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        walk = tl.descend(L, np.array(start, dtype), SGD(3.0), steps=30)
    assert walk.diverged and np.isfinite(walk.points).all()
    assert np.isnan(walk.losses[-1])


def test_a_start_at_infinity_diverges_at_once():
    L = tl.Landscape.from_function(lambda p: 1.0 / np.abs(p).sum(-1))
    walk = tl.descend(L, [0.0, 0.0], SGD(0.1), steps=3)
    assert walk.diverged_at == 0 and np.isnan(walk.losses).all()
    np.testing.assert_array_equal(walk.points, np.zeros((4, 2)))
    np.testing.assert_array_equal(walk.best, [0.0, 0.0])


def test_a_point_that_overflows_while_the_loss_stays_finite_is_caught():
    L = tl.Landscape.from_function(lambda p: np.tanh(p).sum(-1))
    walk = tl.descend(L, [0.0, 1.0], SGD(1e308, clip_norm=math.inf), steps=2)
    far = tl.descend(L, [0.0, 1.0], tl.optim.Custom(lambda t, g, s, lr: (t * 1e308, s)), steps=3)
    assert not walk.diverged and np.isfinite(walk.points).all()
    assert far.diverged_at == 2 and np.isfinite(far.points).all()


def test_a_float32_gradient_whose_square_overflows_is_measured():
    L = tl.Landscape.from_function(lambda p: 1e25 * p.sum(-1))
    walk = tl.descend(L, np.ones(2, np.float32), SGD(1e-28), steps=1)
    assert not walk.diverged
    assert walk.gradient_norms[0] == pytest.approx(1e25 * math.sqrt(2), rel=1e-6)
