"""Recipes for other people's models: each makes a landscape of one and leaves the model alone.

Copy the function you need. All three hand over plain functions of one flat vector, as
`Landscape.from_callables` wants them, and evaluate the model on parameters of their own.
"""

import copy

import numpy as np
import pytest

import tinygrad_landscape as tl


def of_scikit_learn(model, x, y):
    """The log loss of a fitted `MLPClassifier` as a landscape, and where it stands now.

    Scikit-learn offers no gradient to the outside; central differences stand in for it.
    """
    from sklearn.metrics import log_loss

    model = copy.deepcopy(model)
    arrays = [*model.coefs_, *model.intercepts_]
    theta = np.concatenate([a.ravel() for a in arrays])

    def value(theta):
        ends = np.cumsum([a.size for a in arrays])
        for array, part in zip(arrays, np.split(theta, ends[:-1]), strict=True):
            array[...] = part.reshape(array.shape)
        return log_loss(y, model.predict_proba(x))

    return tl.Landscape.from_callables(value, size=theta.size), theta


def of_torch(module, loss, x, y):
    """The loss of a PyTorch module as a landscape, with exact curvature, and where it stands
    now."""
    import torch
    from torch.func import functional_call, grad, jvp

    named = {name: p.detach() for name, p in module.named_parameters()}
    theta = torch.cat([p.reshape(-1) for p in named.values()])

    def objective(theta):
        parts = torch.split(theta, [p.numel() for p in named.values()])
        own = {n: part.reshape(p.shape) for (n, p), part in zip(named.items(), parts, strict=True)}
        return loss(functional_call(module, own, (x,)), y)

    def tensor(v):
        return torch.as_tensor(v, dtype=theta.dtype)

    slope = grad(objective)
    landscape = tl.Landscape.from_callables(
        lambda t: objective(tensor(t)).item(),
        lambda t: slope(tensor(t)).numpy(),
        lambda t, v: jvp(slope, (tensor(t),), (tensor(v),))[1].numpy(),
        size=theta.numel(),
    )
    return landscape, theta.numpy().copy()


def of_jax(loss, parameters):
    """A JAX loss of a tree of parameters as a landscape, with exact curvature, and where it
    stands."""
    import jax
    from jax.flatten_util import ravel_pytree

    theta, tree = ravel_pytree(parameters)

    def objective(theta):
        return loss(tree(theta))

    slope = jax.grad(objective)
    landscape = tl.Landscape.from_callables(
        jax.jit(objective),
        jax.jit(slope),
        jax.jit(lambda t, v: jax.jvp(slope, (t,), (v,))[1]),
        size=theta.size,
    )
    return landscape, np.array(theta)


@pytest.fixture(scope="module")
def moons():
    return tl.data.moons(40, noise=0.2, seed=0)


def surveyed(L, theta):
    """What every recipe must allow: a surface with an exact centre, and the top of the spectrum."""
    plane = tl.Plane.random(theta, seed=0)
    surface = tl.survey(L, plane, extent=0.1, resolution=5)
    assert surface.loss[2, 2] == L(theta)
    if L.exact_curvature:  # else 2P differences each, in somebody else's time
        values, (v,) = tl.curvature.top_eigenpairs(L, theta)
        assert L.hessian_vector(theta, v) == pytest.approx(values[0] * v, abs=1e-3)


def failing(function, calls):
    """The same function, until it has been called so many times."""
    count = iter(range(calls))

    def call(*args, **options):
        if next(count, None) is None:
            raise RuntimeError("half-way")
        return function(*args, **options)

    return call


def test_scikit_learn(moons, monkeypatch):
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    x, y = moons
    model = MLPClassifier((2,), activation="tanh", solver="lbfgs", random_state=0).fit(x, y)
    before = [a.copy() for a in (*model.coefs_, *model.intercepts_)]
    L, theta = of_scikit_learn(model, x, y)
    assert L(theta) == pytest.approx(log_loss(y, model.predict_proba(x)))
    surveyed(L, theta)
    assert not L.exact_curvature
    with monkeypatch.context() as patch:
        patch.setattr(MLPClassifier, "predict_proba", failing(MLPClassifier.predict_proba, 7))
        with pytest.raises(RuntimeError, match="half-way"):
            tl.survey(L, tl.Plane.random(theta, seed=0), resolution=5)
    after = [*model.coefs_, *model.intercepts_]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    net = tl.Network(tl.Linear(2, 2), tl.Tanh(), tl.Linear(2, 1))
    own = np.concatenate([a.ravel() for a in (before[0], before[2], before[1], before[3])])
    ours = tl.Landscape(net, tl.losses.binary_cross_entropy, moons)
    assert ours(own) == pytest.approx(L(theta), rel=1e-9)


def test_torch(moons):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x, y = (torch.tensor(a, dtype=torch.float64) for a in moons)
    layers = torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    module = torch.nn.Sequential(*layers).double()
    before = [p.detach().numpy().copy() for p in module.parameters()]
    L, theta = of_torch(module, torch.nn.BCEWithLogitsLoss(), x, y[:, None])
    surveyed(L, theta)
    assert L.exact_curvature
    with pytest.raises(ValueError, match="theta"):
        L(theta[:-1])
    for calls in (6, 7):  # a height fails, a slope fails
        loss = failing(torch.nn.BCEWithLogitsLoss(), calls)
        broken, _ = of_torch(module, loss, x, y[:, None])
        with pytest.raises(RuntimeError, match="half-way"):
            tl.descend(broken, theta, tl.optim.SGD(lr=0.1), 20)
    after = [p.detach().numpy() for p in module.parameters()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    net = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
    ours = tl.Landscape(net, tl.losses.binary_cross_entropy, moons)
    own = np.concatenate([before[0].T.ravel(), before[1], before[2].T.ravel(), before[3]])
    assert ours(own) == pytest.approx(L(theta), rel=1e-9)


def test_jax(moons):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x, y = moons
    net = tl.Network(tl.Linear(2, 4), tl.Tanh(), tl.Linear(4, 1))
    parameters = net.unpack(net.init(seed=0))
    before = copy.deepcopy(parameters)

    def loss(p):
        hidden = jax.numpy.tanh(x @ p["0.weight"] + p["0.bias"])
        z = (hidden @ p["2.weight"] + p["2.bias"])[:, 0]
        return jax.numpy.mean(jax.nn.softplus(z) - z * y)

    L, theta = of_jax(loss, parameters)
    surveyed(L, theta)
    broken, _ = of_jax(failing(loss, 1), parameters)  # called again when the slope is traced
    with pytest.raises(RuntimeError, match="half-way"):
        tl.descend(broken, theta, tl.optim.SGD(lr=0.1), 20)
    assert all(np.array_equal(before[name], parameters[name]) for name in before)
    ours = tl.Landscape(net, tl.losses.binary_cross_entropy, moons)
    assert ours(net.init(seed=0)) == pytest.approx(L(theta), rel=1e-9)
