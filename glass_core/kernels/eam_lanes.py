"""Four float64 numbers in one register, as a type of numba.

Loops over pairs look up four coefficients that lie side by side, at a place that differs from pair to pair. Compilers
make of that either scalar code or gathers, both slow. With these lanes four pairs are loaded with four instructions
and transposed in registers. The code is LLVM's portable vectors: AVX2, AVX-512, NEON, or pairs of SSE registers.

Operators ``+ − *`` work on lanes; memory is read and written through pointers (``eam_pointers``).
"""

from __future__ import annotations

import operator
from typing import Any

from glass_core.kernels.jit import require_compiler

require_compiler()
from llvmlite import ir  # type: ignore[import-untyped]  # noqa: E402
from numba import types  # noqa: E402
from numba.extending import intrinsic, models, overload, register_model  # noqa: E402

_WIDTH = 4
_DOUBLES = ir.VectorType(ir.DoubleType(), _WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(32), _WIDTH)


class Lanes(types.Type):  # type: ignore[misc]
    """Numba's type of four numbers."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


LANES = Lanes("Lanes")
WHOLE = Lanes("WholeLanes")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, _DOUBLES if kind == LANES else _INTEGERS)


def _lanes_at(builder: Any, pointer: Any, at: Any, vector: Any) -> Any:
    """Where four numbers begin."""
    return builder.bitcast(builder.gep(pointer, [at]), vector.as_pointer())


def _constant(lane: int) -> Any:
    return ir.Constant(ir.IntType(32), lane)


def _call(builder: Any, name: str, arguments: list[Any]) -> Any:
    kind = ir.FunctionType(_DOUBLES, [_DOUBLES] * len(arguments))
    module = builder.module
    function = module.globals.get(name) or ir.Function(module, kind, name)
    return builder.call(function, arguments)


@intrinsic
def load(typing: Any, place: Any, at: Any) -> Any:
    """Four numbers from ``at`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_lanes_at(builder, arguments[0], arguments[1], _DOUBLES), align=8)

    return LANES(place, at), generate


@intrinsic
def store(typing: Any, place: Any, at: Any, value: Any) -> Any:
    """Puts four numbers from ``at`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _lanes_at(builder, arguments[0], arguments[1], _DOUBLES), align=8)
        return context.get_dummy_value()

    return types.none(place, at, value), generate


@intrinsic
def collect(typing: Any, place: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four numbers from four places."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        result = ir.Constant(_DOUBLES, ir.Undefined)
        for lane in range(_WIDTH):
            number = builder.load(builder.gep(arguments[0], [arguments[1 + lane]]))
            result = builder.insert_element(result, number, _constant(lane))
        return result

    return LANES(place, a, b, c, d), generate


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """The same number four times."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.cast(builder, arguments[0], value, types.float64)
        first = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), number, _constant(0))
        return builder.shuffle_vector(first, first, ir.Constant(_INTEGERS, [0] * _WIDTH))

    return LANES(value), generate


@intrinsic
def bundle(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Lanes of four numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        result = ir.Constant(_DOUBLES, ir.Undefined)
        for lane in range(_WIDTH):
            result = builder.insert_element(result, arguments[lane], _constant(lane))
        return result

    f = types.float64
    return LANES(f, f, f, f), generate


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.fmuladd.v4f64", list(arguments))

    return LANES(a, b, c), generate


@intrinsic
def floor(typing: Any, a: Any) -> Any:
    """The whole number below."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.floor.v4f64", list(arguments))

    return LANES(a), generate


@intrinsic
def least(typing: Any, a: Any, b: Any) -> Any:
    """The smaller of each two."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *arguments), *arguments)

    return LANES(a, b), generate


@intrinsic
def whole(typing: Any, a: Any) -> Any:
    """As integers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fptosi(arguments[0], _INTEGERS)

    return WHOLE(a), generate


@intrinsic
def store_whole(typing: Any, place: Any, at: Any, value: Any) -> Any:
    """Puts four integers from ``at`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _lanes_at(builder, arguments[0], arguments[1], _INTEGERS), align=4)
        return context.get_dummy_value()

    return types.none(place, at, value), generate


@intrinsic
def total(typing: Any, a: Any) -> Any:
    """Sum of the four."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, c, d = (builder.extract_element(arguments[0], _constant(lane)) for lane in range(_WIDTH))
        return builder.fadd(builder.fadd(a, c), builder.fadd(b, d))

    return types.float64(a), generate


@intrinsic
def transpose(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """All first numbers, all second, all third and all fourth ones."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def mix(left: Any, right: Any, *order: int) -> Any:
            return builder.shuffle_vector(left, right, ir.Constant(_INTEGERS, list(order)))

        a, b, c, d = arguments
        low_ab, high_ab = mix(a, b, 0, 4, 2, 6), mix(a, b, 1, 5, 3, 7)
        low_cd, high_cd = mix(c, d, 0, 4, 2, 6), mix(c, d, 1, 5, 3, 7)
        rows = [
            mix(low_ab, low_cd, 0, 1, 4, 5), mix(high_ab, high_cd, 0, 1, 4, 5),
            mix(low_ab, low_cd, 2, 3, 6, 7), mix(high_ab, high_cd, 2, 3, 6, 7),
        ]  # fmt: skip
        return context.make_tuple(builder, signature.return_type, rows)

    return types.UniTuple(LANES, _WIDTH)(a, b, c, d), generate


def _lane(index: int) -> tuple[Any, Any]:
    @intrinsic
    def number(typing: Any, a: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.extract_element(arguments[0], _constant(index))

        return types.float64(a), generate

    @intrinsic
    def spread(typing: Any, a: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            order = ir.Constant(_INTEGERS, [index] * _WIDTH)
            return builder.shuffle_vector(arguments[0], arguments[0], order)

        return LANES(a), generate

    return number, spread


number0, spread0 = _lane(0)
number1, spread1 = _lane(1)
number2, spread2 = _lane(2)
number3, spread3 = _lane(3)


def _operator(function: Any, instruction: str) -> None:
    @intrinsic
    def compute(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, instruction)(*arguments, flags=("contract", "nsz"))

        return LANES(a, b), generate

    @overload(function)
    def implementation(a, b):  # type: ignore[no-untyped-def]
        if a == LANES and b == LANES:
            return lambda a, b: compute(a, b)
        return None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.iadd, "fadd")
_operator(operator.isub, "fsub")
