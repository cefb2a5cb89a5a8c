"""A real 8000-atom glass through OVITO, box centred on the origin, some atoms outside."""

from __future__ import annotations

import numpy as np
from ovito.data import DataCollection
from ovito.pipeline import Pipeline, StaticSource

from glass_core import Structure, load_model, predict
from glass_core.outputs import output
from glass_core.pickles import load_arrays
from ovito_glass.modifier import PredictBarriers


def test_pipeline_gives_the_core_predictions(shared_data):
    arrays = load_arrays(shared_data / "symgnn" / "train6.pickle")
    cell = np.diag(arrays["box"].astype(float))
    data = DataCollection()
    data.create_cell(np.column_stack([cell, -np.diag(cell) / 2]), pbc=(True, True, True))
    particles = data.create_particles(count=len(arrays["types"]))
    particles.create_property("Position", data=arrays["positions"])
    particles.create_property("Particle Type", data=arrays["types"])
    pipeline = Pipeline(source=StaticSource(data=data))
    pipeline.modifiers.append(PredictBarriers(species_map="1=Cu, 2=Zr"))
    result = pipeline.compute()

    structure = Structure(arrays["positions"], arrays["types"] - 1, ("Cu", "Zr"), cell, True)
    for name, per_atom in predict(load_model(), structure).items():
        np.testing.assert_allclose(result.particles[output(name).ovito], per_atom.values, rtol=1e-6, err_msg=name)
