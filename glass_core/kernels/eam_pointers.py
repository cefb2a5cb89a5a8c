"""Numbers read and written through pointers into arrays, by their place counted from there; nothing checks that place.

Arrays that go to inlined functions have their references counted at each call, which costs more than the arithmetic of
a short loop. Pointers go for nothing.
"""

from __future__ import annotations

from typing import Any

from glass_core.kernels.jit import require_compiler

require_compiler()
from llvmlite import ir  # type: ignore[import-untyped]  # noqa: E402
from numba import types  # noqa: E402
from numba.extending import intrinsic  # noqa: E402


@intrinsic
def pointer(typing: Any, array: Any) -> Any:
    """Where the numbers of an array are."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(array)(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def read(typing: Any, place: Any, at: Any) -> Any:
    """The number at ``at``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.gep(arguments[0], [arguments[1]]))

    return place.dtype(place, at), generate


@intrinsic
def write(typing: Any, place: Any, at: Any, value: Any) -> Any:
    """Puts a number at ``at``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], builder.gep(arguments[0], [arguments[1]]))
        return context.get_dummy_value()

    return types.none(place, at, place.dtype), generate


@intrinsic
def within(typing: Any, value: Any, limit: Any) -> Any:
    """1 if a number is not above a limit, else 0, from the sign of the difference: compilers make no branch of that."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        room = builder.bitcast(builder.fsub(arguments[1], arguments[0]), ir.IntType(64))
        return builder.xor(builder.lshr(room, ir.Constant(ir.IntType(64), 63)), ir.Constant(ir.IntType(64), 1))

    return types.uint64(types.float64, types.float64), generate
