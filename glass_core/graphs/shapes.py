"""Which weights SymGNN has; known without torch."""

from __future__ import annotations

from glass_core.graphs.settings import DECODER, SymGNNSettings


def weight_shapes(settings: SymGNNSettings, species: int) -> dict[str, tuple[int, ...]]:
    """Shape of every weight of SymGNN by its name, without normalisation or with that of batches."""
    w, shapes = settings.width, {"atoms.0.weight": (species, settings.width), "edges.bias": (settings.width,)}

    def norm(name: str, width: int) -> None:
        if settings.normalisation != "none":
            kinds = ("weight", "bias", "running_mean", "running_var")
            shapes.update({f"{name}.{kind}": (width,) for kind in kinds})

    def linear(name: str, inputs: int, outputs: int, bias: bool = True) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs)
        if bias:
            shapes[f"{name}.bias"] = (outputs,)

    for name in ("atoms.1", "atoms.4", "edges.first_norm", "edges.second_norm"):
        norm(name, w)
    linear("atoms.3", w, w)
    linear("edges.second", w, w)
    if settings.symmetrisation != "length":
        linear("edges.of_vector", 3, w, bias=False)
    if settings.symmetrisation == "learned":
        shapes |= dict.fromkeys(("edges.learned.location", "edges.learned.log_concentration"), (2, 3))
    if settings.radial or settings.symmetrisation == "length":
        linear("edges.of_length", settings.radial or 1, w, bias=False)
    if settings.radial:
        shapes["edges.smear.offset"] = (settings.radial,)
    for k, heads in enumerate(settings.heads):
        name, joined = f"layers.{k}", heads * settings.head_width
        linear(f"{name}.target", w, joined)
        linear(f"{name}.source", w, joined, bias=False)
        linear(f"{name}.edge", w, joined, bias=False)
        linear(f"{name}.value", w, joined)
        shapes[f"{name}.attention"] = (heads, settings.head_width)
        norm(f"{name}.norm", joined)
        linear(f"{name}.projection", joined, w)
        if k + 1 < len(settings.heads):
            norm(f"{name}.edge_norm", joined)
            linear(f"{name}.edge_projection", joined, w)
    for k in range(DECODER - 1):
        linear(f"decoder.{3 * k}", w, w)
        norm(f"decoder.{3 * k + 1}", w)
        shapes[f"decoder.{3 * k + 2}.weight"] = (1,)
    linear(f"decoder.{3 * (DECODER - 1)}", w, 1)
    return shapes
