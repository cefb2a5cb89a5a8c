"""Headless pictures of predictions, drawn by OVITO."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glass_core import GlassError
from glass_core.errors import missing_extra
from glass_core.files import replacing
from glass_core.frame import Frame
from glass_core.outputs import PerAtom, output

if TYPE_CHECKING:
    from ovito.data import DataCollection
    from ovito.modifiers import ColorCodingModifier
    from ovito.pipeline import Pipeline
    from ovito.vis import ColorLegendOverlay, TachyonRenderer, Viewport

_VIEW = np.array([-1.0, -1.35, -0.75])
_CUT_AT = 0.5
_FIELD_OF_VIEW = math.radians(22.0)
_WIDTH, _HEIGHT = 0.78, 0.96  # parts of the picture that the atoms may fill
_EDGE = 0.03
_MARGIN = 1.0  # Å around the atoms' centres
_ROUNDING = 1e-9
_RADIUS_SCALE = 1.0
_COLOUR_PERCENTILES = (1.0, 99.0)
_SHOWN = "Shown"
_FORMATS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_CURE = "on Linux install libvulkan1 and mesa-vulkan-drivers, and leave QT_QPA_PLATFORM unset"


class RenderingUnavailableError(GlassError, RuntimeError):
    """OVITO cannot draw on this machine."""


def render_picture(
    frame: Frame,
    outputs: Mapping[str, PerAtom],
    path: str | os.PathLike[str],
    size: tuple[int, int] = (900, 700),
    name: str | None = None,
    cut: bool = True,
) -> None:
    """Writes a picture of the atoms coloured by a prediction, with a colour legend.

    The colour scale spans the 1st to the 99th percentile. Atoms without a value (NaN) are left out.

    Args:
        frame: the atoms.
        outputs: predictions for all of them, ``{name: PerAtom}``.
        path: picture to write, ending in .png, .jpg or .tif.
        size: width and height in pixels.
        name: which output; default the first.
        cut: whether to leave out the octant of the box nearest to the viewer, so that the inside shows.

    Raises:
        GlassError: without atoms, without a value for each atom, or if the picture cannot be written.
        MissingExtraError: without OVITO.
        RenderingUnavailableError: if OVITO is there but cannot draw.
    """
    try:
        from ovito.pipeline import Pipeline, StaticSource
    except ModuleNotFoundError as error:
        raise missing_extra("ovito", "ovito") from error
    if pathlib.Path(path).suffix.lower() not in _FORMATS:
        raise GlassError(f"a picture must end in one of {', '.join(_FORMATS)}, got {path}")
    chosen = next(iter(outputs), "") if name is None else name
    values = _checked(frame, outputs, chosen)
    data = _collection(frame, values, cut)
    pipeline = Pipeline(source=StaticSource(data=data))
    colouring, spacing = _colouring(values)
    pipeline.modifiers.append(colouring)
    with _alone_in_scene(pipeline), replacing(path) as temporary:
        viewport = _viewport(np.array(data.particles.positions), size)
        viewport.overlays.append(_legend(colouring, spacing, chosen, outputs[chosen].unit))
        try:
            viewport.render_image(size=size, filename=str(temporary), renderer=_renderer())
        except RuntimeError as error:
            reason = " ".join(str(error).split()).partition(". ")[0]
            raise RenderingUnavailableError(f"OVITO cannot draw ({reason}); {_CURE}") from error


def _renderer() -> TachyonRenderer:
    """Soft even light, so that colours can be compared with the legend; seconds on two cores."""
    from ovito.vis import TachyonRenderer

    return TachyonRenderer(
        ambient_occlusion_brightness=1.0,
        ambient_occlusion_samples=8,
        antialiasing_samples=5,
        direct_light_intensity=0.85,
        shadows=False,
    )


def _checked(frame: Frame, outputs: Mapping[str, PerAtom], name: str) -> NDArray[np.float64]:
    if name not in outputs:
        raise GlassError(f"there is no output {name!r} to colour by; there are: {', '.join(outputs) or 'none'}")
    values = outputs[name].values
    if len(values) != frame.structure.n_atoms:
        raise GlassError(f"{name} has {len(values)} values for {frame.structure.n_atoms} atoms; predict all atoms")
    if not np.isfinite(values).any():
        raise GlassError(f"no atom has a value of {name}, so there is nothing to draw")
    return values


def _collection(frame: Frame, values: NDArray[np.float64], cut: bool) -> DataCollection:
    """The atoms to draw, wrapped into the box, with their values."""
    from ovito.data import DataCollection

    structure = frame.structure
    origin = np.asarray(frame.info.get("origin", np.zeros(3)), dtype=np.float64)
    reduced = (structure.positions_nc - origin) @ np.linalg.inv(structure.cell_cc)
    reduced[:, structure.pbc] %= 1.0
    shown = np.isfinite(values)
    if cut and any(structure.pbc):
        toward_viewer = np.where(_VIEW @ structure.cell_cc.T < 0, reduced, 1.0 - reduced)
        shown &= ~(toward_viewer > _CUT_AT).all(axis=1)
    data = DataCollection()
    particles = data.create_particles(count=int(shown.sum()))
    particles.create_property("Position", data=(reduced @ structure.cell_cc + origin)[shown])
    types = particles.create_property("Particle Type")
    for number, symbol in enumerate(structure.species):
        entry: Any = types.add_type_name(symbol, particles)  # a ParticleType, which OVITO's stub does not say
        entry.radius = _RADIUS_SCALE * (entry.radius or 1.3)
        types[structure.types_n[shown] == number] = entry.id
    particles.create_property(_SHOWN, data=values[shown])
    if any(structure.pbc):
        cell = data.create_cell(np.column_stack([structure.cell_cc.T, origin]), pbc=structure.pbc)
        cell.vis.line_width = 0.12
        cell.vis.rendering_color = (0.25, 0.25, 0.3)
    return data


def _colouring(values: NDArray[np.float64]) -> tuple[ColorCodingModifier, float]:
    """Colours from the low to the high percentile, rounded outwards, and the spacing of ticks."""
    from ovito.modifiers import ColorCodingModifier

    low, high = np.nanpercentile(values, _COLOUR_PERCENTILES)
    spacing = _round_step((high - low) / 4.0)
    low = math.floor(low / spacing * 2.0 + _ROUNDING) * spacing / 2.0
    high = max(math.ceil(high / spacing * 2.0 - _ROUNDING) * spacing / 2.0, low + spacing)
    colouring = ColorCodingModifier(
        property=_SHOWN, gradient=ColorCodingModifier.Viridis(), start_value=low, end_value=high
    )
    return colouring, spacing


def _round_step(step: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above ``step``; 0.1 for a step of zero.

    >>> _round_step(0.27)
    0.2
    """
    if step <= 0.0:
        return 0.1
    power = 10.0 ** math.floor(math.log10(step))
    return float(max(factor * power for factor in (1.0, 2.0, 5.0) if factor * power <= step * (1.0 + _ROUNDING)))


