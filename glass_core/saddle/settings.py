"""Settings of a saddle search. Each decides which events are found, and so the label: presets name whole sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal, get_args

from glass_core.errors import GlassError, unknown
from glass_core.saddle.records import SADDLES, State
from glass_core.settings import Count, NotNegative, Positive, Range, Share, Whole, checked, conformed, field_types


@dataclass(frozen=True)
class Unit:
    """Powers of the units of length and energy in the unit of a setting."""

    length: int = 0
    energy: int = 0


Length = Annotated[Positive, Unit(length=1)]
Energy = Annotated[Positive, Unit(energy=1)]
Force = Annotated[Positive, Unit(energy=1, length=-1)]
Downwards = Annotated[float, Range(below=0), Unit(energy=1, length=-2)]


class _Checked:
    """Settings that refuse values out of bounds, however they are made."""

    def __post_init__(self) -> None:
        for name, hint in field_types(type(self)).items():
            conformed(getattr(self, name), hint, f"{name} of {type(self).__name__}")


@dataclass(frozen=True)
class Kick(_Checked):
    """The random direction in which a search starts: Gaussian numbers for some atoms, zero for all others.

    Attributes:
        atoms: "radius" for the centre and all atoms within ``radius``; "shell" for the centre and its first shell
            up to the first minimum of the distances around it; "voronoi" for the centre and the atoms that share a
            face with it; "centre" for it alone.
        radius: Å.
        reach: distance within which first shells and Voronoi cells are sought, Å: they lie in it in anything condensed.
    """

    atoms: Literal["radius", "shell", "voronoi", "centre"] = "radius"
    radius: Length = 3.8
    reach: Length = 8.0


@dataclass(frozen=True)
class Push(_Checked):
    """Out of the basin of the minimum, along the kick.

    Attributes:
        first: length of the first step over all coordinates, Å.
        step: length of the others, Å.
        most: steps, since the start or the last resumption, after which the search is lost.
        relaxations: steps of L-BFGS at right angles to the kick after each push. It is the least determined number
            of published protocols and changes barriers most.
        threshold: curvature below which the basin is left, eV/Å².
        lanczos_first: Lanczos vectors for the first lowest mode, from a random start.
        lanczos: for the others, starting from the last mode.
        lanczos_after: push steps before curvature is computed at all.
    """

    first: Length = 0.5
    step: Length = 0.15
    most: Count = 60
    relaxations: Whole = 2
    threshold: Downwards = -0.5
    lanczos_first: Annotated[int, Range(least=2)] = 14
    lanczos: Annotated[int, Range(least=2)] = 8
    lanczos_after: Count = 1


@dataclass(frozen=True)
class Climb(_Checked):
    """Along the mode of lowest curvature to the saddle.

    Attributes:
        step: longest step along the mode over all coordinates, Å; shorter ones are force / curvature.
        relaxations_first: steps of L-BFGS at right angles to the mode after the first step; one more after each.
        relaxations_most: until there are this many.
        relaxed: they end before once the largest force across the mode is below this share of the largest along it.
        lanczos: Lanczos vectors of each step, starting from the last mode.
        force: largest force on an atom at a saddle, eV/Å.
        enough: share of ``force`` below which forces across the mode are not relaxed any further.
        patience: steps of positive curvature, of those since the push, after which the push is resumed where it ended.
        second_vectors: most Lanczos vectors, from a random start, for the second curvature at a saddle. Where atoms
            within 15 Å move, 20 miss that of one saddle in eight (down to −0.07 eV/Å²).
        second_curvature: a second curvature below it makes a saddle one of higher order, eV/Å²; rounding and
            differences leave less.
        descents: how often a stationary point with a second negative curvature is left along it, to climb again.
        most: steps of a climb after which the search is lost.
        resumes: how often the push may be resumed before the search is lost.
    """

    step: Length = 0.15
    relaxations_first: Whole = 6
    relaxations_most: Whole = 12
    relaxed: NotNegative = 0.6
    lanczos: Annotated[int, Range(least=2)] = 8
    force: Force = 0.05
    enough: Share = 0.5
    patience: Count = 3
    second_vectors: Annotated[int, Range(least=2)] = 20
    second_curvature: Downwards = -0.02
    descents: Whole = 0
    most: Count = 100
    resumes: Whole = 10


@dataclass(frozen=True)
class Sides(_Checked):
    """Down to the minima on both sides of the saddle.

    Attributes:
        push: length of each step along the mode over all coordinates, Å.
        pushes: most of them.
        fall: eV by which the energy must have fallen, and
        force: eV/Å that the largest force must exceed, before minimising: too close to a saddle every minimiser
            stops at once.
        converged: largest force on an atom in a minimum, eV/Å.
        most: steps of the minimiser.
        same: minima are the same if every atom lies within this distance, Å.
        near: share of ``same`` within which the initial minimum is known, below ``fall``, before forces vanish.
    """

    push: Length = 0.15
    pushes: Count = 20
    fall: Energy = 0.02
    force: Force = 0.1
    converged: Force = 0.02
    most: Count = 500
    same: Length = 0.2
    near: Share = 0.5


@dataclass(frozen=True)
class Regions(_Checked):
    """Which atoms move. Fixed surroundings raise a barrier by about 0.2 eV at 10 Å and by 0.04 eV at 15 Å (Cu64Zr36).

    Attributes:
        search: radius around the centre in which the search runs, Å; None for all atoms.
        refine: "none", "radius" to converge a saddle that counts again within ``refine_radius`` or "box" with all
            atoms.
        refine_radius: Å.
        both_sides: whether both sides of a saddle that is converged again decide once more what it joins. Otherwise
            only the far one of an event is relaxed again, and what was none stays none; of ten events that the small
            region joins to the initial minimum, one joins another one near to it in the larger region, and of five
            other saddles one is an event there.
        same: an atom that moves further while a saddle is converged again makes it another saddle, Å.
    """

    search: Length | None = 10.0
    refine: Literal["none", "radius", "box"] = "radius"
    refine_radius: Length = 15.0
    both_sides: bool = False
    same: Length = 0.5


@dataclass(frozen=True)
class Events(_Checked):
    """Which events are the same one.

    Attributes:
        energy: their barriers, and the energies of their other minima, differ by less than this, eV. Fixed surroundings
            differ between centres, and shift energies by a few hundredths at 10 Å.
        distance: every atom is displaced alike within this, Å.
    """

    energy: Energy = 0.01
    distance: Length = 0.1

    @property
    def kept(self) -> float:
        """Displacements that label files keep unless told otherwise are larger, Å.

        The energies of the configurations kept are some 0.02 eV too high then, some 0.3 eV from 0.05 Å on.
        """
        return self.distance / 10


@dataclass(frozen=True)
class Modes(_Checked):
    """Lowest curvatures, by Lanczos vectors.

    Attributes:
        settled: change of the lowest curvature with one more vector, as a share of it, at which no more are needed.
        second_settled: the same for the second curvature at a saddle.
        difference: step of the finite differences, Å, on surfaces without second derivatives: forces differ by some
            0.01 eV/Å, far above noise, within the harmonic range.
    """

    settled: NotNegative = 0.01
    second_settled: NotNegative = 1e-3
    difference: Length = 0.005


@dataclass(frozen=True)
class Relax(_Checked):
    """Relaxation by L-BFGS, across a direction or down to a minimum.

    Attributes:
        across: longest step of an atom at right angles to a direction, Å.
        down: longest step of an atom towards a minimum, Å.
        rise: what rounding may add to the energy in a step towards a minimum, eV; one that adds more is halved.
        remembered: how many of the last steps tell about the curvature.
        compliance: inverse curvature taken before the first step, Å²/eV.
    """

    across: Length = 0.1
    down: Length = 0.2
    rise: Annotated[NotNegative, Unit(energy=1)] = 1e-6
    remembered: Count = 12
    compliance: Annotated[Positive, Unit(length=2, energy=-1)] = 0.03


@dataclass(frozen=True)
class ArtnSettings(_Checked):
    """What can be chosen of a search, besides structure, potential and seed, and which events are the same.

    Numerical constants of the algorithms are no settings; they are named where they are used.

    Attributes:
        kick, push, climb, sides, regions, events, modes, relax: see there.
        counted: which saddles give a barrier in label files, their energy above the initial minimum: "accepted" those
            that join it to another minimum, "all" whatever they join (``State.DISCONNECTED`` and ``State.UNSPLIT``
            too), as in programs that stop at the saddle. Those others are no events, yet tell as much of the atom. The
            default is that of files from before there was the choice, not that of the preset bauchy2024.
        cap: energy above the minimum at which a search is given up, eV.
        farthest: distance of an atom from its place at which a search has diverged, Å.
        minimum_force: largest force on an atom of a structure that counts as a minimum, eV/Å.

    Raises:
        GlassError: for a value out of bounds, or regions that do not hold each other.
    """

    kick: Kick = field(default_factory=Kick)
    push: Push = field(default_factory=Push)
    climb: Climb = field(default_factory=Climb)
    sides: Sides = field(default_factory=Sides)
    regions: Regions = field(default_factory=Regions)
    events: Events = field(default_factory=Events)
    modes: Modes = field(default_factory=Modes)
    relax: Relax = field(default_factory=Relax)
    counted: Literal["accepted", "all"] = "accepted"
    cap: Energy = 25.0
    farthest: Length = 8.0
    minimum_force: Annotated[NotNegative, Unit(energy=1, length=-1)] = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        regions = self.regions
        if regions.search is None:
            return
        if regions.refine == "radius" and regions.refine_radius <= regions.search:
            raise GlassError(
                f"regions.refine_radius must be > regions.search ({regions.search:g} Å), got "
                f"{regions.refine_radius:g}; or set regions.refine to none"
            )
        if self.kick.atoms == "radius" and self.kick.radius > regions.search:
            raise GlassError(f"kick.radius must be <= regions.search ({regions.search:g} Å), got {self.kick.radius:g}")

    def counts(self, state: State, energy: float) -> bool:
        """Whether a saddle gives a barrier.

        Args:
            state: what it joins.
            energy: above the initial minimum, eV.
        """
        counted = SADDLES if self.counted == "all" else (State.ACCEPTED,)
        return state in counted and energy > 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as label files keep them."""
        return asdict(self)

    def scaled(self, length: float, energy: float) -> ArtnSettings:
        """The settings of the same searches where positions and energies are in other units.

        Args:
            length: the other unit of length, Å.
            energy: that of energy, eV.

        Raises:
            GlassError: unless both are > 0.

        >>> ArtnSettings().scaled(length=2.5, energy=0.4).climb.step
        0.06
        """
        for name, unit in (("length", length), ("energy", energy)):
            conformed(unit, Positive, f"unit of {name}")
        settings: ArtnSettings = _scaled(self, length, energy)
        return settings

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ArtnSettings:
        """Settings from keys and values; keys that are left out take their defaults.

        Raises:
            GlassError: for an unknown key or a wrong value.
        """
        parts = {
            "kick": Kick, "push": Push, "climb": Climb, "sides": Sides, "regions": Regions, "events": Events,
            "modes": Modes, "relax": Relax,
        }  # fmt: skip
        given = {
            key: checked(parts[key], value, f"{key} of the search settings") if key in parts else value
            for key, value in content.items()
        }
        settings: ArtnSettings = checked(cls, given, "the search settings")
        return settings


