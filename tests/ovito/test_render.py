"""Pictures; skipped where OVITO is there but cannot draw."""

from __future__ import annotations

import numpy as np
import ovito
import pytest
from ovito.io import import_file

from glass_core import GlassError, PerAtom
from glass_core.frame import Frame
from glass_core.structure import Structure
from ovito_glass.render import RenderingUnavailableError, render_picture


@pytest.fixture
def frame(structure):
    return Frame(structure, np.arange(1, structure.n_atoms + 1), {})


@pytest.fixture
def outputs(structure):
    return {"barrier": PerAtom(structure.positions_nc[:, 0] / 10.0, "eV")}


def draw(frame, outputs, path, **options):
    from ovito.qt_compat import QtGui

    try:
        render_picture(frame, outputs, path, size=(240, 180), **options)
    except RenderingUnavailableError as error:
        pytest.skip(str(error))
    image = QtGui.QImage(str(path)).convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def test_picture_has_atoms_and_a_legend_on_white(frame, outputs, tmp_path):
    pixels = draw(frame, outputs, tmp_path / "picture.png")
    assert pixels.shape == (180, 240, 3)
    assert (pixels[0, 0] == 255).all()
    coloured = np.ptp(pixels, axis=2) > 40
    assert coloured[:, :160].mean() > 0.2, "atoms on the left"
    assert coloured[:, 200:].any(), "legend on the right"


def test_only_what_is_asked_for_is_drawn(frame, outputs, tmp_path, xyz_file):
    pipeline = import_file(xyz_file)
    pipeline.add_to_scene()
    try:
        alone = draw(frame, outputs, tmp_path / "a.png")
        assert list(ovito.scene.pipelines) == [pipeline]
    finally:
        pipeline.remove_from_scene()
    np.testing.assert_allclose(alone, draw(frame, outputs, tmp_path / "b.png"), atol=60)


def test_cut_shows_the_inside(frame, outputs, tmp_path):
    whole = draw(frame, outputs, tmp_path / "whole.png", cut=False)
    cut = draw(frame, outputs, tmp_path / "cut.png")
    assert (np.abs(whole - cut).max(axis=2) > 40).mean() > 0.05


def test_cluster_without_a_box_and_missing_values(tmp_path):
    cluster = Structure([[0, 0, 0], [2.5, 0, 0], [0, 2.5, 0]], [0, 1, 0], ("Cu", "Zr"))
    values = PerAtom(np.array([1.0, 1.0, np.nan]), "eV")
    pixels = draw(Frame(cluster, np.arange(3), {}), {"barrier": values}, tmp_path / "cluster.png")
    assert (np.ptp(pixels, axis=2) > 40).any()


@pytest.mark.parametrize(
    ("values", "name", "message"),
    [
        (np.zeros(2), None, "2 values for 256 atoms"),
        (np.full(256, np.nan), None, "no atom has a value"),
        (np.zeros(256), "bariere", "no output 'bariere'.*barrier"),
    ],
)
def test_mistakes(frame, tmp_path, values, name, message):
    with pytest.raises(GlassError, match=message):
        render_picture(frame, {"barrier": PerAtom(values, "eV")}, tmp_path / "x.png", name=name)
    assert not list(tmp_path.iterdir())


def test_folder_that_does_not_exist(frame, outputs, tmp_path):
    with pytest.raises(GlassError, match="cannot write"):
        render_picture(frame, outputs, tmp_path / "none" / "x.png")


def test_picture_of_an_unknown_format(frame, outputs, tmp_path):
    with pytest.raises(GlassError, match=r"must end in one of \.png.*x\.pdf"):
        render_picture(frame, outputs, tmp_path / "x.pdf")
