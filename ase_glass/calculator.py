"""A calculator that adds barrier predictions to another one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.outputs import Properties, all_outputs

from ase_glass.annotation import Arrays, as_model, attach, predicted_arrays
from ase_glass.old_style import modern
from ase_glass.parameters import description, model_reference
from ase_glass.structure import SpeciesMap, same_structure, to_structure
from glass_core import GlassError, Structure
from glass_core.errors import unknown
from glass_core.model_file import DEFAULT
from glass_core.outputs import output
from glass_core.species_map import as_species_map

if TYPE_CHECKING:
    from glass_core.models.base import Model

_PARAMETERS = ("model", "species_map")


class UnknownPropertyError(GlassError, PropertyNotImplementedError):
    """A property that neither the model nor the base calculator has; the message offers the nearest name."""


class GlassCalculator(Calculator):
    """Energies, forces and stress of ``base`` untouched; predictions of ``model`` when asked for.

    Standard properties are answered by ``base`` itself, to the last bit, and ``results`` are those of
    ``base``: ASE's writers drop or refuse names that are not ASE's, so predictions are never put there.
    They are computed at the first ``get_property("glass_barrier", atoms)``, ``predictions(atoms)`` or
    ``annotate(atoms)``, all outputs in one model call, and kept until positions, species, cell or
    periodicity change.

    Args:
        model: name or path of a model (see ``glass models``), or a model.
        base: calculator of energies and forces; without one there are only predictions.
        species_map: see ``to_structure``.

    Attributes:
        base: the base calculator; its parameters are set on it.
        implemented_properties: those of ``base``.

    Raises:
        GlassError: for an unknown model, or a base that is no calculator.

    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> atoms = bulk("Cu", cubic=True) * (3, 3, 3)
    >>> atoms.calc = GlassCalculator(base=EMT())
    >>> bool(atoms.get_potential_energy() == EMT().get_potential_energy(atoms))
    True
    >>> atoms.calc.get_property("glass_barrier", atoms).shape
    (108,)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Model = DEFAULT,
        base: Any = None,
        species_map: SpeciesMap | None = None,
    ) -> None:
        self._model: Model | None = None
        self._predicted: tuple[Structure, Arrays] | None = None
        super().__init__(model=model, species_map=species_map)
        self.base = None if base is None else modern(base)
        self.implemented_properties = [] if base is None else list(self.base.implemented_properties)

    @property
    def results(self) -> dict[str, Any]:
        """Results of the base calculator."""
        return {} if self.__dict__.get("base") is None else self.base.results

    @results.setter
    def results(self, values: dict[str, Any]) -> None:
        if self.__dict__.get("base") is not None:
            self.base.results = values

    @property
    def atoms(self) -> Atoms | None:
        """Atoms of the last calculation of the base calculator."""
        return getattr(self.__dict__.get("base"), "atoms", None)

    @atoms.setter
    def atoms(self, atoms: Atoms | None) -> None:
        if self.__dict__.get("base") is not None:
            self.base.atoms = atoms

    @property
    def model(self) -> Model:
        """The model, loaded once per process."""
        if self._model is None:
            self._model = as_model(self.parameters["model"])
        return self._model

    @property
    def predicted_properties(self) -> list[str]:
        """Names of the predictions: ``glass_`` + output of the model."""
        return [output(name).ase for name in self.model.outputs]

    def predictions(self, atoms: Atoms | None = None) -> Arrays:
        """All predictions for ``atoms`` as ``{"glass_barrier": values, …}``, each of shape (n,).

        Raises:
            GlassError: for atoms that the model cannot take, as those of a species it does not know.
        """
        found = self._predictions(atoms, allow_calculation=True)
        return {name: values.copy() for name, values in (found or {}).items()}

    def annotate(self, atoms: Atoms) -> None:
        """Writes the predictions into ``atoms.arrays``, see ``ase_glass.annotate``."""
        attach(atoms, self.predictions(atoms), self.model)

    def get_property(self, name: str, atoms: Atoms | None = None, allow_calculation: bool = True) -> Any:
        """A standard property from ``base``, or a prediction.

        Returns:
            The value; None if it is not known yet and ``allow_calculation`` is False.

        Raises:
            PropertyNotImplementedError: for a property that ``base`` does not have.
            UnknownPropertyError: for a name that is neither ASE's nor a prediction.
        """
        if name in self.predicted_properties:
            found = self._predictions(atoms, allow_calculation)
            return None if found is None else found[name].copy()
        if self.base is None:
            raise self._missing(name)
        try:
            return self.base.get_property(name, atoms, allow_calculation)
        except PropertyNotImplementedError as error:
            if name in all_outputs:
                raise
            raise self._missing(name) from error

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Computes ``properties`` and no others."""
        predicted = self.predicted_properties
        standard = [name for name in properties if name not in predicted]
        if standard and self.base is None:
            raise self._missing(standard[0])
        if standard:
            self.base.calculate(atoms, standard, list(system_changes))
        if len(standard) < len(properties):
            self._predictions(atoms, allow_calculation=True)

    def export_properties(self) -> Properties:
        """Results under ASE's own names; extras of the base calculator stay in ``results``."""
        return Properties({name: value for name, value in self.results.items() if name in all_outputs})

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """What changed since the last calculation of ``base``, or of the predictions if there is no base."""
        if self.base is not None:
            return list(self.base.check_state(atoms, tol))
        return [] if self._cached(to_structure(atoms, self.parameters["species_map"])) else list(all_changes)

    def calculation_required(self, atoms: Atoms, properties: Sequence[str]) -> bool:
        """Whether one of ``properties`` is not known for ``atoms``."""
        predicted = self.predicted_properties
        standard = [name for name in properties if name not in predicted]
        if len(standard) < len(properties) and self._predictions(atoms, allow_calculation=False) is None:
            return True
        return bool(standard) and (self.base is None or self.base.calculation_required(atoms, standard))

    def set(self, **parameters: Any) -> dict[str, Any]:
        """Changes ``model`` or ``species_map``; results of ``base`` stay valid.

        Raises:
            GlassError: for another parameter, a model that cannot be loaded, or what is no species map; nothing is
                changed then.
        """
        for name in parameters:
            if name not in _PARAMETERS:
                raise unknown("parameter", name, _PARAMETERS, "Parameters of the base calculator are set on calc.base.")
        if "model" in parameters:
            loaded = as_model(parameters["model"])
            parameters["model"] = model_reference(parameters["model"])
        if parameters.get("species_map") is not None:
            parameters["species_map"] = as_species_map(parameters["species_map"])
        changed = super().set(**parameters)
        if "model" in parameters:
            self._model = loaded
        if "model" in parameters or changed:
            self._predicted = None
        return changed

    def reset(self) -> None:
        """Forgets predictions and the results of ``base``."""
        self._predicted = None
        if hasattr(self.__dict__.get("base"), "reset"):
            self.base.reset()
        else:
            self.atoms, self.results = None, {}

    def todict(self, skip_default: bool = True) -> dict[str, Any]:
        """Parameters as plain JSON: model, species map, and name and parameters of ``base``."""
        model = self.parameters["model"]
        content: dict[str, Any] = {"model": model if isinstance(model, str) else model.card.name or model.kind}
        if self.parameters["species_map"] or not skip_default:
            content["species_map"] = self.parameters["species_map"]
        if self.base is not None:
            content["base"] = description(self.base)
        return content

    def set_atoms(self, atoms: Atoms) -> None:
        """Passes ASE's notice that the calculator was attached to ``atoms`` on to ``base``."""
        if hasattr(self.base, "set_atoms"):
            self.base.set_atoms(atoms)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None, "_predicted": None}

    def _predictions(self, atoms: Atoms | None, allow_calculation: bool) -> Arrays | None:
        target = self.atoms if atoms is None else atoms
        if target is None:
            if self._predicted is None:
                raise GlassError("nothing to predict for: give atoms, as in calc.predictions(atoms)")
            return self._predicted[1]
        structure = to_structure(target, self.parameters["species_map"])
        if not self._cached(structure):
            if not allow_calculation:
                return None
            self._predicted = structure, predicted_arrays(self.model, structure)
        return self._predicted[1] if self._predicted else None

    def _cached(self, structure: Structure) -> bool:
        return self._predicted is not None and same_structure(self._predicted[0], structure)

    def _missing(self, name: str) -> UnknownPropertyError | PropertyNotImplementedError:
        if name in all_outputs:
            return PropertyNotImplementedError(
                f"{name} is not a prediction; give a calculator that has it: GlassCalculator(base=...)"
            )
        return UnknownPropertyError(
            str(unknown("property", name, [*self.predicted_properties, *self.implemented_properties]))
        )
