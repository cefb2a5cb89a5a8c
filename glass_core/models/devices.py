"""Devices that torch computes on."""

from __future__ import annotations

from glass_core.errors import GlassError, require_package


def devices() -> list[str]:
    """Their names in torch: "cpu", and "cuda:0", "cuda:1" … for the GPUs of this machine.

    Raises:
        MissingExtraError: without torch.
    """
    require_package("torch", "graph")
    import torch

    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def require_device(device: str) -> None:
    """Checks that we can compute there; anywhere but on the processor by torch.

    Raises:
        MissingExtraError: without torch, for other devices than "cpu".
        GlassError: for a device that does not exist on this machine.
    """
    if device == "cpu":
        return
    require_package("torch", "graph")
    import torch

    try:
        torch.zeros(1, device=device).cpu()  # "meta" computes nothing
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise _absent(device) from error
    if torch.device(device).type == "cpu" and torch.device(device).index:  # torch takes any for its only one
        raise _absent(device)


def _absent(device: str) -> GlassError:
    return GlassError(f"no device {device!r} on this machine; devices: {', '.join(devices())}")