def _scaled(settings: Any, length: float, energy: float) -> Any:
    """Settings with each value divided by its unit."""
    changed = {}
    for name, hint in field_types(type(settings)).items():
        value = getattr(settings, name)
        if isinstance(value, _Checked):
            changed[name] = _scaled(value, length, energy)
        elif value is not None:
            units = (mark for part in (hint, *get_args(hint)) for mark in get_args(part) if isinstance(mark, Unit))
            changed.update((name, value / (length**unit.length * energy**unit.energy)) for unit in units)
    return replace(settings, **changed)


# bauchy2024: chosen to reproduce the labels of SymGNN (arXiv:2401.08627), whose own settings are not published; lengths
# of steps and numbers of vectors of the others are those of Xu & Kong (arXiv:1810.04839), Tian, Ding & Mousseau (2019)
# and Wang, Ding & Ma (2020) as far as these give them, the rest as in bauchy2024, but that events alone count. strict:
# bauchy2024 with index and sides of each event verified where its barrier is measured, for events that are to be what
# they say one by one; none else counts. reduced: bauchy2024 for models in units of their own, whose atoms are about 1
# wide and bound by about 1.
_BAUCHY2024 = ArtnSettings(counted="all")
PRESETS: Mapping[str, ArtnSettings] = {
    "bauchy2024": _BAUCHY2024,
    "xu2018": ArtnSettings(
        kick=Kick(radius=3.7),
        push=Push(first=0.1, step=0.192, threshold=-0.5, lanczos_first=25, lanczos=15),
        climb=Climb(step=0.192, lanczos=15),
    ),
    "tian2019": ArtnSettings(
        kick=Kick(radius=3.69),
        push=Push(first=0.5, threshold=-1.0, lanczos_first=15, lanczos=15),
        climb=Climb(lanczos=15, force=0.1),
        regions=Regions(search=15.0, refine="none"),
    ),
    "wang2020": ArtnSettings(kick=Kick(atoms="shell")),
    "strict": ArtnSettings(climb=Climb(second_vectors=80), regions=Regions(both_sides=True)),
    "reduced": _BAUCHY2024.scaled(length=2.5, energy=0.4),
}


DEFAULT_PRESET = "bauchy2024"


def preset(name: str) -> ArtnSettings:
    """A preset by its name.

    Raises:
        GlassError: for an unknown name; the nearest one is offered.
    """
    if name not in PRESETS:
        raise unknown("preset", name, PRESETS)
    return PRESETS[name]
