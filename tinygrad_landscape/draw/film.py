"""A scene as a film: every frame blitted onto the cached background and written as it comes.

GIF needs Pillow alone: one palette for all frames, and only the pixels that changed. MP4 pipes the
frames to ffmpeg. HTML is one page with the background as a picture and the layers as numbers, which
it draws itself: sharp at any size, and it can be stepped and scrubbed.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_landscape.draw.tracks import tracks
from tinygrad_landscape.engine.errors import ParameterError

if TYPE_CHECKING:
    from tinygrad_landscape.draw.scene import Scene

HOLD = 1.5  # seconds for which the last frame stays before a film begins again
CLEAR = 255  # the place in a GIF's palette that means "as before"
PAGE = Path(__file__).parent / "static" / "film.html"


def save_film(
    scene: Scene, path: str | os.PathLike[str], fps: float = 20.0, progress: bool = False
) -> None:
    """Write all frames of a scene to `path`: .gif, .mp4 or .html.

    Args:
        scene: what to film; its frame and veils are as before afterwards.
        path: the ending chooses the format. The file appears when it is complete.
        fps: frames a second; a GIF counts in hundredths of a second.
        progress: show a bar.

    Raises:
        ParameterError: for another ending, a rate that is not above 0, or .mp4 without ffmpeg.
    """
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ParameterError(f"got the ending {ending!r}; expected {', '.join(WRITERS)}")
    if not 0.0 < fps <= 100.0:
        raise ParameterError(f"got fps={fps}; expected frames a second above 0, at most 100")
    with _moved_into_place(path) as draft:
        WRITERS[ending](scene, draft, fps, progress)


def frames(scene: Scene, progress: bool = False) -> Iterator[NDArray[np.uint8]]:
    """Every frame of a scene without veils, uint8 (height, width, 3), valid until the next."""
    numbers: Any = range(scene.frames)
    if progress:
        from tqdm.auto import tqdm

        numbers = tqdm(numbers, desc="film", unit="frame", leave=False)
    before = scene.frame, scene.veiled
    scene.veiled = False
    try:
        for frame in numbers:
            scene.frame = frame
            yield scene.pixels()
    finally:
        scene.frame, scene.veiled = before


def _gif(scene: Scene, path: str, fps: float, progress: bool) -> None:
    from PIL import Image

    palette = _palette(scene)
    pictures, before = [], None
    for pixels in frames(scene, progress):
        indexed = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
        now = np.asarray(indexed)
        news = now if before is None else np.where(now == before, CLEAR, now).astype(np.uint8)
        picture = Image.frombytes("P", indexed.size, news.tobytes())
        picture.putpalette(palette.getpalette())
        pictures.append(picture)
        before = now
    each = max(1, round(100 / fps)) * 10
    pictures[0].save(
        path, format="GIF", save_all=True, append_images=pictures[1:], loop=0, optimize=False,
        duration=[each] * (len(pictures) - 1) + [each + int(1000 * HOLD)], disposal=1,
        transparency=CLEAR,
    )  # fmt: skip


def _palette(scene: Scene) -> Any:
    """255 colours for the whole film, chosen from its first, middle and last frame."""
    from PIL import Image

    before = scene.frame, scene.veiled
    scene.veiled = False
    looks = []
    for frame in (0, scene.frames // 2, scene.frames - 1):
        scene.frame = frame
        looks.append(scene.pixels().copy())
    scene.frame, scene.veiled = before
    return Image.fromarray(np.concatenate(looks)).quantize(
        CLEAR, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )


def _mp4(scene: Scene, path: str, fps: float, progress: bool) -> None:
    import matplotlib

    program = shutil.which(matplotlib.rcParams["animation.ffmpeg_path"])
    if program is None:
        raise ParameterError(
            "an .mp4 needs ffmpeg, which was not found on the PATH. Install it (apt install "
            "ffmpeg, brew install ffmpeg, winget install ffmpeg), or write .gif or .html, which "
            "need nothing"
        )
    width, height = scene.size
    command = [
        program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", f"{fps}", "-i", "-", "-an",
        "-c:v", matplotlib.rcParams["animation.codec"], "-pix_fmt", "yuv420p",
        "-vf", f"pad=ceil(iw/2)*2:ceil(ih/2)*2,tpad=stop_mode=clone:stop_duration={HOLD}",
        "-movflags", "+faststart", "-f", "mp4", path,
    ]  # fmt: skip
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said) as ffmpeg,
    ):
        pipe: Any = ffmpeg.stdin
        try:
            with suppress(BrokenPipeError):  # ffmpeg has given up, and says why
                for pixels in frames(scene, progress):
                    pipe.write(pixels.tobytes())
        except BaseException:
            ffmpeg.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                pipe.close()
        if ffmpeg.wait():
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()[-3:]
            raise ParameterError(
                "ffmpeg could not write the film: " + " ".join(words) + ". Another codec may help "
                "(matplotlib.rcParams['animation.codec']), or .gif or .html"
            )


def _html(scene: Scene, path: str, fps: float, progress: bool) -> None:
    width, height = scene.size
    film = {
        "width": width,
        "height": height,
        "frames": scene.frames,
        "fps": fps,
        "background": "data:image/png;base64," + base64.b64encode(scene.background()).decode(),
        "layers": tracks(scene),
    }
    words = {
        "@paper": scene.style.paper,
        "@ink": scene.style.ink,
        "@muted": scene.style.muted,
        "@scale": f"{scene.style.scale:g}",
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, value in words.items():
        text = text.replace(name, value)
    data = json.dumps(film, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    Path(path).write_text(text.replace('"@film"', data), encoding="utf-8")


WRITERS = {".gif": _gif, ".mp4": _mp4, ".html": _html}


@contextmanager
def _moved_into_place(path: str | os.PathLike[str]) -> Iterator[str]:
    """A temporary name beside `path`, moved there when all went well, else removed."""
    path = Path(path)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    os.close(handle)
    try:
        yield draft
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
