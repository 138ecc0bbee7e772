"""The house style is told apart without colour, reads in every paper, and leaves no trace."""

import matplotlib
import numpy as np
import pytest
from matplotlib import colors

from tinygrad_landscape.draw.style import DASHES, MARKERS, PALETTE, STYLES, style
from tinygrad_landscape.engine.errors import ParameterError

# How a full loss of one cone changes linear RGB: Machado, Oliveira, Fernandes (2009), severity 1.
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(rgb):
    rgb = np.asarray(rgb)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb_linear):
    t = np.clip(rgb_linear, 0, 1) @ XYZ.T / XYZ.sum(axis=1)
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def contrast(one, other):
    bright = sorted(float(linear(colors.to_rgb(c)) @ XYZ[1]) for c in (one, other))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_palette_stays_apart_for_colour_blind_eyes(blindness):
    seen = lab(linear([colors.to_rgb(c) for c in PALETTE]) @ np.array(BLINDNESS[blindness]).T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1)[np.triu_indices(len(PALETTE), 1)]
    assert apart.min() > 10  # CIELAB units; about 2 can just be seen side by side


def test_each_colour_has_a_dash_and_a_marker_of_its_own():
    assert len(set(DASHES)) == len(set(MARKERS)) == len(PALETTE) == len(set(PALETTE))


@pytest.mark.parametrize("name", STYLES)
def test_heights_get_lighter_evenly(name):
    seen = lab(linear(matplotlib.colormaps[STYLES[name].heights](np.linspace(0, 1, 64))[:, :3]))
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=1)
    assert (np.diff(seen[:, 0]) > 0).all()
    assert steps.max() < 3 * steps.min()


@pytest.mark.parametrize("name", STYLES)
def test_letters_can_be_read(name):
    chosen = STYLES[name]
    assert contrast(chosen.ink, chosen.paper) > 7  # WCAG 2.2, level AAA
    assert contrast(chosen.muted, chosen.paper) > 4.5  # level AA


def test_the_readers_settings_come_back():
    before = dict(matplotlib.rcParams)
    with style("dark") as chosen:
        assert matplotlib.rcParams["figure.facecolor"] == chosen.paper
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_style_is_refused():
    with (
        pytest.raises(ParameterError, match="expected one of light, dark, projector"),
        style("sepia"),
    ):
        pass
