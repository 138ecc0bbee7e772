"""Our PNG files hold exactly the pixels they were given, read back by Pillow."""

import io

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tinygrad_landscape.draw.png import encode
from tinygrad_landscape.engine.errors import ShapeError


def decoded(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    image.verify()
    return np.asarray(Image.open(io.BytesIO(data)))


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4])),
    )
)
def test_every_pixel_survives(pixels):
    back = decoded(encode(pixels))
    assert back.shape == pixels.shape
    assert (back == pixels).all()


def test_a_view_into_a_larger_buffer_is_encoded_as_it_looks():
    buffer = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    view = buffer[::2, ::3, :3]
    assert (decoded(encode(view)) == view).all()


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((2, 2, 3)), np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8)],
    ids=["floats", "no channels", "two channels"],
)
def test_what_is_no_image_is_refused_in_words(pixels):
    with pytest.raises(ShapeError, match=r"got an array .* expected uint8"):
        encode(pixels)
