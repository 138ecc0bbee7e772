"""Seeds, minibatches and dropout masks: the same every time, and shared as promised."""

import numpy as np
import pytest

import tinygrad_landscape as tl

SGD, Adam = tl.optim.SGD, tl.optim.Adam
NET = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
DATA = tl.data.moons(30, seed=0)
MOONS = tl.Landscape(NET, tl.losses.binary_cross_entropy, DATA)
THETA = NET.init(seed=0)


@pytest.mark.parametrize("batch", [None, 8])
def test_the_same_seed_gives_the_same_bits(batch):
    a, b = (tl.descend(MOONS, THETA, Adam(0.1), 20, batch_size=batch, seed=5) for _ in range(2))
    for name in ("points", "losses", "gradient_norms", "batch_losses"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_another_seed_gives_other_batches():
    a, b = (tl.descend(MOONS, THETA, SGD(0.1), 5, batch_size=8, seed=s) for s in (0, 1))
    assert not np.array_equal(a.points, b.points)


def test_every_sample_is_seen_once_an_epoch():
    """With a step too small to move, an epoch's batch losses average to the full loss."""
    walk = tl.descend(MOONS, THETA, SGD(1e-300), steps=12, batch_size=5)
    for epoch in (walk.batch_losses[:6], walk.batch_losses[6:]):
        assert epoch.mean() == pytest.approx(MOONS(THETA), rel=1e-12)
    assert not np.array_equal(walk.batch_losses[:6], walk.batch_losses[6:])  # shuffled again


def test_a_short_batch_ends_an_epoch():
    """30 samples in batches of 8: three full ones and one of 6, weighted by their size."""
    walk = tl.descend(MOONS, THETA, SGD(1e-300), steps=4, batch_size=8)
    assert np.average(walk.batch_losses, weights=[8, 8, 8, 6]) == pytest.approx(MOONS(THETA))


def test_all_walkers_share_the_minibatch():
    theta = np.stack([THETA, THETA])
    walk = tl.descend(MOONS, theta, SGD(0.1), 5, batch_size=8)
    np.testing.assert_array_equal(walk.points[:, 0], walk.points[:, 1])
    alone = tl.descend(MOONS, THETA, SGD(0.1), 5, batch_size=8)
    np.testing.assert_allclose(walk.points[:, 0], alone.points, atol=1e-14)


def test_one_seed_per_walker():
    seeds = np.array([[3], [1], [3]])
    theta = NET.init(seed=0, count=2)
    walk = tl.descend(MOONS, theta, SGD(0.1), 7, batch_size=8, seed=seeds)
    assert walk.points.shape == (8, 3, 2, NET.size)
    for i, seed in enumerate(seeds[:, 0]):
        for k in range(2):
            alone = tl.descend(MOONS, theta[k], SGD(0.1), 7, batch_size=8, seed=int(seed))
            np.testing.assert_allclose(walk.points[:, i, k], alone.points, atol=1e-12)
            np.testing.assert_allclose(walk.batch_losses[:, i, k], alone.batch_losses, atol=1e-12)


DROP = tl.Network(tl.Linear(2, 8), tl.Tanh(), tl.Dropout(0.5), tl.Linear(8, 1))
DROPPED = tl.Landscape(DROP, tl.losses.binary_cross_entropy, DATA)


def test_dropout_acts_on_the_steps_and_not_on_the_record():
    theta = DROP.init(seed=0)
    walk = tl.descend(DROPPED, theta, SGD(1e-300), steps=20)
    assert (walk.losses == walk.losses[0]).all() and walk.losses[0] == DROPPED(theta)
    assert len(set(walk.batch_losses.tolist())) == 20
    again = tl.descend(DROPPED, theta, SGD(1e-300), steps=20)
    np.testing.assert_array_equal(walk.batch_losses, again.batch_losses)


def test_dropout_masks_are_shared_by_walkers_and_pieces(monkeypatch):
    monkeypatch.setattr("tinygrad_landscape.landscape.landscape.CACHE", 1)
    theta = np.tile(DROP.init(seed=0), (3, 1))
    pieces = tl.descend(DROPPED, theta, SGD(0.1), steps=5)
    alone = tl.descend(DROPPED, theta[0], SGD(0.1), steps=5)
    for k in range(3):
        np.testing.assert_array_equal(pieces.points[:, k], alone.points)


def test_sam_looks_twice_at_the_same_mask_and_batch():
    """With rho=0 the second look must be the first."""
    theta = DROP.init(seed=0)
    plain = tl.descend(DROPPED, theta, SGD(0.1), 5, batch_size=8)
    sam = tl.descend(DROPPED, theta, tl.optim.SAM(SGD(0.1), rho=0.0), 5, batch_size=8)
    np.testing.assert_array_equal(plain.points, sam.points)
