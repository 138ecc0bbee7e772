"""Lesson 6: the solutions of its exercises, and the numbers in its prose."""

import numpy as np

import tinygrad_landscape as tl
from tests.lessons.lessons import header
from tinygrad_landscape.classroom import lesson06
from tinygrad_landscape.panels import Backprop

ROOM = "from tinygrad_landscape.classroom.engine_room import"
SOLUTIONS = {
    "def backprop(": "backprop = lesson06.backprop",
    "def tanh_rule(": f"{ROOM} tanh_rule",
    "def matmul_rule(": f"{ROOM} matmul_rule",
    "def unbroadcast(": f"{ROOM} unbroadcast",
}


def measured() -> dict[str, float]:
    panel = Backprop()
    told = []
    for step in range(panel.player.frames - 1):
        panel.seek(step)
        told.append(panel.describe())
    back = [
        k for k, text in enumerate(told) if " goes back to add" in text and "of sub" not in text
    ]
    graph = panel.graph
    tanh = next(k for k, node in enumerate(graph.nodes) if node.operation == "tanh")
    into = next(edge for edge in graph.edges if edge.target == tanh)
    straight = next(e for e in graph.edges if e.source == into.source and e.target != tanh)
    first, _, last = (lesson06.flow(scale)[0] for scale in lesson06.SCALES)
    assert first < 1e-9 and last > 1e4
    lines = lesson06.learn().splitlines()
    assert float(lines[-2].split()[-1]) < 1e-6
    w1, w2 = tl.formulas.three_valleys.minima[0]
    arrived = [float(part.split()[1]) for part in lines[-2].split(": ")[1].split(", ")[:2]]
    assert np.allclose(arrived, (w1, w2), atol=0.005)
    room = lesson06.EngineRoom()
    lowest, highest = (float(word) for word in room.hessian().split()[-3::2])
    entries = int(room.hessian().splitlines()[1].split()[0])
    return {
        "weights": panel.count.weights,
        "evaluations": panel.count.evaluations,
        "tanh factor": float(into.factor),
        "straight": float(straight.contribution),
        "by way of tanh": float(into.contribution),
        "together": float(graph.nodes[into.source].gradient),
        "a plus a": float(Backprop(lambda a: a + a, {"a": 3.0}).gradients["a"]),
        "straight step": back[0],
        "tanh step": back[1],
        "small steps": int(lines[0].split()[3]),
        "first loss": float(lines[1].split()[-1]),
        "true w1": w1,
        "true w2": w2,
        "layers": lesson06.DEPTH,
        "factors 1": first ** (1 / lesson06.DEPTH),
        "factors 2": lesson06.flow(lesson06.SCALES[1])[0] ** (1 / lesson06.DEPTH),
        "left of 2": 100 * lesson06.flow(lesson06.SCALES[1])[0],
        "factors 3": last ** (1 / lesson06.DEPTH),
        "room's weights": entries,
        "room's entries": entries**2,
        "lowest curvature": lowest,
        "highest curvature": highest,
        "minutes": sum(header("06_backprop_link_by_link")["minutes"].values()),
    }
