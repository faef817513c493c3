"""Small deliberate errors in one Python file: where they can be made, and the changed tree.

Owns the operators of ``bench/mutation.py``, our own mutator.  Changed are comparisons, arithmetic,
boolean connectives, negations, conditions, numbers, truth values, strings that are codes or names
of fields, ``min``/``max``, ``any``/``all``, returned values, and statements that are left out.
Not changed: docstrings, annotations, ``__all__``, imports, and sentences (strings with a blank or
in Japanese), whose wording the tests pin only where a rule quotes it.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.FloorDiv, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitXor: ast.BitOr, ast.Pow: ast.Mult,
}
_CODE = re.compile(r"[A-Za-z0-9_.:/-]+")
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SIMPLE = (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr, ast.Subscript)


@dataclass(frozen=True)
class Mutant:
    """One error: the line, what was done, the whole changed tree, and the function it is in.

    ``function`` is the qualified name of the outermost function when only its body is changed.
    """

    line: int
    what: str
    tree: ast.Module
    function: str = ""


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its text."""
    tree = ast.parse(source)
    count = sum(1 for _ in ast.walk(tree))
    left_alone, inside = _left_alone(tree), _inside(tree)
    for place in range(count):
        node = _node(tree, place)
        if id(node) in left_alone or not hasattr(node, "lineno"):
            continue
        for number, (what, _) in enumerate(_changes(node)):
            changed = copy.deepcopy(tree)
            _, act = list(_changes(_node(changed, place)))[number]
            act()
            name = inside.get(id(node), "")
            yield Mutant(node.lineno, what, ast.fix_missing_locations(changed), name)


def _inside(tree: ast.Module) -> dict[int, str]:
    """Node → the qualified name of the function whose body it is in."""
    found: dict[int, str] = {}

    def look(body: list[ast.stmt], path: str) -> None:
        for one in body:
            if isinstance(one, ast.ClassDef):
                look(one.body, f"{path}{one.name}.")
            elif isinstance(one, ast.FunctionDef):
                found[id(one)] = f"{path}{one.name}"
                for part in one.body:
                    found.update((id(below), f"{path}{one.name}") for below in ast.walk(part))

    look(tree.body, "")
    return found


def _node(tree: ast.Module, place: int) -> ast.AST:
    for number, node in enumerate(ast.walk(tree)):
        if number == place:
            return node
    raise IndexError(place)


def _left_alone(tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        alone: list[ast.AST | None] = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                alone.append(first)
        if isinstance(node, ast.FunctionDef):
            alone += [node.returns, *node.decorator_list]
            alone += [arg.annotation for arg in ast.walk(node.args) if isinstance(arg, ast.arg)]
        if isinstance(node, ast.AnnAssign):
            alone.append(node.annotation)
        if isinstance(node, ast.Import | ast.ImportFrom):
            alone.append(node)
        if isinstance(node, ast.ClassDef):
            alone += node.decorator_list
        if isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets
        ):
            alone.append(node)
        for one in alone:
            if one is not None:
                found.update(id(below) for below in ast.walk(one))
    return found


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """(what, how) for one node; the acts change the node in place."""

    def put(target: ast.AST, name: str, value: object) -> Callable[[], None]:
        return lambda: setattr(target, name, value)

    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in _COMPARE.get(type(op), ()):
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield f"{type(op).__name__} → {other.__name__}", put(node, "ops", ops)
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _BINARY:
        swapped = _BINARY[type(node.op)]
        yield f"{type(node.op).__name__} → {swapped.__name__}", put(node, "op", swapped())
    elif isinstance(node, ast.BoolOp):
        op2 = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} → {op2.__name__}", put(node, "op", op2())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus left out", put(node, "op", ast.UAdd())
    elif isinstance(node, ast.Constant):
        yield from _constant(node, put)
    elif isinstance(node, ast.Name) and node.id in _NAMES and isinstance(node.ctx, ast.Load):
        yield f"{node.id} → {_NAMES[node.id]}", put(node, "id", _NAMES[node.id])
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield "return None", put(node, "value", ast.Constant(None))
    elif isinstance(node, ast.Break | ast.Continue):
        other3 = ast.Continue if isinstance(node, ast.Break) else ast.Break
        yield "break ↔ continue", put(node, "__class__", other3)
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        yield from _condition(node, "test", node.test)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        for generator in node.generators:
            for place in range(len(generator.ifs)):
                ifs = [*generator.ifs]
                ifs[place] = ast.Constant(True)
                yield "filter left out", put(generator, "ifs", ifs)
    if isinstance(node, ast.If | ast.For | ast.FunctionDef | ast.With):
        for place, one in enumerate(node.body):
            if isinstance(one, ast.Raise) or (
                isinstance(one, ast.Expr) and not isinstance(one.value, ast.Constant)
            ) or isinstance(one, ast.AugAssign):
                body = [*node.body[:place], ast.Pass(), *node.body[place + 1 :]]
                what = f"left out, line {one.lineno}: {ast.unparse(one).splitlines()[0][:60]}"
                yield what, put(node, "body", body)


def _condition(
    node: ast.AST, name: str, test: ast.expr
) -> Iterator[tuple[str, Callable[[], None]]]:
    negated: ast.expr | None = None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        negated = test.operand
    elif isinstance(test, _SIMPLE):
        negated = ast.UnaryOp(ast.Not(), test)
    if negated is not None:
        turned = negated
        yield "condition turned", lambda: setattr(node, name, turned)


def _constant(
    node: ast.Constant, put: Callable[[ast.AST, str, object], Callable[[], None]]
) -> Iterator[tuple[str, Callable[[], None]]]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} → {not value}", put(node, "value", not value)
    elif isinstance(value, int):
        yield f"{value} → {value + 1}", put(node, "value", value + 1)
    elif isinstance(value, bytes):
        yield f"{value!r} → changed", put(node, "value", value + b"X")
    elif isinstance(value, str) and _CODE.fullmatch(value):
        yield f"{value!r} → changed", put(node, "value", f"XX{value}")
