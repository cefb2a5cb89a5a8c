"""Figures about the four structural constraints of one SCNN model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.figures import CLUSTERS, HIGH, LOW, new_figure
from glass_core.models.scnn import SCNN
from glass_core.neighbours import find_neighbours
from glass_core.structure import Structure

Floats = NDArray[np.floating]


def draw_pca(model: SCNN, embedded_nz: Floats, high_n: NDArray[np.bool_]) -> Any:
    """Embeddings on their two principal axes: density of each class, and the constraints."""
    figure, axes = new_figure(6, 5)
    units = embedded_nz / np.maximum(np.linalg.norm(embedded_nz, axis=1, keepdims=True), 1e-12)
    mean = units.mean(axis=0)
    _, values, axes_zz = np.linalg.svd(units - mean, full_matrices=False)
    plane = (units - mean) @ axes_zz[:2].T
    for chosen, colours, name in ((~high_n, "Blues", "low"), (high_n, "Reds", "high")):
        mine = plane[chosen]
        density, x, y = np.histogram2d(mine[:, 0], mine[:, 1], bins=60, range=_limits(plane))
        levels = np.quantile(density[density > 0], [0.5, 0.7, 0.85, 0.95])
        axes.contour((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, density.T, levels=np.unique(levels), cmap=colours)
        axes.plot([], [], color=LOW if name == "low" else HIGH, label=f"{name} barrier")
    s = model.constraints_vz / np.linalg.norm(model.constraints_vz, axis=1, keepdims=True)
    for v, (px, py) in enumerate((s - mean) @ axes_zz[:2].T):
        axes.plot(px, py, "*", markersize=16, color=CLUSTERS[v], markeredgecolor="black", label=f"constraint {v}")
    share = values**2 / (values**2).sum()
    axes.set(xlabel=f"axis 1 ({100 * share[0]:.0f} %)", ylabel=f"axis 2 ({100 * share[1]:.0f} %)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _limits(plane_n2: Floats) -> list[list[float]]:
    low, high = np.quantile(plane_n2, [0.001, 0.999], axis=0)
    return [[float(low[0]), float(high[0])], [float(low[1]), float(high[1])]]


def cosine_matrix(rows_vf: Floats) -> Floats:
    """Cosine similarity of rows."""
    units = rows_vf / np.maximum(np.linalg.norm(rows_vf, axis=1, keepdims=True), 1e-12)
    return np.asarray(units @ units.T)


def draw_heat_map(rows_vf: Floats, title: str) -> Any:
    """Cosine similarity of four vectors."""
    figure, axes = new_figure(4.6, 4)
    matrix = cosine_matrix(rows_vf)
    picture = axes.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    for (row, column), value in np.ndenumerate(matrix):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if abs(value) > 0.6 else "black")
    names = [f"{v} ({'low' if v < 2 else 'high'})" for v in range(len(matrix))]
    axes.set_xticks(range(len(matrix)), names)
    axes.set_yticks(range(len(matrix)), names)
    axes.set_title(title)
    figure.colorbar(picture, shrink=0.8)
    return figure


def draw_similarities(similarity_nv: Floats, high_n: NDArray[np.bool_]) -> Any:
    """Distribution of the four similarity scores by class."""
    figure, many = new_figure(10, 2.8, 1, similarity_nv.shape[1], sharey=True)
    for v, axes in enumerate(many):
        low, high = np.quantile(similarity_nv[:, v], [0.001, 0.999])
        bins = np.linspace(low, high, 50)
        for chosen, colour, name in ((~high_n, LOW, "low barrier"), (high_n, HIGH, "high barrier")):
            axes.hist(similarity_nv[chosen, v], bins=bins, density=True, histtype="step", color=colour, label=name)
        axes.set(xlabel=f"similarity {v} ({'low' if v < 2 else 'high'})", yticks=[])
    many[0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def draw_clusters(similarity_nv: Floats, barriers_n: Floats) -> Any:
    """Barriers of the atoms nearest to each constraint."""
    figure, axes = new_figure(5.8, 4)
    cluster = similarity_nv.argmax(axis=1)
    low, high = np.quantile(barriers_n, [0.001, 0.999])
    bins = np.linspace(low, high, 60)
    for v in range(similarity_nv.shape[1]):
        mine = barriers_n[cluster == v]
        if len(mine):
            label = f"{v} ({'low' if v < 2 else 'high'}): {len(mine)} atoms, mean {mine.mean():.2f} eV"
            axes.hist(mine, bins=bins, density=True, histtype="step", color=CLUSTERS[v], label=label, linewidth=1.5)
    axes.set(xlabel="true barrier (eV)", ylabel="density", ylim=(0, 1.35 * axes.get_ylim()[1]))
    axes.legend(frameon=False, fontsize=8, title="nearest constraint", loc="upper left")
    return figure


def draw_environments(atoms: list[tuple[str, Structure, int, float]], cutoff: float) -> Any:
    """The training atoms behind the constraints, with their neighbours.

    Args:
        atoms: title, structure, index, barrier in eV.
        cutoff: neighbours drawn, Å.
    """
    figure, many = new_figure(12, 3.6, 1, len(atoms), subplot_kw={"projection": "3d"})
    palette = (LOW, HIGH, "#5a9e6f", "#8a6bbd")
    for axes, (title, structure, index, barrier) in zip(many, atoms, strict=True):
        around = find_neighbours(structure, cutoff, np.array([index]))
        colours = [palette[t % 4] for t in structure.types_n[around.j_p]]
        for x, y, z in around.vectors_pc:
            axes.plot([0, x], [0, y], [0, z], color="0.8", linewidth=0.6)
        axes.scatter(*around.vectors_pc.T, c=colours, s=60, edgecolors="black", linewidths=0.3, depthshade=True)
        axes.scatter(0, 0, 0, c=palette[structure.types_n[index] % 4], s=140, edgecolors="black", marker="*")
        axes.set_title(
            f"{title}\n{structure.symbols()[index]}, {barrier:.2f} eV, {len(around.j_p)} neighbours", fontsize=9
        )
        axes.set_axis_off()
    for t, name in enumerate(atoms[0][1].species):
        many[0].scatter([], [], [], c=palette[t % 4], label=name)
    many[0].legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def draw_raw(rows_vf: Floats, names: list[str]) -> Any:
    """Standardised descriptors of the four atoms."""
    figure, axes = new_figure(10, 3.2)
    for v, row in enumerate(rows_vf):
        axes.plot(row, color=CLUSTERS[v], linewidth=0.9, label=f"constraint {v} ({'low' if v < 2 else 'high'})")
    starts = [i for i, name in enumerate(names) if i == 0 or name[:2] != names[i - 1][:2]]
    axes.set_xticks(starts, [names[i][:2] for i in starts])
    axes.set(ylabel="standardised value", xlim=(0, len(names)))
    axes.legend(frameon=False, fontsize=8, ncol=4)
    return figure
