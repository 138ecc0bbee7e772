"""Early stopping and averaging against the same done by hand on the finished walk."""

import numpy as np
import pytest

import tinygrad_landscape as tl

SGD = tl.optim.SGD
NET = tl.Network(tl.Linear(2, 6), tl.Tanh(), tl.Linear(6, 1))
TRAIN = tl.Landscape(NET, tl.losses.binary_cross_entropy, tl.data.moons(40, noise=0.3, seed=0))
VALID = TRAIN.on(tl.data.moons(40, noise=0.3, seed=1))
START = NET.init(seed=0)
EarlyStopping, Average = tl.callbacks.EarlyStopping, tl.callbacks.Average


@pytest.mark.parametrize("patience", [1, 3, 20])
@pytest.mark.parametrize("every", [1, 2])
def test_early_stopping_watches_the_validation_loss(patience, every):
    whole = tl.descend(TRAIN, START, SGD(3.0, momentum=0.9), steps=300)
    losses = VALID(whole.points)[::every]
    best, waited, wanted = 0, 0, None
    for k in range(1, len(losses)):  # the rule, once more, in words
        if losses[k] < losses[best]:
            best, waited = k, 0
        else:
            waited += 1
        if waited == patience:
            wanted = k
            break
    assert wanted is not None  # these runs do overfit
    stop = EarlyStopping(VALID, patience=patience, every=every)
    walk = tl.descend(TRAIN, START, SGD(3.0, momentum=0.9), steps=300, callbacks=[stop])
    assert walk.steps[-1] == wanted * every and walk.ended == "ended by EarlyStopping"
    assert int(stop.step) == best * every and stop.loss == losses[best]
    np.testing.assert_array_equal(stop.point, whole.points[best * every])


def test_early_stopping_keeps_the_best_of_each_walker():
    bowl = tl.Landscape.from_function(lambda p: 0.5 * (p * p).sum(-1))
    stop = EarlyStopping(patience=2, min_delta=1e-2)
    walk = tl.descend(bowl, [1.0, 0.0], SGD([0.5, 0.1, 5.0]), steps=500, callbacks=[stop])
    assert walk.diverged.tolist() == [False, False, True]
    # the losses are (1 - lr)^(2t) / 2; two steps from 13 still gain 0.0111, from 15 only 0.0073
    assert stop.step.tolist() == [3, 15, 0]
    np.testing.assert_allclose(stop.point[:, 0], [0.5**3, 0.9**15, 1.0])
    assert walk.steps[-1] == 17


def test_callbacks_start_afresh_with_every_walk():
    stop, mean = EarlyStopping(VALID, patience=3), Average()
    first = tl.descend(TRAIN, START, SGD(3.0), steps=100, callbacks=[stop, mean])
    kept = stop.point.copy(), int(stop.step), mean.point.copy(), mean.count
    second = tl.descend(TRAIN, START, SGD(3.0), steps=100, callbacks=[stop, mean])
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(kept[0], stop.point)
    np.testing.assert_array_equal(kept[2], mean.point)
    assert (kept[1], kept[3]) == (int(stop.step), mean.count)


@pytest.mark.parametrize(("start", "every"), [(0, 1), (5, 1), (4, 3), (20, 1)])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_average_is_the_mean_of_the_points(start, every, lead):
    mean = Average(start, every)
    theta = np.broadcast_to(START, (*lead, NET.size))
    walk = tl.descend(
        TRAIN, theta, SGD(1.0), steps=20, batch_size=8, record_every=7, callbacks=[mean]
    )
    points = tl.descend(TRAIN, theta, SGD(1.0), steps=20, batch_size=8).points[start::every]
    np.testing.assert_allclose(mean.point, points.mean(axis=0), atol=1e-14)
    assert mean.count == len(points) and walk.ended == "finished"


def test_average_with_decay_is_exponential():
    mean = Average(decay=0.8)
    walk = tl.descend(TRAIN, START, SGD(1.0), steps=10, callbacks=[mean])
    wanted = walk.points[0]
    for point in walk.points[1:]:
        wanted = 0.8 * wanted + 0.2 * point
    np.testing.assert_allclose(mean.point, wanted, atol=1e-14)


def test_averaging_keeps_float32():
    mean = Average()
    tl.descend(TRAIN, START.astype(np.float32), SGD(1.0), steps=3, callbacks=[mean])
    assert mean.point.dtype == np.float32


def test_averaging_removes_the_noise_of_minibatches():
    """Polyak and Juditsky 1992: on least squares the average lies lower than the walk itself."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = x @ [[1.0], [-2.0], [0.5]] + rng.normal(size=(200, 1))
    L = tl.Landscape(tl.Network(tl.Linear(3, 1)), tl.losses.half_squared_error, (x, y))
    exact, *_ = np.linalg.lstsq(np.c_[x, np.ones(200)], y, rcond=None)
    floor = L(exact[:, 0])
    mean = Average(start=500)
    walk = tl.descend(L, np.zeros(4), SGD(0.1), 3000, batch_size=4, callbacks=[mean])
    assert L(mean.point) - floor < 0.1 * np.median(walk.losses[500:] - floor)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping(patience=0),
        lambda: EarlyStopping(min_delta=-1.0),
        lambda: EarlyStopping(every=0),
        lambda: Average(start=-1),
        lambda: Average(every=0),
        lambda: Average(decay=1.0),
    ],
)
def test_nonsense_is_refused(make):
    with pytest.raises(tl.ParameterError, match="expected"):
        make()
