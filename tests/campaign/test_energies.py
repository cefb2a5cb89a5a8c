"""Energies of atoms in label files: kept from the beginning on, added to older files, exported."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import h5py
import numpy as np
import pytest

from glass_core.campaign.beginning import Beginning
from glass_core.campaign.columns import encode
from glass_core.campaign.export import atom_labels
from glass_core.campaign.header import Header
from glass_core.campaign.label_file import journal_of, read_labels
from glass_core.campaign.label_hdf5 import write_hdf5
from glass_core.campaign.labels import Labels
from glass_core.campaign.store import Store
from glass_core.errors import GlassError
from glass_core.frame import Frame
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.settings import ArtnSettings
from glass_core.structure import Structure
from tests.campaign.conftest import labels_of
from tests.campaign.fakes import Well, fake_header, fake_record

POTENTIAL = LennardJonesPotential(0.1, 2.5, 6.0)


def begin(structure: Structure, path: pathlib.Path, potential: object = POTENTIAL) -> Header:
    frame = Frame(structure, np.arange(structure.n_atoms))
    return Beginning(potential, ArtnSettings(), relax=True)(frame, "glass.dump", path)


def with_energies(box: Structure) -> Header:
    return replace(fake_header(box), energy_n=np.linspace(-5, -4, box.n_atoms))


def test_a_campaign_begins_with_the_energies_of_its_minimum(tmp_path: pathlib.Path, box: Structure) -> None:
    header = begin(box, tmp_path / "l.h5")
    assert header.energy_n is not None
    np.testing.assert_array_equal(header.energy_n, POTENTIAL.bind(header.structure).atom_energies())
    assert header.energy_n.sum() < POTENTIAL.bind(box).atom_energies().sum()
    write_hdf5(Labels(header, labels_of(box, 1).table), tmp_path / "l.h5")
    again = begin(box, tmp_path / "l.h5")
    np.testing.assert_array_equal(again.energy_n, header.energy_n)


def test_a_potential_that_does_not_share_out_its_energy(tmp_path: pathlib.Path, box: Structure) -> None:
    header = begin(box, tmp_path / "l.h5", Well())
    assert header.energy_n is None
    labels = Labels(header, labels_of(box, 1).table)
    assert "energy" not in atom_labels(labels)
    write_hdf5(labels, tmp_path / "l.h5")
    assert read_labels(tmp_path / "l.h5").header.energy_n is None


def test_energies_survive_a_kill_and_an_end(tmp_path: pathlib.Path, box: Structure) -> None:
    path, header = tmp_path / "l.h5", with_energies(box)
    with Store(path, header) as store:
        store.append(encode(fake_record(0, 3, 1, 32)))
        np.testing.assert_array_equal(read_labels(path).header.energy_n, header.energy_n)
        journal = journal_of(path).read_bytes()
    np.testing.assert_array_equal(read_labels(path).header.energy_n, header.energy_n)
    path.unlink()
    journal_of(path).write_bytes(journal)
    np.testing.assert_array_equal(read_labels(path).header.energy_n, header.energy_n)
    np.testing.assert_array_equal(atom_labels(read_labels(path))["energy"], header.energy_n)


@pytest.mark.parametrize("searches", [0, 2])
def test_an_older_file_gets_energies_when_its_campaign_goes_on(
    tmp_path: pathlib.Path, box: Structure, searches: int
) -> None:
    path = tmp_path / "l.h5"
    write_hdf5(labels_of(box, 1), path)
    assert read_labels(path).header.energy_n is None
    with Store(path, with_energies(box)) as store:
        for number in range(1, 1 + searches):
            store.append(encode(fake_record(0, 3, number, 32)))
    labels = read_labels(path)
    assert len(labels) == 32 + searches
    np.testing.assert_array_equal(labels.header.energy_n, with_energies(box).energy_n)
    before = path.stat().st_mtime_ns
    with Store(path, fake_header(box)):
        pass
    assert path.stat().st_mtime_ns == before
    assert read_labels(path).header.energy_n is not None


def test_an_older_journal_gets_energies_too(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    killed = Store(path, fake_header(box))
    killed.append(encode(fake_record(0, 3, 1, 32)))
    killed._journal.close()
    with Store(path, with_energies(box)) as store:
        assert store.results.has(3, 1)
    np.testing.assert_array_equal(read_labels(path).header.energy_n, with_energies(box).energy_n)


def test_energies_of_another_number_of_atoms_are_damage(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    write_hdf5(Labels(with_energies(box), labels_of(box, 1).table), path)
    with h5py.File(path, "r+") as handle:
        del handle["energy"]
        handle["energy"] = np.zeros(5)
    with pytest.raises(GlassError, match=r"header of .* is damaged: energy has shape \(5,\), must have \(32,\)"):
        read_labels(path)
