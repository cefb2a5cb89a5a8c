"""The modifier in real pipelines."""

from __future__ import annotations

import importlib.metadata
import shutil

import numpy as np
import pytest
from ovito.data import DataCollection
from ovito.io import import_file
from ovito.modifiers import ColorCodingModifier, DeleteSelectedModifier, ExpressionSelectionModifier
from ovito.pipeline import Pipeline, StaticSource
from traits.api import TraitError

from glass_core import GlassError, load_model, predict
from glass_core.model_file import DEFAULT, SHIPPED, model_names, shipped_models
from glass_core.outputs import output
from glass_core.structure import Structure
from ovito_glass.modifier import PredictBarriers
from tests.ovito.conftest import xyz_text

OTHER = next(name for name in shipped_models() if name != DEFAULT)
MAIN = output(next(iter(load_model(DEFAULT).outputs))).ovito


def run(source, *modifiers, frame=0):
    pipeline = (
        import_file(source) if not isinstance(source, DataCollection) else Pipeline(source=StaticSource(data=source))
    )
    pipeline.modifiers.extend(modifiers)
    return pipeline.compute(frame)


def expect_predictions(data, model, structure, prefix=""):
    for name, per_atom in predict(load_model(model), structure).items():
        values = data.particles[f"{prefix}{output(name).ovito}"]
        np.testing.assert_allclose(values, per_atom.values, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("model", shipped_models())
def test_element_names(xyz_file, structure, model):
    expect_predictions(run(xyz_file, PredictBarriers(model=model)), model, structure)


def test_shifted_box_and_shuffled_ids(dump_file, structure):
    expect_predictions(run(dump_file, PredictBarriers()), DEFAULT, structure)


def test_numeric_types_with_a_map(numeric_dump, structure):
    data = run(numeric_dump(structure), PredictBarriers(species_map="1=Cu, 2=Zr"))
    expect_predictions(data, DEFAULT, structure)


def test_numeric_types_without_a_map(numeric_dump, structure):
    with pytest.raises(GlassError, match=r"type 1 in .*numeric\.dump has no species; say which: 1=Cu in the"):
        run(numeric_dump(structure), PredictBarriers())


@pytest.mark.parametrize("text", ["1=Cu 2=Zr", "1=Cu, 1=Zr, 2=Zr", "Cu"])
def test_species_map_with_a_mistake(numeric_dump, structure, text):
    with pytest.raises(GlassError, match="species map"):
        run(numeric_dump(structure), PredictBarriers(species_map=text))


def test_species_map_never_renames_named_types(tmp_path, structure):
    order = np.argsort(structure.symbols())[::-1]  # OVITO numbers Zr 1 and Cu 2 then
    path = tmp_path / "zr_first.xyz"
    path.write_text(xyz_text(structure.subset(order)))
    expect_predictions(run(path, PredictBarriers()), DEFAULT, structure.subset(order))
    with pytest.raises(GlassError, match=r"is Zr by its name 'Zr' and Cu by its number"):
        run(path, PredictBarriers(species_map="1=Cu, 2=Zr"))


def test_species_that_the_model_does_not_know(numeric_dump, structure):
    with pytest.raises(GlassError, match=r"species 'Fe'.*unknown to model"):
        run(numeric_dump(structure), PredictBarriers(species_map="1=Fe, 2=Zr"))


def test_only_selected(xyz_file, structure):
    data = run(
        xyz_file,
        ExpressionSelectionModifier(expression="fmod(ParticleIndex, 3) == 0"),
        PredictBarriers(only_selected=True),
    )
    chosen = np.arange(structure.n_atoms) % 3 == 0
    mask = np.array(data.particles["Predicted"])
    assert (mask == chosen).all()
    for name, per_atom in predict(load_model(), structure, centres=chosen).items():
        values = np.array(data.particles[output(name).ovito])
        np.testing.assert_allclose(values[chosen], per_atom.values, rtol=1e-5, atol=1e-5)
        rest = values[~chosen]
        assert np.isnan(rest).all() if values.dtype.kind == "f" else (rest == -1).all()
    assert data.attributes[f"Glass.{DEFAULT}.atoms"] == chosen.sum()
    assert data.tables[f"glass-{DEFAULT}"].y[...].sum() == chosen.sum()


def test_all_predicted_needs_no_mask(xyz_file):
    assert "Predicted" not in run(xyz_file, PredictBarriers()).particles


def test_empty_selection(xyz_file):
    data = run(xyz_file, ExpressionSelectionModifier(expression="0"), PredictBarriers(only_selected=True))
    assert np.isnan(data.particles[MAIN]).all()
    assert data.attributes[f"Glass.{DEFAULT}.atoms"] == 0
    assert np.isnan(data.attributes[f"Glass.{DEFAULT}.mean"])


def test_only_selected_without_a_selection(xyz_file):
    with pytest.raises(GlassError, match=r"no particles are selected.*selection modifier"):
        run(xyz_file, PredictBarriers(only_selected=True))


def test_zero_particles(xyz_file):
    data = run(xyz_file, ExpressionSelectionModifier(expression="1"), DeleteSelectedModifier(), PredictBarriers())
    assert data.particles.count == 0
    assert len(data.particles[MAIN]) == 0


def test_several_frames_and_one_model_load(numeric_dump, structure, monkeypatch):
    frames = [
        structure,
        Structure(structure.positions_nc * 1.01, structure.types_n, ("Cu", "Zr"), structure.cell_cc * 1.01, True),
    ]
    pipeline = import_file(numeric_dump(*frames))
    pipeline.modifiers.append(PredictBarriers(species_map="1=Cu,2=Zr"))
    expect_predictions(pipeline.compute(0), DEFAULT, frames[0])
    with monkeypatch.context() as patch:
        patch.setattr("safetensors.numpy.load_file", lambda path: pytest.fail("the model was loaded again"))
        data = pipeline.compute(1)
    expect_predictions(data, DEFAULT, frames[1])


def test_two_models_in_one_pipeline(xyz_file, structure):
    data = run(xyz_file, PredictBarriers(model=DEFAULT), PredictBarriers(model=OTHER))
    expect_predictions(data, DEFAULT, structure)
    for name, per_atom in predict(load_model(OTHER), structure).items():
        shared = name in load_model(DEFAULT).outputs
        column = f"{OTHER} {output(name).ovito}" if shared else output(name).ovito
        np.testing.assert_allclose(data.particles[column], per_atom.values, rtol=1e-5, atol=1e-5)
    assert {f"glass-{DEFAULT}", f"glass-{OTHER}"} <= set(data.tables.keys())
    assert {f"Glass.{name}.hash" for name in (DEFAULT, OTHER)} <= set(data.attributes)


def test_one_model_twice_with_a_prefix(xyz_file, structure):
    data = run(xyz_file, PredictBarriers(), PredictBarriers(prefix="Run-2 b"))
    expect_predictions(data, DEFAULT, structure)
    expect_predictions(data, DEFAULT, structure, prefix="Run-2 b ")
    assert data.attributes["Glass.Run-2 b.model"] == DEFAULT
    assert "glass-Run-2 b" in data.tables


def test_prefixed_property_can_be_used_downstream(xyz_file):
    data = run(xyz_file, PredictBarriers(prefix="A"), ColorCodingModifier(property=f"A {MAIN}"))
    assert "Color" in data.particles


def test_one_model_twice_without_a_prefix(xyz_file):
    with pytest.raises(GlassError, match=r"two modifiers of this pipeline.*prefix"):
        run(xyz_file, PredictBarriers(), PredictBarriers())


def test_property_of_the_input_is_not_overwritten(xyz_file):
    data = run(xyz_file).clone()
    data.particles_.create_property(MAIN, data=np.full(data.particles.count, 7.0))
    result = run(data, PredictBarriers())
    assert (result.particles[MAIN][...] == 7.0).all()
    assert result.particles[f"{DEFAULT} {MAIN}"][...].max() != 7.0


@pytest.mark.parametrize("prefix", ["1", "a.b", "(x)"])
def test_prefix_that_is_no_name(xyz_file, prefix):
    with pytest.raises(GlassError, match="prefix must start with a letter"):
        run(xyz_file, PredictBarriers(prefix=prefix))


@pytest.mark.parametrize(
    "parameters",
    [
        {"modle": DEFAULT},
        {"model": "no such model"},
        {"bins": 1},
        {"only_selected": "maybe"},
        {"species_map": {1: "Cu"}},
    ],
)
def test_wrong_parameters_are_refused(parameters):
    with pytest.raises(TraitError, match=next(iter(parameters))):
        PredictBarriers(**parameters)


def test_misspelt_attribute_is_refused():
    with pytest.raises(TraitError, match="only_seleted"):
        PredictBarriers().only_seleted = True


def test_integers_stay_integers(xyz_file):
    kind = run(xyz_file, PredictBarriers()).particles["Out Of Domain"].dtype.kind
    assert kind == "i"


def test_histogram_and_attributes(xyz_file):
    data = run(xyz_file, PredictBarriers(bins=20))
    model = load_model()
    values = np.array(data.particles[MAIN])
    table = data.tables[f"glass-{DEFAULT}"]
    counts, edges = np.histogram(values, bins=20)
    assert (table.y[...] == counts).all()
    assert table.interval == pytest.approx((edges[0], edges[-1]))
    assert DEFAULT in table.title
    attributes = {key: data.attributes[f"Glass.{DEFAULT}.{key}"] for key in ("model", "hash", "unit", "mean", "std")}
    assert attributes == {
        "model": DEFAULT,
        "hash": model.card.sha256,
        "unit": next(iter(model.outputs.values())),
        "mean": pytest.approx(values.mean()),
        "std": pytest.approx(values.std()),
    }
    fraction = data.attributes[f"Glass.{DEFAULT}.out_of_domain_fraction"]
    assert fraction == pytest.approx(np.mean(data.particles["Out Of Domain"]))


def test_model_from_a_file(tmp_path, xyz_file, structure):
    path = tmp_path / "my.model.safetensors"
    shutil.copy(SHIPPED / f"{OTHER}.safetensors", path)
    data = run(xyz_file, PredictBarriers(model_file=str(path)))
    expect_predictions(data, OTHER, structure)
    assert data.attributes["Glass.my_model.model"] == "my.model"


def test_model_file_that_does_not_exist(xyz_file):
    with pytest.raises(GlassError, match=r"nothere.safetensors does not exist"):
        run(xyz_file, PredictBarriers(model_file="nothere.safetensors"))


@pytest.mark.parametrize("pbc", [(True, True, True), (True, True, False), (False, False, False)])
def test_periodicity(xyz_file, structure, pbc):
    data = run(xyz_file).clone()
    data.cell_.pbc = pbc
    same = Structure(structure.positions_nc, structure.types_n, structure.species, structure.cell_cc, pbc)
    expect_predictions(run(data, PredictBarriers()), DEFAULT, same)


def test_no_cell(xyz_file, structure):
    data = run(xyz_file).clone()
    del data.objects[data.objects.index(data.cell)]
    assert data.cell is None
    free = Structure(structure.positions_nc, structure.types_n, structure.species)
    expect_predictions(run(data, PredictBarriers()), DEFAULT, free)


def test_2d_cell(xyz_file, structure):
    data = run(xyz_file).clone()
    data.cell_.is2D = True
    slab = Structure(
        structure.positions_nc, structure.types_n, structure.species, structure.cell_cc, (True, True, False)
    )
    expect_predictions(run(data, PredictBarriers()), DEFAULT, slab)


def test_status_and_progress_are_yielded(xyz_file):
    steps = list(PredictBarriers().modify(run(xyz_file), frame=0))
    texts = [step for step in steps if isinstance(step, str)]
    assert texts[0] == "Loading the model"
    assert f"of 256 atoms with model {DEFAULT}" in texts[1]
    assert MAIN in texts[-1]
    assert all(0 <= step <= 1 for step in steps if not isinstance(step, str))


def test_entry_point_is_the_menu_entry():
    (entry,) = [e for e in importlib.metadata.entry_points(group="OVITO.Modifier") if e.name == "Predict barriers"]
    assert entry.load() is PredictBarriers


def test_every_parameter_has_a_label_and_a_group():
    traits = PredictBarriers().traits(label=lambda label: label is not None)
    assert set(traits) == {"model", "model_file", "species_map", "only_selected", "prefix", "bins"}
    assert all(trait.ovito_group for trait in traits.values())
    assert list(traits["model"].handler.values) == model_names()
