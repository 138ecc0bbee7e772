"""The Descent panel shows what `descend` does, follows the hand, replays, and says the answer."""

import asyncio
import threading
import time

import numpy as np
import pytest

import tinygrad_landscape as tl
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.panels import run
from tinygrad_landscape.panels.descent import Descent
from tinygrad_landscape.panels.regimes import regime

P2 = tl.formulas.one_neuron


@pytest.fixture(scope="module")
def opened():
    return Descent(resolution=21)


@pytest.fixture
def panel(opened):
    opened.reset()
    return opened


def network():
    net = tl.Network(tl.Linear(2, 16), tl.Tanh(), tl.Linear(16, 16), tl.Tanh(), tl.Linear(16, 1))
    landscape = tl.Landscape(net, tl.losses.binary_cross_entropy, tl.data.moons(60, seed=0))
    theta = net.init(seed=0)
    return landscape, tl.Plane.two_weights(theta, "0.weight[1,3]", "2.weight[0,0]", network=net)


@pytest.fixture(scope="module")
def wide():
    return Descent(*network(), resolution=11, steps=20)


def own_walk(lr, start=(0.3, 0.2), steps=200):
    return tl.descend(P2, start, tl.optim.SGD(lr), steps=steps)


# What is shown ------------------------------------------------------------------------------------


def test_it_opens_on_the_network_of_two_weights(panel):
    assert panel.landscape is P2
    assert panel.state == {
        "lr": 0.5, "start_x": 0.3, "start_y": 0.2, "steps": 200, "all_weights": False,
        "parabola": False, "hills": False, "frame": 200,
    }  # fmt: skip
    assert np.allclose(panel.walk.points, own_walk(0.5).points)


@pytest.mark.parametrize(
    ("lr", "word"),
    [(0.003, "creeps"), (0.5, "converges"), (2.5, "converges"), (2.62, "bounces"),
     (2.7, "bounces"), (2.84, "bounces"), (3.0, "diverges"), (10.0, "diverges")],
)  # fmt: skip
def test_the_four_regimes_of_the_learning_rate(panel, lr, word):
    panel.controls["lr"].value = lr
    assert panel.regime == word
    assert panel.describe().startswith(f"Learning rate {lr:g} {word}:")


def test_the_cliff_lies_between_converging_and_bouncing(panel):
    for lr, word in ((2.59, "converges"), (2.61, "bounces")):  # SYLLABUS: 2.598
        panel.controls["lr"].value = lr
        assert panel.regime == word


def test_the_sentence_contains_the_answer(panel):
    walk, text = own_walk(0.5), panel.describe()
    assert (
        "w1 = 1.2, w2 = 1.5" in text and f"loss {walk.losses[-1]:.2e}".replace("e-0", "e-") in text
    )
    share = (walk.losses[0] - walk.losses) / (walk.losses[0] - walk.losses[-1])
    assert f"by step {int(np.argmax(share >= 0.99))}." in text
    panel.controls["lr"].value = 3.0
    fell = int(own_walk(3.0).diverged_at)
    assert f"at step {fell}" in panel.describe() and "nan" not in panel.describe()


def test_a_rising_loss_is_not_called_falling(panel):
    panel.load({"lr": 2.9, "steps": 8})  # on its way out, not fallen yet
    losses = panel.walk.losses
    assert losses[-1] > losses[-3] > losses[3]
    assert "still falling" not in panel.describe()


def test_hopping_from_side_to_side_and_still_coming_lower_is_no_bouncing():
    walk = tl.descend(tl.formulas.quadratic(1.0), [1.0, 0.0], tl.optim.SGD(1.99), steps=30)
    assert (np.diff(walk.losses) < 0).all() and (walk.points[1:, 0] * walk.points[:-1, 0] < 0).all()
    assert regime(walk) == "creeps"


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 5])
def test_the_shortest_walks_have_a_regime(steps):
    walk = tl.descend(P2, [0.3, 0.2], tl.optim.SGD(0.1), steps=steps)
    assert regime(walk) in ("creeps", "converges")


def test_level_ground_is_called_level(panel):
    panel.load({"start_x": 0.0, "start_y": 0.0})
    assert panel.regime == "rests" and "level" in panel.describe()


