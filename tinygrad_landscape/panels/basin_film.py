"""`Basins(preset="film")`: the map of who ends where, turned through the learning rates.

One start, one landscape, and yet another end: the border between two basins moves with the learning
rate, frays when steps grow longer than the valleys are wide, and dissolves when they throw the
walker out. The strip beside the map is the whole row at one sight.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.descent import Trajectory, optim
from tinygrad_landscape.draw import Scene, honesty, style
from tinygrad_landscape.draw.layers import said
from tinygrad_landscape.engine.errors import ParameterError
from tinygrad_landscape.landscape import Landscape, formulas
from tinygrad_landscape.panels import controls
from tinygrad_landscape.panels.basins import CASING, Film, end_said
from tinygrad_landscape.panels.fates import Fates
from tinygrad_landscape.panels.ground import Ground
from tinygrad_landscape.panels.player import on_stage
from tinygrad_landscape.panels.run import Run
from tinygrad_landscape.panels.valleys import ELSEWHERE, FALLEN, MOST, WALKING, Valleys
from tinygrad_landscape.surveying import Plane

HATCHES = ["", "/", ".", "\\", "x", "-", "|", "+", "o"]  # of the valleys
OTHERS = {ELSEWHERE: ("#aab2bb", "|"), WALKING: ("#f2f2f2", "."), FALLEN: ("#5b6673", "x")}
OPEN = 255  # the number of a cell that is not known yet
PARTS = 200  # a column of the strip is cut into so many
LINES = 9  # heights drawn over the map
READ = 4  # with more valleys than this, the readout leaves their shares to the strip
SETTLED = 0.99  # a learning rate with this share of arrivals settles


class BasinFilm(Film):
    """The map of basins, once for every learning rate of a row.

    Play turns through the row and ends on the learning rate that the slider has; momentum, in the
    fold, changes every map. Drag the white ball to see one walk under each of them.

    Args:
        landscape, plane, extent, resolution, height, style, hide: as for `Basins` and `Descent`.
        lr: the learning rate it opens with.
        lr_range: the ends of the slider and of the row.
        rates: how many learning rates the row has, evenly on a log scale.
        momentum: of the heavy ball, 0 to 0.99.
        start: where the white ball begins, in the numbers on the axes.
        side: starts along each side of a map.
        steps: how many steps each takes.
    """

    def __init__(
        self,
        landscape: Landscape | None = None,
        plane: Plane | None = None,
        *,
        preset: str = "film",
        lr: float = 0.8,
        lr_range: tuple[float, float] = (0.02, 20.0),
        rates: int = 31,
        momentum: float = 0.0,
        start: Sequence[float] | None = None,
        side: int = 40,
        steps: int = 150,
        extent: Any = None,
        resolution: int | None = None,
        height: str = "auto",
        style: str = "light",
        hide: Sequence[str] = (),
    ) -> None:
        if landscape is None:
            landscape, start = formulas.three_valleys, (-1.0, 1.0) if start is None else start
        if not 0.0 < lr_range[0] <= lr <= lr_range[1]:
            raise ParameterError(f"got lr={lr}; expected it inside lr_range={tuple(lr_range)}")
        if rates < 2 or side < 3:
            raise ParameterError(
                f"got rates={rates}, side={side}; expected at least 2 learning rates and 3 starts "
                "along a side"
            )
        self.ground = Ground.of(landscape, plane, extent, resolution, height)
        self.valleys = Valleys.of(self.ground)
        self.rates = [float(f"{rate:.3g}") for rate in np.geomspace(*lr_range, rates)]
        self._maps = Fates(self.ground, self.valleys, self.rates, side)
        low, high = self.ground.low, self.ground.high
        first = self.ground.start(start, low + np.array([0.4, 0.6]) * (high - low))
        box, slider = controls.rate("learning rate", lr, *lr_range)
        places = controls.places(self.ground.plane.labels, first, low, high)
        self.controls = {
            "lr": box,
            "momentum": controls.number("momentum", momentum, 0.0, 0.99),
            "start_x": places[0],
            "start_y": places[1],
            "steps": controls.count("steps", steps, 1, 2000),
        }
        controls.hide(hide, self.controls, {"lr": slider})
        self._rolled: Any = None
        self.player = on_stage(
            self._draw(style), drag="start", seek="cursor", start=first.tolist(), speed=5.0,
            label="Map of the valley each start ends in, and the shares by learning rate",
        )  # fmt: skip
        more = controls.fold(self.controls["momentum"], *places, self.controls["steps"])
        self._open([box, slider], [more])

    # What is seen -------------------------------------------------------------------------------

    @property
    def shares(self) -> NDArray[np.float64]:
        """The share of the starts, for each of `rates` and last for the chosen learning rate, that
        ends in each valley, rests elsewhere, still walks, and leaves the ground: `(R + 1, K + 3)`.
        """
        self._finish()
        return self._maps.shares()

    @property
    def walk(self) -> Trajectory:
        """The walk of the white ball at the chosen learning rate."""
        self.settle()
        return self._mine.walk

    def _sentence(self) -> str:
        text = f"Learning rate {said(self._lr)}"
        text += f", momentum {said(self._momentum)}" if self._momentum else ""
        if not self._maps.coarse[-1]:
            return text + ": the map is being made."
        fine = bool(self._maps.fine[-1])
        side = self._maps.side if fine else self._maps.few
        text += f", {self._steps} steps: of {side} x {side} starts "
        text += self.valleys.tally(self._maps.labels[-1], share=True)
        text += f"; {self._maps.parting()[-1]:.1%} of neighbours part ways." if fine else "."
        if self._maps.coarse.all():
            text += self._row_said()
        text += f" The white ball, from {self.ground.place(self._start)}, "
        return text + end_said(self.ground, self.valleys, self._mine.walk, self._fate_of_mine())

    def _row_said(self) -> str:
        """The row in a sentence: where everybody arrives, and what becomes of them beyond."""
        shares = self._maps.shares()[:-1]
        arrived = shares[:, : len(self.valleys)].sum(axis=1)
        calm = np.flatnonzero(arrived >= SETTLED)
        ends = []
        for k in (0, -1):
            walking, fallen = (float(share) for share in shares[k, -2:])
            if max(walking, fallen) > 1.0 - SETTLED:
                word = "are still walking" if walking >= fallen else "leave the ground"
                ends.append(f"at {said(self.rates[k])} {max(walking, fallen):.1%} {word}")
        text = f" In the row from {said(self.rates[0])} to {said(self.rates[-1])} "
        if len(calm):
            low, high = (said(self.rates[k]) for k in (calm[0], calm[-1]))
            text += (
                f"nearly all arrive from {low} to {high}"
                if low != high
                else (f"nearly all arrive at {low}")
            )
            text += "; " * bool(ends)
        return text + ", ".join(ends) + "." if ends or len(calm) else ""

    def _fate_of_mine(self) -> int:
        walk = self._mine.walk
        place = walk.end + self.ground.origin
        inside = ((self.ground.low <= place) & (place <= self.ground.high)).all()
        fate = self.valleys.fate(place, walk.gradient_norms, walk.diverged | ~inside)
        return int(fate)

    # Computing ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        value = {name: control.value for name, control in self.controls.items()}
        self._lr, self._momentum, self._steps = value["lr"], value["momentum"], value["steps"]
        self._start = np.array([value["start_x"], value["start_y"]])
        here = self._start - self.ground.origin
        wanted = *self._start.tolist(), self._momentum, self._steps
        self._mine = Run(self.ground.inside, here, optim.SGD(self._lr, self._momentum), self._steps)
        if wanted != self._rolled:  # another learning rate leaves the row as it is
            self._rolled = wanted
            all_rates = optim.SGD(np.array(self.rates), self._momentum)
            every = np.tile(here, (len(self.rates), 1))
            self._others = Run(self.ground.inside, every, all_rates, self._steps)
        self._maps.want(self._lr, self._momentum, self._steps)

    def _walk(self, seconds: float) -> bool:
        late = time.perf_counter() + seconds
        return self._mine.go(seconds) and self._others.go(late - time.perf_counter())

    def _answer(self) -> bool:
        self._walk(float("inf"))
        return self._maps.go(answer=True)

    def _work(self, seconds: float) -> bool:
        late = time.perf_counter() + seconds
        walked = self._walk(0.5 * seconds)
        return self._maps.go(late - time.perf_counter()) and walked

    def _show(self) -> None:
        scene, origin = self.player.scene, self.ground.origin
        scene.set("map", self._cells())
        scene.set("strip", self._strip())
        at = np.array([*self.rates, self._lr])
        bar = np.stack([np.repeat(at[:, None], 2, axis=1), np.tile([0.0, 100.0], (len(at), 1))], -1)
        for name in ("cursor", "cursor ends"):
            scene.set(name, bar)
        told = np.column_stack([at, (100.0 * self._maps.shares()).round(1)])
        scene.set("readout", np.where(self._maps.coarse[:, None], told, np.nan))
        most = self._steps + 1
        paths = np.concatenate([
            _padded(self._others.walk.points, most), _padded(self._mine.walk.points[:, None], most)
        ], axis=1).transpose(1, 0, 2) + origin  # fmt: skip
        scene.set("walk", paths)
        scene.set("end", paths[:, -1])
        scene.set("start", self._start)
        words = honesty(self.ground.surface, None, self.ground.heights)
        words += (
            " The colour and hatching of a cell say where a start in its middle ends; thin lines "
            "are heights of the loss. Who is outside the frame after the last step has left the "
            "ground; who is inside and neither in a valley nor at rest is still walking. Only the "
            "two drawn weights move. The border is as fine as the cells and no finer."
        )
        if not self._maps.fine.all():
            words += " Maps of larger cells are still being refined."
        self.player.update(sentence=self._sentence(), honesty=words, start=self._start.tolist())

    def _cells(self) -> NDArray:
        """The maps as numbers of colours; what is not known yet is open."""
        labels, known = self._maps.labels.copy(), self._maps.coarse.copy()
        if not known[-1] and known[:-1].all():  # better than a hole, for a moment
            labels[-1] = labels[int(np.abs(np.log(np.array(self.rates) / self._lr)).argmin())]
            known[-1] = True
        return np.where(known[:, None, None], _number(labels), OPEN)

    def _strip(self) -> NDArray:
        """The shares of the row, stacked: a column of numbers of colours for each rate."""
        if not self._maps.coarse[:-1].all():
            return np.full((len(self.rates), PARTS), OPEN)
        tops = self._maps.shares()[:-1].cumsum(axis=1)
        part = (np.arange(PARTS) + 0.5) / PARTS
        order = (part[None, :, None] > tops[:, None, :]).sum(axis=-1)
        fates = np.array(self.valleys.fates)
        return _number(fates[np.minimum(order, len(fates) - 1)])

    # Drawing ------------------------------------------------------------------------------------

    def _draw(self, paper: str) -> Scene:
        from matplotlib.figure import Figure

        surface = self.ground.surface
        with style(paper) as chosen:
            figure = Figure(figsize=(10.0, 4.8), layout="constrained")
            over, beside = figure.subplots(1, 2, width_ratios=(1.0, 1.05))
            low, high = self.ground.low, self.ground.high
            over.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), title=" ")
            over.set(xlabel=self.ground.plane.labels[0], ylabel=self.ground.plane.labels[1])
            over.set_box_aspect(1.0)
            half = (self.rates[1] / self.rates[0]) ** 0.5
            beside.set(xscale="log", xlim=(self.rates[0] / half, self.rates[-1] * half),
                       ylim=(0, 100), xlabel="learning rate (log)",
                       ylabel="share of all starts (%)")  # fmt: skip
            self._legend(figure, chosen)
            lines = over.contour(
                surface.a + self.ground.origin[0], surface.b + self.ground.origin[1],
                np.ma.masked_invalid(surface.loss).T, levels=self.ground.heights.levels(LINES)[1:-1]
            )  # fmt: skip
            heights = [part for level in lines.allsegs for part in level if len(part)]
            lines.remove()
        scene = Scene(figure, {"map": over, "strip": beside}, paper)
        size = chosen.scale
        looks = [self._look(k) for k in range(MOST + len(OTHERS))]
        cells: dict[str, Any] = {"colors": [c for c, _ in looks], "hatches": [h for _, h in looks]}
        scene.add("map", "cells", "map", follow=True, **cells)
        scene.add("strip", "cells", "strip", **cells)
        scene.add("heights", "polyline", "map", colors=["#10151c66"], width=0.8 * size)
        gap = np.full((1, 2), np.nan)
        scene.set("heights", np.concatenate([x for part in heights for x in (part, gap)] or [gap]))
        template = "learning rate {0}"
        if len(self.valleys) <= READ:
            names = [self.valleys.letter(k) for k in range(len(self.valleys))]
            names += ["elsewhere", "walking", "left"]
            told = [f"{name} {{{k + 1}}} %" for k, name in enumerate(names) if name != "elsewhere"]
            template += ":   " + "   ".join(told)
        scene.add("readout", "text", "map", follow=True, at=[0.0, 1.02], color=chosen.ink,
                  size=13.0 * size, template=template)  # fmt: skip
        for k, point in enumerate(self.valleys.points):
            scene.add(f"valley {k}", "marker", "map", size=11.0 * size, edge="#ffffff",
                      colors=[CASING], shapes=self.valleys.look(k)["shapes"])  # fmt: skip
            scene.set(f"valley {k}", point)
            x, y = (min(share + 0.03, 0.95) for share in self.ground.share(point))
            scene.add(f"letter {k}", "text", "map", at=[x, y], color="#10151c", halo="#ffffff",
                      size=14.0 * size, template=self.valleys.letter(k))  # fmt: skip
            scene.set(f"letter {k}", [0.0])
        white = {"colors": ["#ffffff"], "casing": CASING}
        scene.add("walk", "curve", "map", follow=True, width=2.0 * size, **white)
        scene.add("start", "marker", "map", shapes=["o"], size=11.0 * size, edge=CASING)
        scene.add("end", "ball", "map", follow=True, size=14.0 * size, edge=CASING,
                  colors=["#ffffff"])  # fmt: skip
        scene.add("cursor", "curve", "strip", follow=True, width=2.4 * size, **white)
        scene.add("cursor ends", "ball", "strip", follow=True, size=11.0 * size, edge=CASING,
                  colors=["#ffffff"], shapes=["o"])  # fmt: skip
        return scene

    def _look(self, number: int) -> tuple[str, str]:
        """Colour and hatching of a number of `_number`."""
        if number < MOST:
            return str(self.valleys.look(number)["colors"][0]), HATCHES[number]
        return OTHERS[MOST - 1 - number]

    def _legend(self, figure: Any, chosen: Any) -> None:
        from matplotlib.patches import Patch

        names = {k: f"{self.valleys.letter(k)}, loss {self.valleys.height(k)}"
                 for k in range(len(self.valleys))}  # fmt: skip
        names |= {ELSEWHERE: "rests elsewhere", WALKING: "still walking",
                  FALLEN: "leaves the ground"}  # fmt: skip
        patches = []
        for k, words in names.items():
            color, hatch = self._look(int(_number(np.array(k))))
            patches.append(Patch(facecolor=color, edgecolor=CASING, hatch=hatch * 3, linewidth=0.5,
                                 label=words))  # fmt: skip
        figure.legend(handles=patches, loc="outside upper center", columnspacing=1.2,
                      ncols=6 if chosen.scale == 1.0 else 3)  # fmt: skip

    # Hands --------------------------------------------------------------------------------------

    def _moved(self, change: Any) -> None:
        self._put(start_x=change["new"][0], start_y=change["new"][1])

    def _baked(self) -> Mapping[str, Sequence[Any]]:
        return {"momentum": [0.0, 0.9]}

    def _configuration(self) -> Any:
        return ["Basins", "film", self.rates, self._maps.side, *self.ground.configuration()]


def _number(fates: NDArray) -> NDArray:
    """The number of the colour of each fate: a valley's own, the others' after all valleys'."""
    return np.where(fates >= 0, fates, MOST - 1 - fates)


def _padded(points: NDArray, count: int) -> NDArray:
    """Walks `(R, W, 2)` of which not all steps are made yet, resting where they are."""
    return np.concatenate([points, np.repeat(points[-1:], count - len(points), axis=0)])
