"""How sharp a minimum is: five measures of one word, which do not agree.

All ask how much the loss rises when the weights move a little; they differ in what "a little"
means, and so in what leaves them unchanged. A ReLU network has twins that compute the same function
with other weights (`relu_twin`): every measure that is not invariant to that rescaling calls one
twin flat and the other sharp.

| measure | a little means | unchanged under rescaling |
|---|---|---|
| `largest_eigenvalue` | infinitely little, worst direction | no |
| `epsilon` | a box, each side in proportion to its weight, plus epsilon | no, because of the plus |
| `sam` | a ball, one step up the gradient | no |
| `adaptive_sam` | an ellipsoid, each axis in proportion to its weight | yes, for eta = 0 |
| `random_perturbation` | Gaussian noise, on average | no |

The trace of the Hessian is `curvature.trace`; `random_perturbation` is sigma^2 / 2 times it for
small sigma.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..engine.errors import ParameterError
from .checks import vector
from .curvature import top_eigenpairs

if TYPE_CHECKING:
    from ..landscape import Landscape
    from ..network import Network

Array = NDArray[Any]


def largest_eigenvalue(landscape: "Landscape", theta: ArrayLike, tolerance: float = 1e-4) -> Any:
    """Return the largest eigenvalue of the Hessian at theta `(..., P)`, shape `(...)`.

    Plain gradient descent cannot settle where it exceeds 2 / lr. It changes when the weights are
    rescaled.

    >>> from tinygrad_landscape.landscape import formulas
    >>> round(float(largest_eigenvalue(formulas.sieve, formulas.sieve.minima[1])), 3)
    4.833
    """
    points = landscape.as_points(theta)
    values = [
        top_eigenpairs(landscape, p, tolerance=tolerance)[0][0]
        for p in points.reshape(-1, landscape.size)
    ]
    return np.array(values, points.dtype).reshape(points.shape[:-1])[()]


def epsilon(
    landscape: "Landscape",
    theta: ArrayLike,
    epsilon: float = 1e-3,
    starts: int = 8,
    steps: int = 20,
    seed: int = 0,
) -> float:
    """Return the epsilon-sharpness at theta `(P,)`, in percent: 100 * (max L - L) / (1 + L).

    The maximum is taken over the box |move_i| <= epsilon * (|theta_i| + 1), by climbing from the
    middle and from random corners, each step to the corner the gradient points to or half-way
    there. A lower bound: a box has 2^P corners.
    Source: Keskar et al. 2017, metric 2.1 with A = I (they used L-BFGS-B for 10 steps).

    >>> from tinygrad_landscape.landscape import formulas
    >>> round(epsilon(formulas.quadratic(100.0), [0.0, 0.0]), 6)  # 50 epsilon^2 (1 + 100)
    0.00505
    """
    theta = vector("theta", theta)
    _positive(epsilon=epsilon)
    box = epsilon * (np.abs(theta) + 1.0)
    corners = np.random.default_rng(seed).choice([-1.0, 1.0], (starts, theta.size))
    move = (box * np.concatenate([np.zeros((1, theta.size)), corners])).astype(theta.dtype)
    here = float(landscape(theta))
    highest = here
    for step in range(steps):
        height, gradient = landscape.value_and_gradient(theta + move)
        highest = max(highest, float(height.max()))
        move = move + (1.0 if step % 2 == 0 else 0.5) * (box * np.sign(gradient) - move)
    return 100.0 * (max(highest, float(landscape(theta + move).max())) - here) / (1.0 + here)


def sam(landscape: "Landscape", theta: ArrayLike, rho: float = 0.05) -> Any:
    """Return how much the loss rises at theta `(..., P)` after one step of length `rho` up the
    gradient, `(...)`.

    Exactly at a critical point there is no way up and it is 0. Source: Foret et al. 2021, equation
    2.

    >>> from tinygrad_landscape.landscape import formulas
    >>> round(float(sam(formulas.quadratic(100.0), [0.0, 1.0], rho=0.1)), 6)
    10.5
    """
    _positive(rho=rho)
    points = landscape.as_points(theta)
    height, gradient = landscape.value_and_gradient(points)
    return landscape(points + rho * _unit(gradient)) - height


def adaptive_sam(
    landscape: "Landscape", theta: ArrayLike, rho: float = 0.5, eta: float = 0.0
) -> Any:
    """Return how much the loss rises at theta `(..., P)` after the steepest move of adaptive length
    `rho`, `(...)`.

    Each weight's move is measured in units of T = |weight| + eta: move = rho * T^2 g / |T g|. With
    eta = 0 it does not change when a ReLU network is rescaled. Source: Kwon et al. 2021 (they use
    eta = .01, and T = 1 for biases).

    >>> from tinygrad_landscape.landscape import formulas
    >>> round(float(adaptive_sam(formulas.quadratic(100.0), [0.0, 1.0], rho=0.1)), 6)
    10.5
    """
    _positive(rho=rho)
    points = landscape.as_points(theta)
    height, gradient = landscape.value_and_gradient(points)
    scale = np.abs(points) + eta
    return landscape(points + rho * scale * _unit(scale * gradient)) - height


def random_perturbation(
    landscape: "Landscape",
    theta: ArrayLike,
    sigma: float = 0.01,
    samples: int = 100,
    seed: int = 0,
    memory: float = 512e6,
) -> tuple[float, float]:
    """Return the mean rise of the loss at theta `(P,)` under Gaussian noise of standard deviation
    `sigma` per weight, and its standard error.

    Noise is drawn in pairs +n, -n, so the slope cancels and the curvature stays: sigma^2 / 2 times
    the trace of the Hessian for small sigma.

    >>> from tinygrad_landscape.landscape import formulas
    >>> bowl = formulas.quadratic(100.0)
    >>> rise, error = random_perturbation(bowl, [0.3, 0.1], sigma=0.01, samples=2000)
    >>> abs(rise - 0.00505) < 3 * error
    True
    """
    _positive(sigma=sigma)
    theta = vector("theta", theta)
    if samples < 2:
        raise ParameterError(f"got samples={samples}; a standard error needs at least 2")
    rng, here = np.random.default_rng(seed), landscape(theta)
    at_once = landscape.points_at_once(theta.dtype, memory, passes=1)
    rises: list[Array] = []
    for first in range(0, samples, at_once):
        noise = sigma * rng.standard_normal((min(at_once, samples - first), theta.size)).astype(
            theta.dtype
        )
        rises.append(0.5 * (landscape(theta + noise) + landscape(theta - noise)) - here)
    rise = np.concatenate(rises)
    return float(rise.mean()), float(rise.std(ddof=1) / samples**0.5)


def relu_twin(network: "Network", theta: ArrayLike, alpha: float, layer: int = 0) -> Array:
    """Return weights `(..., P)` of the same function: one ReLU layer's output times `alpha`, the
    next layer undoing it.

    `layer` counts the linear layers; layer `layer` (weight and bias) is multiplied by alpha > 0,
    the weight of the next is divided by it. True for activations with f(alpha x) = alpha f(x), such
    as ReLU. Source: Dinh et al. 2017.

    >>> import tinygrad_landscape as tl
    >>> net = tl.Network(tl.Linear(1, 3), tl.ReLU(), tl.Linear(3, 1))
    >>> theta = net.init(seed=0)
    >>> x = np.linspace(-1.0, 1.0, 5)[:, None]
    >>> bool(np.allclose(net(theta, x), net(relu_twin(net, theta, 10.0), x), atol=1e-12))
    True
    """
    _positive(alpha=alpha)
    twin = np.array(theta, dtype=np.result_type(theta, np.float32))
    weights = [slot for slot in network.layout if len(slot.shape) > 1]
    if not 0 <= layer < len(weights) - 1:
        raise ParameterError(
            f"got layer={layer}; expected 0..{len(weights) - 2}: a layer with another after it"
        )
    this, after = weights[layer].name.rpartition(".")[0], weights[layer + 1]
    for slot in network.layout:
        if slot.name.rpartition(".")[0] == this:
            twin[..., slot.start : slot.stop] *= alpha
    twin[..., after.start : after.stop] /= alpha
    return twin


def _unit(gradient: Array) -> Array:
    length = np.linalg.norm(gradient, axis=-1, keepdims=True)
    return np.asarray(gradient / np.where(length > 0.0, length, 1.0))


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 < value < np.inf:
            raise ParameterError(f"got {name}={value!r}; expected a finite number > 0")