def test_layers_are_the_walk(panel):
    walk, layers = own_walk(0.5), panel.player.scene.arrays()
    assert np.allclose(layers["walk"][:, 0], walk.points)
    assert np.allclose(layers["ball"][:, 0], walk.points)
    assert np.allclose(layers["curve"][:, 0], np.column_stack([walk.steps, walk.losses]))
    assert np.allclose(layers["arrow"][:-1, 0, 2:], np.diff(walk.points, axis=0))
    assert np.isnan(layers["arrow"][-1]).all()
    assert layers["start"].ravel().tolist() == [0.3, 0.2]


@pytest.mark.parametrize("steps", [1, 2, 37, 300])
def test_steps_can_be_changed(panel, steps):
    panel.controls["steps"].value = steps
    assert len(panel.walk) == steps + 1 == panel.player.frames
    assert panel.player.frame == steps
    left, right, _ = panel.player.scene.spec()["axes"][1]["x"]
    assert left == 0 and right == 1.02 * steps


# Hands --------------------------------------------------------------------------------------------


def test_dragging_the_start_moves_the_walk(panel):
    panel.player.start = [-1.0, 2.0]  # what the browser writes
    assert (panel.controls["start_x"].value, panel.controls["start_y"].value) == (-1.0, 2.0)
    assert np.allclose(panel.walk.points, own_walk(0.5, (-1.0, 2.0)).points)


def test_typing_the_start_moves_the_handle(panel):
    panel.controls["start_x"].value = 1.25
    assert panel.player.start == [1.25, 0.2]


def test_the_slider_goes_to_the_nearest_notch_and_the_box_keeps_its_value(panel):
    box, slider = panel.controls["lr"], panel._slider
    box.value = 2.62
    assert (box.value, slider.value) == (2.62, 21)
    slider.value = 22
    assert box.value == 2.75


def test_step_seek_play_pause(panel):
    panel.step()
    assert panel.player.frame == 1 and panel.player.revealed  # the untouched end starts over
    panel.step(3)
    panel.step(-1)
    assert panel.player.frame == 3
    panel.seek(10**6)
    assert panel.player.frame == 200
    panel.step()
    assert panel.player.frame == 200  # an end that was walked to stays
    panel.seek(-5)
    panel.step(-1)
    assert panel.player.frame == 0
    panel.seek(200)
    panel.play()
    assert panel.player.playing and panel.player.frame == 0
    panel.pause()
    assert not panel.player.playing


def test_the_frame_is_kept_while_the_slider_moves(panel):
    panel.seek(7)
    panel.controls["lr"].value = 1.0
    assert panel.player.frame == 7
    panel.seek(200)
    panel.controls["steps"].value = 50
    assert panel.player.frame == 50


# Budget -------------------------------------------------------------------------------------------


def slow_valley(naps):
    def height(theta):
        time.sleep(0.001)
        naps.append(1)
        return float(theta @ theta)

    return tl.Landscape.from_callables(height, lambda theta: 2.0 * theta, size=2)


def test_a_moving_hand_gets_part_of_the_walk_and_a_resting_one_all_of_it():
    naps = []
    settings = {"start": (2, 2), "resolution": 3, "extent": 3.0, "strip": False}
    panel = Descent(slow_valley(naps), lr=0.1, steps=150, **settings)
    walked = []

    async def hand():
        for k in range(8):
            naps.clear()
            panel.controls["lr"].value = 0.11 + 0.01 * k
            walked.append(panel.player.frames)
            assert len(naps) < 100  # 150 steps of over a millisecond do not fit into 40 ms
            await asyncio.sleep(0.0)
        assert not panel._done
        deadline = time.perf_counter() + 20.0
        while not panel._done and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)

    asyncio.run(hand())
    assert all(1 < frames < 151 for frames in walked)
    assert panel.player.frames == 151 and panel.player.frame == 150
    own = tl.descend(panel._inside, [2.0, 2.0], tl.optim.SGD(0.11 + 0.01 * 7), steps=150)
    assert np.array_equal(panel.walk.points, own.points)


def test_the_newest_value_wins_and_nothing_queues(monkeypatch):
    panel = Descent(resolution=5)
    worked = []
    work = panel._work
    monkeypatch.setattr(
        panel,
        "_work",
        lambda seconds: worked.append(seconds) or work(0.0 if seconds < 1 else seconds),
    )

    async def hand():
        for k in range(20):
            panel.controls["lr"].value = 0.51 + 0.01 * k
            await asyncio.sleep(0.0)
        assert worked == [run.BUDGET] * 20  # one partial walk a value, no more
        panel.describe()

    asyncio.run(hand())
    assert worked[20:] == [float("inf")]  # reading finishes the newest one only
    assert np.allclose(panel.walk.points, own_walk(0.70).points)