def _viewport(positions: NDArray[np.float64], size: tuple[int, int]) -> Viewport:
    """A perspective view with the atoms in the left part of the picture and room for the legend."""
    from ovito.vis import Viewport

    forward = _VIEW / np.linalg.norm(_VIEW)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(right, forward), forward])
    low, high = positions.min(axis=0) - _MARGIN, positions.max(axis=0) + _MARGIN
    centre = (low + high) / 2.0
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(8, 3)
    x, y, z = axes @ (corners - centre).T
    up = math.tan(_FIELD_OF_VIEW / 2.0)
    aside = up * size[0] / size[1]
    distance = max((np.abs(x) / (_WIDTH * aside) - z).max(), (np.abs(y) / (_HEIGHT * up) - z).max())
    heights = y / (distance + z)
    raise_by = (heights.max() + heights.min()) / 2.0  # perspective makes the near end larger
    shift = (1.0 - _WIDTH - _EDGE) * aside * axes[0] + raise_by * axes[1]
    camera = centre + distance * (shift - forward)
    return Viewport(
        type=Viewport.Type.Perspective, camera_dir=tuple(forward), camera_pos=tuple(camera), fov=_FIELD_OF_VIEW
    )


def _legend(colouring: ColorCodingModifier, spacing: float, name: str, unit: str) -> ColorLegendOverlay:
    from ovito.qt_compat import QtCore
    from ovito.vis import ColorLegendOverlay

    return ColorLegendOverlay(  # type: ignore[call-arg, unused-ignore]  # OVITO's stub knows `title` only as `caption`
        modifier=colouring,
        title=f"{output(name).ovito}{f' ({unit})' if unit else ''}",
        alignment=QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter,
        orientation=QtCore.Qt.Orientation.Vertical,
        legend_size=0.5,
        aspect_ratio=14.0,
        font_size=0.075,
        format_string="%g",
        ticks_enabled=True,
        ticks_spacing=spacing,
        border_enabled=False,
        text_color=(0.1, 0.1, 0.12),
        offset_x=-0.02,
    )


@contextmanager
def _alone_in_scene(pipeline: Pipeline) -> Iterator[None]:
    """Shows only this pipeline; what the scene held before is put back afterwards."""
    import ovito

    others = list(ovito.scene.pipelines)
    for other in others:
        other.remove_from_scene()
    pipeline.add_to_scene()
    try:
        yield
    finally:
        pipeline.remove_from_scene()
        for other in others:
            other.add_to_scene()
