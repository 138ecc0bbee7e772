"""Every planted fault is named, healthy runs are left in peace, and the numbers are true."""

import numpy as np
import pytest

import tinygrad_landscape as tl
from tests.benchmarks.false_alarms import watched
from tinygrad_landscape.surveying import diagnosis
from tinygrad_landscape.surveying.pulse import fall
from tinygrad_landscape.surveying.watch import Watch, dead_share, spectrum_ends, threshold

MOONS = tl.data.moons(100, noise=0.15, seed=0)
HELD = tl.data.moons(200, noise=0.15, seed=1)


def net_of(*widths, bend=tl.Tanh):
    layers, before = [], 2
    for width in widths:
        layers += [tl.Linear(before, width), bend()]
        before = width
    return tl.Network(*layers, tl.Linear(before, 1))


def on_moons(*widths, bend=tl.Tanh, data=MOONS):
    return tl.Landscape(net_of(*widths, bend=bend), tl.losses.binary_cross_entropy, data)


def states(landscape, theta, optimizer, steps, validation=None, **options):
    walk = tl.descend(landscape, theta, optimizer, steps, **options)
    seen = tl.vitals(landscape, walk, validation=validation, optimizer=optimizer)
    return [tl.diagnose(seen, k) for k in range(len(seen))]


# Planted faults -----------------------------------------------------------------------------------


def tiny_steps():
    land = on_moons(8)
    return states(land, land.network.init(seed=0), tl.optim.SGD(1e-4), 100)


def saturated():
    net = tl.Network(tl.Linear(2, 8), tl.Tanh(), tl.Linear(8, 1), tl.Sigmoid())
    data = tl.Data(MOONS.x, MOONS.y[:, None].astype(float))
    theta = net.init(seed=0)
    theta[net.index("2.bias[0]")] = 12.0
    land = tl.Landscape(net, tl.losses.mean_squared_error, data)
    return states(land, theta, tl.optim.SGD(0.5), 100)


def symmetric():
    land = on_moons(8)
    return states(land, np.zeros(land.size), tl.optim.SGD(0.5), 100)


def deep_symmetric():
    land = on_moons(4, 4)
    return states(land, np.zeros(land.size), tl.optim.SGD(0.5), 100)


def hovering():
    return states(tl.formulas.three_valleys, [-1.0, 1.0], tl.optim.SGD(0.8), 60)


def across():
    return states(tl.formulas.one_neuron, [0.3, 0.2], tl.optim.SGD(2.7), 200)


def in_the_ravine():
    return states(tl.formulas.sieve, [0.25, 2.82], tl.optim.SGD(0.43), 200)


def falling_off():
    return states(tl.formulas.one_neuron, [0.3, 0.2], tl.optim.SGD(3.0), 200)


def by_heart():
    land = on_moons(24, 24, data=tl.data.moons(40, noise=0.35, seed=0))
    held = tl.data.moons(200, noise=0.35, seed=1)
    return states(land, land.network.init(seed=0), tl.optim.Adam(0.02), 300, held)


def silenced():
    land = on_moons(16, 16, bend=tl.ReLU)
    theta = land.network.init(seed=0, scheme="he_normal")
    first = land.network.index("0.bias[0]")
    theta[first : first + 16] -= 6.0
    return states(land, theta, tl.optim.SGD(0.1), 100)


@pytest.mark.parametrize(
    "plant, state, evidence",
    [
        (tiny_steps, "plateau", "ahead"),
        (saturated, "plateau", "went"),
        (symmetric, "near a saddle", "lowest eigenvalue"),
        (deep_symmetric, "near a saddle", "around"),
        (across, "bouncing", "between"),
        (in_the_ravine, "bouncing", "turn"),
        (falling_off, "diverging", "loss"),
        (by_heart, "overfitting", "lowest validation"),
        (silenced, "dead units", "dead"),
    ],
)
def test_a_planted_fault_is_named_with_evidence_and_remedy(plant, state, evidence):
    found = plant()
    last = found[-1]
    assert last.state == state and last.alarm and evidence in last.evidence
    assert {one.state for one in found} <= {"healthy", state}, "no other fault is named on the way"
    words = last.describe()
    assert words.startswith(f"Step {last.step}, {state}: ") and words.endswith(".")
    assert len(last.remedy) > 20 and "nan" not in words