def test_a_partial_walk_does_not_move_the_wanted_frame(monkeypatch):
    panel = Descent(resolution=5)
    panel.seek(120)
    work = panel._work
    monkeypatch.setattr(panel, "_work", lambda s: work(0.0 if s < 1 else s))

    async def hand():
        panel.controls["lr"].value = 0.7
        assert panel.player.frame < 120
        panel.settle()

    asyncio.run(hand())
    assert panel.player.frame == 120


def test_the_end_of_a_partial_walk_is_a_frame_like_others(panel, monkeypatch):
    work = panel._work
    monkeypatch.setattr(panel, "_work", lambda s: work(0.0 if s < 1 else s))

    async def hand():
        panel.controls["lr"].value = 0.7
        partial = panel.player.frames - 1
        panel.player.frame = 0
        panel.player.frame = partial  # what a hand in the browser may do
        panel.settle()
        assert panel.player.frame == partial < 200

    asyncio.run(hand())


def test_a_hand_that_steps_back_while_a_piece_is_shown_keeps_its_frame():
    panel = Descent(slow_valley([]), lr=0.1, start=(2, 2), resolution=3, extent=3.0, steps=150,
                    strip=False)  # fmt: skip
    show, hands = panel._show, []

    def interrupted():
        show()
        if panel._done and len(hands) == 1:  # JupyterLab hears a hand in a thread of its own
            hands.append(threading.Thread(target=panel.player.set_trait, args=("frame", 3)))
            hands[-1].start()
            while panel.player.frame != 3:
                time.sleep(0.001)

    panel._show = interrupted

    async def hand():
        panel.controls["lr"].value = 0.2
        assert panel.player.frames < 151
        hands.append(None)  # from now on
        deadline = time.perf_counter() + 20.0
        while not panel._done and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)

    asyncio.run(hand())
    hands[-1].join(timeout=20.0)
    assert panel._done and panel.player.frames == 151
    assert panel.player.frame == 3 and not panel.player.resting


def test_the_kernel_says_which_choices_of_a_hand_it_has_heard(panel):
    panel.player.set_state({"frame": 4, "turns": 7})  # what the browser writes
    assert panel.player.heard == 7 and panel.player.frame == 4


# State and codes ----------------------------------------------------------------------------------


def test_a_code_replays_the_same_run(panel):
    panel.controls["lr"].value = 2.7
    panel.player.start = [1.0, -0.5]
    panel.seek(17)
    code, points, state = panel.code, panel.walk.points, panel.state
    panel.reset()
    assert panel.controls["lr"].value == 0.5 and panel.code != code
    panel.load(code)
    assert panel.state == state and panel.code == code
    assert np.array_equal(panel.walk.points, points)
    assert Descent(resolution=21).load(code) is None


def test_the_code_field_can_be_pasted_into(panel):
    panel.controls["lr"].value = 2.7
    code = panel.code
    panel.reset()
    panel._code.value = code
    assert panel.controls["lr"].value == 2.7


def test_reset_replays_exactly(panel):
    before = panel.walk.points
    panel.controls["lr"].value = 3.0
    panel.seek(3)
    panel.player.resets += 1  # what the browser writes
    assert np.array_equal(panel.walk.points, before)
    assert panel.state == panel._opening and not panel.player.revealed


def test_codes_of_other_panels_are_refused_and_shown(panel):
    foreign = Descent(tl.formulas.himmelblau, lr=0.01, resolution=21).code
    with pytest.raises(ParameterError, match="another panel"):
        panel.load(foreign)
    assert "another panel" in panel._error.value and panel._error.layout.display is None
    panel.controls["lr"].value = 1.0
    assert panel._error.value == ""
    with pytest.raises(ParameterError, match="this panel has lr"):
        panel.load({"lrr": 1.0})


def test_an_error_in_a_callback_is_shown_and_raised(panel, monkeypatch):
    def broken(seconds):
        raise ZeroDivisionError("the ground <is> gone")

    monkeypatch.setattr(panel, "_work", broken)
    with pytest.raises(ZeroDivisionError):
        panel.controls["lr"].value = 1.0
    assert (
        "The ground &lt;is&gt; gone" in panel._error.value and 'role="alert"' in panel._error.value
    )


