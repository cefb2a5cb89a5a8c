"""The OVITO modifier "Show event"."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from ovito.data import DataCollection
from ovito.pipeline import ModifierInterface
from ovito.traits import FilePath
from ovito.vis import VectorVis
from traits.api import Bool, Disallow, Enum, Int, Range, Union

from glass_core import GlassError
from glass_core.saddle.records import SearchRecord
from glass_core.structure import Floats
from ovito_glass.labels import Matched, matched_labels

VECTOR, LENGTH = "Displacement", "Displacement Magnitude"
_FAR = 0.1  # Å
_ARROWS = (0.1, 0.1, 0.12)
_SCALE = np.array([[0.88, 0.88, 0.88], [0.99, 0.68, 0.22], [0.70, 0.05, 0.10]])  # still, half, farthest


class ShowEvent(ModifierInterface):
    """Draws an event of a label file: how atoms move from the minimum to the saddle, or on to the other minimum.

    Every particle gets the property "Displacement" (with arrows) and "Displacement Magnitude", Å; those that moved by
    less than the label file records have zero. Colours go from light grey (still) to dark red (farthest). Global
    attributes ``Glass.event.…`` hold ``barrier``, ``final_energy`` (of the other minimum), ``elastic_error``, eV,
    ``curvature``, eV/Å², ``atom`` (index of the particle around which the search ran), ``search`` (its number there),
    ``number``, ``count`` (of events to choose from) and ``potential``; of a campaign with ``--model`` also ``model``,
    ``predicted_minimum`` and ``predicted_saddle`` (what it says of the atom at the minimum and at the saddle, eV).

    Raises (from ``pipeline.compute()``):
        GlassError: for a label file of another structure, naming what differs, or an event that does not exist.

    >>> ShowEvent(event=3, stage="final").stage
    'final'
    """

    _ = Disallow  # a misspelt parameter is an error

    label_file = FilePath("", label="Label file", ovito_group="Event", ovito_placeholder="‹made by glass label›")
    atom = Union(None, Int, label="Around particle (index)", ovito_group="Event")
    event = Range(0, None, 0, label="Number of the event", ovito_group="Event")
    stage = Enum("saddle", "final", label="Show displacements at", ovito_group="Event")
    move_atoms = Bool(False, label="Move atoms there", ovito_group="Display")
    arrows = Bool(True, label="Draw arrows", ovito_group="Display")
    scale = Range(0.0, None, 1.0, label="Length of arrows", ovito_group="Display")
    colour = Bool(True, label="Colour by displacement", ovito_group="Display")

    def modify(self, data: DataCollection, *, frame: int, **kwargs: Any) -> Generator[str | float, None, None]:
        """Called by the pipeline for each frame; yields status texts."""
        yield "Reading the label file"
        matched = matched_labels(data, self.label_file)
        searches = self._events(matched)
        search = int(searches[self.event])
        record = matched.labels.record(search)
        self._draw(data, matched, search)
        content = {"number": int(self.event), "count": len(searches), **_content(matched, record, search)}
        data.attributes.update({f"Glass.event.{name}": value for name, value in content.items()})
        field_dc = record.saddle_dc if self.stage == "saddle" else record.final_dc
        moved = int((np.linalg.norm(field_dc, axis=1) > _FAR).sum())
        yield (
            f"Event {self.event} of {len(searches)}: barrier {record.barrier:.3f} eV, "
            f"particle {matched.particle_n[record.atom]}, {moved} atoms move by more than {_FAR:g} Å"
        )

    def _events(self, matched: Matched) -> Any:
        """Searches to choose from."""
        labels, where = matched.labels, ""
        if self.atom is None:
            searches = labels.events()
        else:
            if not 0 <= self.atom < len(matched.particle_n):
                raise GlassError(f"particle {self.atom} does not exist; there are 0 … {len(matched.particle_n) - 1}")
            searches = labels.events(int(np.flatnonzero(matched.particle_n == self.atom)[0]))
            where = f" around particle {self.atom}"
        if not 0 <= self.event < len(searches):
            raise GlassError(
                f"{self.label_file} has {len(searches)} events{where}, numbered from 0; there is no event {self.event}"
            )
        return searches

    def _draw(self, data: DataCollection, matched: Matched, search: int) -> None:
        for name in (VECTOR, LENGTH):
            if name in data.particles:
                raise GlassError(f"the particles have a property {name!r} already; remove the modifier that writes it")
        displacement_nc = np.zeros((data.particles.count, 3))
        displacement_nc[matched.particle_n] = matched.labels.displacements(search, self.stage)
        length_n = np.linalg.norm(displacement_nc, axis=1)
        particles = data.particles_
        moved = displacement_nc if self.move_atoms else 0.0
        particles.create_property("Position", data=matched.minimum_nc + moved)
        vectors = particles.create_property(VECTOR, data=displacement_nc)
        vectors.vis.enabled, vectors.vis.scaling, vectors.vis.color = bool(self.arrows), float(self.scale), _ARROWS
        vectors.vis.alignment = VectorVis.Alignment.Head if self.move_atoms else VectorVis.Alignment.Base
        particles.create_property(LENGTH, data=length_n)
        if self.colour:
            particles.create_property("Color", data=_colours(length_n))


def _colours(length_n: Floats) -> Floats:
    """Light grey for atoms that stay, dark red for the one that goes farthest, shape (n, 3)."""
    part_n = length_n / max(float(length_n.max(initial=0.0)), 1e-9)
    return np.stack([np.interp(part_n, np.linspace(0, 1, len(_SCALE)), channel) for channel in _SCALE.T], axis=1)


def _content(matched: Matched, record: SearchRecord, search: int) -> dict[str, Any]:
    """Global attributes of an event."""
    labels = matched.labels
    content = {
        "atom": int(matched.particle_n[record.atom]),
        "search": record.number,
        "barrier": record.barrier,
        "final_energy": record.final_energy,
        "curvature": record.curvature,
        "elastic_error": record.elastic_error,
        "potential": labels.header.potential,
    }
    if labels.predicted is not None:
        content |= {
            "model": labels.predicted.model,
            "predicted_minimum": float(labels.predicted.barrier_n[record.atom]),
            "predicted_saddle": float(labels["predicted_saddle"][search]),
        }
    return content
