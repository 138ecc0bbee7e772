"""`Losses`: lowest places are where other solvers find them, and move as theory says."""

from functools import partial

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

import tinygrad_landscape as tl
from tinygrad_landscape.panels import Losses


@pytest.fixture(scope="module")
def outlier():
    return Losses()


@pytest.fixture(scope="module")
def mistake():
    return Losses(preset="mistake")


def spoiled(panel, at):
    """The outlier panel's x and y with the last target lifted."""
    x, y = panel._odd.x, panel._odd.y[:, 0].copy()
    y[-1] += at
    return x, y


def absolute(x, y):
    """The least absolute error line, by linear programming."""
    n, one = len(x), np.eye(len(x))
    rows = np.block([[x[:, None], np.ones((n, 1)), -one], [-x[:, None], -np.ones((n, 1)), -one]])
    bounds = [(None, None)] * 2 + [(0, None)] * n
    return linprog([0, 0, *[1.0] * n], rows, [*y, *-y], bounds=bounds).x[:2]


def huber(x, y):
    def height(p):
        r = np.abs(p[0] * x + p[1] - y)
        return np.where(r < 1.0, 0.5 * r * r, r - 0.5).mean()

    return minimize(
        height, [1.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15}
    ).x


@pytest.mark.parametrize("at", [6.0, 0.0, -2.5])
def test_p6_the_lowest_places(outlier, at):
    outlier.controls["odd"].value = at
    outlier.settle()
    x, y = spoiled(outlier, at)
    for name, solver in (("squared", lambda x, y: np.polyfit(x, y, 1)), ("absolute", absolute),
                         ("Huber", huber)):  # fmt: skip
        assert np.allclose(outlier._places[name][-1], solver(x, y), atol=1e-5), name
    outlier.reset()


def test_p6_how_far_they_move(outlier):
    """Squared: 6 times the last point's leverage. Measured here, printed in lesson 8."""
    x = outlier._odd.x
    leverage = np.linalg.pinv(np.stack([x, np.ones_like(x)], axis=-1))[:, -1]
    assert np.isclose(outlier.shifts["squared"], 6.0 * np.linalg.norm(leverage), atol=1e-6)
    rounded = {name: round(far, 3) for name, far in outlier.shifts.items()}
    assert rounded == {"squared": 0.868, "absolute": 0.0, "Huber": 0.185}
    assert "squared 0.868 (to w = 1.86, b = 0.766)" in outlier.describe()


def test_the_record_of_a_sweep(outlier):
    squared, bounded = (
        outlier.player.scene.layers[f"far {name}"].data[:, 0] for name in ("squared", "Huber")
    )
    assert len(squared) == outlier.player.frames == 21
    assert np.allclose(squared[:, 1], 0.868 / 6.0 * squared[:, 0], atol=1e-3)  # without end
    assert np.ptp(bounded[6:, 1]) < 1e-6  # Huber's follows up to a limit


def test_the_map_is_that_of_the_chosen_loss(outlier):
    outlier.controls["map"].value = "absolute"
    outlier.settle()
    w, b = outlier._sides()
    x, y = spoiled(outlier, 6.0)
    by_hand = np.abs(w[:, None, None] * x + b[:, None] - y).mean(-1)
    assert np.allclose(outlier._heights[..., -1], by_hand)
    shares = outlier.player.scene.layers["relief"].row(20)
    assert np.unravel_index(shares.argmin(), shares.shape) == np.unravel_index(
        by_hand.argmin(), by_hand.shape
    )
    outlier.reset()


def test_the_outlier_can_be_dragged(outlier):
    x, y = outlier.player.start
    outlier.player.start = [x - 0.4, y - 3.0]  # only up and down counts
    assert outlier.state["odd"] == 3.0 and outlier.player.start[0] == x
    outlier.reset()


@pytest.mark.parametrize("at", [6.0, 2.0])
def test_a_confident_mistake(mistake, at):
    mistake.controls["odd"].value = at
    mistake.settle()
    x = mistake._odd.x.copy()
    x[mistake._odd.index] = at
    side = 2.0 * mistake._odd.y - 1.0
    for name, of_margin in (
        ("cross-entropy", lambda m: np.logaddexp(0.0, -m)),
        ("hinge", lambda m: np.maximum(1.0 - m, 0.0)),
        ("squared hinge", lambda m: np.maximum(1.0 - m, 0.0) ** 2),
    ):

        def height(p, of_margin=of_margin):
            return of_margin(side * (p[0] * x + p[1])).mean()

        starts = [[1.0, 0.0], [0.3, 0.2]]
        best = min((minimize(height, s, method="Nelder-Mead") for s in starts), key=lambda r: r.fun)
        assert height(mistake._places[name][-1]) <= best.fun + 1e-9, name
    mistake.reset()


def test_a_mistake_moves_cross_entropy_further_than_hinge(mistake):
    far = mistake.shifts
    assert far["cross-entropy"] > far["hinge"] > far["squared hinge"] > 0.5
    assert "The point of class 0 lies at x = 6" in mistake.describe()


def test_own_data_and_losses():
    x = np.linspace(100.0, 110.0, 12)[:, None]  # far from 0: the valley lies aslant
    panel = Losses(
        tl.Data(x, 3.0 - 0.2 * x), losses={"mine": partial(tl.losses.huber, delta=0.5)}, point=0
    )
    panel.controls["odd"].value = 0.0
    panel.settle()
    assert np.allclose(panel._places["mine"][-1], [-0.2, 3.0], atol=1e-4)
    assert panel.player.scene.layers["line mine"].data.shape[1:] == (2, 2)


def test_state_code_and_reset(outlier):
    opening = outlier.code
    outlier.controls["odd"].value, outlier.controls["map"].value = 2.5, "Huber"
    outlier.seek(4)
    code, words = outlier.code, outlier.describe()
    outlier.reset()
    assert outlier.code == opening and outlier.state["map"] == "squared"
    outlier.load(code)
    assert (outlier.code, outlier.describe(), outlier.player.frame) == (code, words, 4)
    outlier.reset()


@pytest.mark.parametrize(
    "make, words",
    [
        (partial(Losses, preset="huber"), "expected 'outlier' or 'mistake'"),
        (partial(Losses, tl.data.moons(10)), "expected one input"),
        (partial(Losses, point=20), "points 0 to 19"),
        (partial(Losses, losses={}), "got 0 losses"),
        (partial(Losses, extent=(1, 0, 0, 1)), "expected .w0, w1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(tl.ParameterError, match=words):
        make()