# Other landscapes ---------------------------------------------------------------------------------


def test_two_weights_of_a_network_walk_in_their_plane(wide):
    plane, walk = wide.plane, wide.walk
    assert walk.points.shape == (21, 2)
    own = tl.descend(wide.landscape.restrict(plane), walk.points[0], tl.optim.SGD(0.5), steps=20)
    assert np.allclose(walk.points, own.points)
    first = wide.player.scene.arrays()["walk"][0, 0]
    assert np.allclose(first, walk.points[0] + plane.absolute)  # axes show the weights themselves
    assert "0.weight[1,3] = " in wide.describe() and "only the two drawn" in wide.player.honesty


def test_all_weights_move_and_the_shadow_is_said(wide):
    wide.controls["all_weights"].value = True
    assert wide.walk.points.shape == (21, wide.landscape.size)
    off = float(wide.plane.residual(wide.walk.end))
    assert f"{off:.0%}" in wide.describe() and "All 337 weights moved" in wide.describe()
    assert "of the walk's squared distance" in wide.player.honesty
    shadow = wide.plane.coordinates(wide.walk.points) + wide.plane.absolute
    assert np.allclose(wide.player.scene.arrays()["walk"][:, 0], shadow)
    wide.reset()


def test_formulas_open():
    for name in ("rosenbrock", "three_valleys", "sine_neuron"):
        panel = Descent(getattr(tl.formulas, name), lr=0.01, resolution=11, steps=5)
        assert panel.regime in ("creeps", "converges", "bounces", "diverges"), name


def test_a_landscape_with_negative_heights_gets_a_linear_curve():
    panel = Descent(tl.formulas.styblinski_tang, lr=0.01, resolution=11, steps=5)
    assert panel.player.scene.spec()["axes"][1]["y"][2] == "linear"


def test_another_optimizer():
    panel = Descent(resolution=5, optimizer=lambda lr: tl.optim.SGD(lr, momentum=0.9), steps=30)
    own = tl.descend(P2, [0.3, 0.2], tl.optim.SGD(0.5, momentum=0.9), steps=30)
    assert np.allclose(panel.walk.points, own.points)


def test_hidden_controls_are_out_of_sight_and_still_work():
    panel = Descent(resolution=5, hide=("lr",))
    assert panel.controls["lr"].layout.display == "none"
    panel.controls["lr"].value = 1.0
    assert "Learning rate 1 " in panel.describe()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": 20.0}, "expected it inside lr_range"),
        ({"start": (9.0, 0.0)}, "two numbers inside the frame"),
        ({"start": (1.0,)}, "two numbers inside the frame"),
        ({"hide": ("speed",)}, "the controls are lr, start_x"),
        ({"style": "sepia"}, "expected one of light, dark, projector"),
    ],
)
def test_mistakes_are_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        Descent(resolution=5, **options)


def test_many_weights_need_a_plane():
    with pytest.raises(ParameterError, match="337 weights needs a plane"):
        Descent(network()[0])


# In a notebook ------------------------------------------------------------------------------------


def test_a_panel_shows_its_widget_and_leaves_a_sentence_behind(panel):
    bundle = panel._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == panel.describe()
    assert panel.describe() in repr(panel)


def test_the_loss_curve_is_veiled_until_the_first_play(panel):
    assert panel.player.scene.spec()["axes"][1]["veil"]
    before = panel.player.png()
    panel.step()
    panel.player.frame = 200
    assert panel.player.png() != before


@pytest.mark.parametrize("style", ["light", "dark", "projector"])
def test_every_style_opens(style):
    panel = Descent(resolution=11, style=style)
    assert panel.player.scene.style.name == style


def test_a_thousand_updates_leave_no_artist_behind(panel):
    axes = panel.player.scene.axes.values()
    before = [len(ax.get_children()) for ax in axes]
    for k in range(30):
        panel.controls["lr"].value = 0.5 + 0.01 * k
        panel.player.png()
    assert [len(ax.get_children()) for ax in axes] == before


def test_a_walk_that_stands_still_at_the_minimum_is_at_rest():
    walk = tl.descend(tl.formulas.quadratic(10), [0.0, 0.0], tl.optim.SGD(0.1), steps=5)
    assert regime(walk) == "rests"
