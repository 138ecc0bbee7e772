"""Hand-written digits are learned: the whole floor together, on real data."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine import Tensor, gradients

NETS = {
    "mlp": tl.Network(tl.Linear(64, 64), tl.ReLU(), tl.Linear(64, 10)),
    "convolutional": tl.Network(
        tl.Conv2d(1, 8, 3, padding=1),
        tl.ReLU(),
        tl.MaxPool2d(2),
        tl.Conv2d(8, 16, 3, padding=1),
        tl.ReLU(),
        tl.MaxPool2d(2),
        tl.Flatten(),
        tl.Linear(64, 10),
        input=(1, 8, 8),
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_digits_are_learned_to_96_percent(name):
    """Adam, written here in four lines, so that this floor is judged without the next."""
    net = NETS[name]
    train, test = tl.data.digits(image=name != "mlp").split(0.8, seed=0)
    x, y = train.x.astype(np.float32), train.y
    theta = net.init(seed=0, scheme="he_normal", dtype=np.float32)
    m = v = np.zeros_like(theta)
    rng, k = np.random.default_rng(0), 0
    for _ in range(20):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 64):
            leaf, k = Tensor(theta), k + 1
            (g,) = gradients(tl.losses.cross_entropy(net(leaf, x[batch]), y[batch]), [leaf])
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            theta = theta - 0.003 * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    assert theta.dtype == np.float32
    accuracy = (net(theta, test.x).argmax(-1) == test.y).mean()
    assert accuracy >= 0.96