def test_a_walk_that_hovers_at_a_saddle_is_told_so_and_then_let_go():
    found = hovering()
    named = [one.step for one in found if one.state == "near a saddle"]
    assert 12 <= named[0] <= 20 and len(named) >= 10
    assert found[-1].state == "healthy"
    land, there = tl.formulas.three_valleys, found[named[3]]
    walk = tl.descend(land, [-1.0, 1.0], tl.optim.SGD(0.8), 60)
    lowest = np.linalg.eigvalsh(land.hessian(walk.points[there.step - there.step % 2]))[0]
    assert there.evidence["lowest eigenvalue"] == pytest.approx(lowest, rel=1e-6)
    assert min(np.linalg.norm(land.saddles - walk.points[there.step], axis=1)) < 0.2


# No false alarms ----------------------------------------------------------------------------------


def test_healthy_runs_raise_no_alarm():
    """A sample of what tests/benchmarks/false_alarms.py measures on 200."""
    alarms = [watched(seed)[0] for seed in range(20000, 20010)]
    known = [found for found in alarms if found is not None]
    assert len(known) >= 6 and sum(bool(found) for found in known) == 0


def test_sharpness_near_its_threshold_is_no_alarm():
    land = on_moons(16, data=tl.data.moons(200, noise=0.15, seed=0))
    optimizer = tl.optim.SGD(3.0)
    walk = tl.descend(land, land.network.init(seed=0), optimizer, 400)
    seen = tl.vitals(land, walk, optimizer=optimizer)
    near = np.nanmax(seen.sharpness[50:] / seen.thresholds[50:])
    assert near > 0.9
    assert not any(tl.diagnose(seen, k).alarm for k in range(len(seen)))


def test_converged_says_that_sharpness_is_neither_good_nor_bad():
    start = tl.formulas.three_valleys.minima[1] + 0.3
    last = states(tl.formulas.three_valleys, start, tl.optim.SGD(0.8), 200)[-1]
    assert last.state == "converged" and not last.alarm
    top = np.linalg.eigvalsh(tl.formulas.three_valleys.hessian(tl.formulas.three_valleys.minima[1]))
    assert f"sharpness {top[-1]:.3g}, by itself neither good nor bad" in last.describe()


def test_rising_cross_entropy_is_told_beside_the_accuracy():
    last = by_heart()[-1]
    then, now = (float(share[:-1]) for share in last.finding.split("(")[1].split() if "%" in share)
    assert ("surer of its mistakes" in last.finding) == (now >= then)


def test_noise_at_the_floor_of_small_batches_is_no_fault():
    land = on_moons(8)
    theta = tl.descend(land, land.network.init(seed=0), tl.optim.Adam(0.05), 600).end
    found = states(land, theta, tl.optim.SGD(0.02), 300, batch_size=8)
    assert not any(one.alarm for one in found)


# Numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.9}, {"momentum": 0.6, "nesterov": True},
     {"momentum": 0.8, "dampening": 0.5}, {"weight_decay": 0.3}],
)  # fmt: skip
def test_the_threshold_is_where_the_optimizer_begins_to_swing(options):
    """On a parabola of curvature just below and just above it, the walk falls or rises."""
    optimizer = tl.optim.SGD(0.2, **options)
    for share, falls in ((0.98, True), (1.02, False)):
        bend = share * threshold(optimizer)
        land = tl.Landscape.from_function(lambda p, bend=bend: 0.5 * bend * (p**2).sum(-1), size=1)
        walk = tl.descend(land, [1.0], optimizer, 1500)
        assert (abs(walk.end[0]) < 1e-3) == falls, (share, walk.end)


def test_an_adaptive_optimizer_has_no_threshold():
    assert np.isnan(threshold(tl.optim.Adam(0.1))) and np.isnan(threshold(None))


def test_curvature_above_64_weights_is_good_to_a_percent():
    land = on_moons(24)
    walk = tl.descend(land, land.network.init(seed=0), tl.optim.SGD(0.5), 400)
    seen = tl.vitals(land, walk)
    for k in (0, 20, 60, 100):
        exact = np.linalg.eigvalsh(land.hessian(walk.points[int(seen.steps[k])]))
        assert seen.sharpness[k] == pytest.approx(exact[-1], rel=0.01)
        assert seen.lowest[k] == pytest.approx(exact[0], rel=0.1, abs=0.01 * exact[-1])


def test_the_ends_of_a_known_spectrum():
    low, high, down, up = spectrum_ends(tl.formulas.quadratic(50.0), np.zeros(2))
    assert (low, high) == pytest.approx((1.0, 50.0))
    assert abs(down) == pytest.approx([1.0, 0.0]) and abs(up) == pytest.approx([0.0, 1.0])


def test_turns_way_and_losses_are_those_of_the_walk():
    walk = tl.descend(tl.formulas.quadratic(10.0), [1.0, 1.0], tl.optim.SGD(0.15), 30)
    seen = tl.vitals(tl.formulas.quadratic(10.0), walk, every=1)
    moves = np.diff(walk.points, axis=0)
    lengths = np.linalg.norm(moves, axis=1)
    cosines = (moves[1:] * moves[:-1]).sum(1) / (lengths[1:] * lengths[:-1])
    assert np.allclose(seen.turns[2:], cosines) and np.isnan(seen.turns[:2]).all()
    assert np.allclose(seen.travelled[1:], np.cumsum(lengths))
    assert np.array_equal(seen.losses, walk.losses)
    assert np.array_equal(seen.gradient_norms, walk.gradient_norms)
    assert np.array_equal(seen.lengths, np.linalg.norm(walk.points, axis=1))


def test_steps_that_were_not_recorded_leave_the_turns_unknown():
    walk = tl.descend(tl.formulas.quadratic(10.0), [1.0, 1.0], tl.optim.SGD(0.15), 60,
                      record_every=2)  # fmt: skip
    assert np.isnan(tl.vitals(tl.formulas.quadratic(10.0), walk).turns).all()


def test_a_look_that_is_taken_later_sees_the_same():
    land = on_moons(8)
    walk = tl.descend(land, land.network.init(seed=0), tl.optim.SGD(1e-4), 60)
    at_once, later = Watch(land, HELD, every=2), Watch(land, HELD, every=2, later=True)
    for watch in (at_once, later):
        watch.follow(walk)
    assert np.isnan(later.vitals.sharpness).all()
    assert later.bend()
    for name in ("sharpness", "lowest", "ahead", "between", "validation_losses"):
        one, two = getattr(at_once.vitals, name), getattr(later.vitals, name)
        assert np.array_equal(one, two, equal_nan=True), name


def test_a_long_watch_forgets_every_second_look():
    watch = Watch(tl.formulas.booth, every=1, curved=4)
    for step in range(1000):
        watch.see(step, [1.0 + 1e-3 * step, 1.0])
    assert 100 <= len(watch) <= 200 and len(watch.points) == len(watch) and watch.every == 8
    assert watch.rows["steps"] == [float(step) for step in range(0, 1000, 8)]
    assert np.isfinite(watch.sharpest(len(watch) - 1)).all()


def test_units_without_slope_are_counted_in_hidden_layers_only():
    net = net_of(4, bend=tl.ReLU)
    land = tl.Landscape(net, tl.losses.binary_cross_entropy, MOONS)
    theta = net.init(seed=0, scheme="he_normal")
    for unit, share in ((0, 0.25), (2, 0.5)):
        theta[net.index(f"0.bias[{unit}]")] = -50.0
        assert dead_share(land, theta) == share
    ends = tl.Network(tl.Linear(2, 1), tl.Sigmoid())
    flat = tl.Landscape(ends, tl.losses.mean_squared_error, (MOONS.x, MOONS.y[:, None] * 1.0))
    assert np.isnan(dead_share(flat, np.array([0.0, 0.0, 50.0])))


def test_a_power_law_of_decay_counts_as_falling_at_any_age():
    losses = 1.0 / np.sqrt(np.arange(1.0, 5000.0))
    assert all(fall(losses[:n]) > diagnosis.STILL for n in (20, 200, 2000, 4999))
    assert fall(losses[:10]) == np.inf and fall(np.ones(50)) == 0.0


# Results ------------------------------------------------------------------------------------------


def test_vitals_are_saved_and_judged_alike(tmp_path):
    land = on_moons(8)
    walk = tl.descend(land, land.network.init(seed=0), tl.optim.SGD(0.5), 100)
    seen = tl.vitals(land, walk, validation=HELD)
    seen.save(tmp_path / "vitals.npz")
    again = tl.Vitals.load(tmp_path / "vitals.npz")
    assert tl.diagnose(again).describe() == tl.diagnose(seen).describe()
    with pytest.raises(ValueError, match="read-only"):
        seen.losses[0] = 0.0


def test_what_makes_no_sense_is_refused():
    walk = tl.descend(tl.formulas.booth, [[0.0, 0.0], [1.0, 1.0]], tl.optim.SGD(0.01), 5)
    with pytest.raises(tl.ShapeError, match="one walker"):
        tl.vitals(tl.formulas.booth, walk)
    with pytest.raises(tl.ParameterError, match="every=0"):
        tl.vitals(tl.formulas.booth, walk[:, 0], every=0)
    with pytest.raises(tl.ParameterError, match="got look 9"):
        tl.diagnose(tl.vitals(tl.formulas.booth, walk[:, 0]), 9)
