"""Stripe's contract, read from the source of the installed `stripe` package.

The package is generated from Stripe's OpenAPI description. Its classes carry one annotation per
response field and its TypedDicts one per request parameter, so the pinned package *is* the pinned
contract. The source is parsed, never imported, one module at a time and only when first needed.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from simulation.stripe.shapes import (
    Anything,
    ArrayOf,
    Choice,
    Either,
    Expandable,
    Field,
    MapOf,
    Nullable,
    PageOf,
    Record,
    Scalar,
    Shape,
)

_SCALARS: Final = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Decimal": "string",
}
_RENAMED: Final = {"from_": "from", "object_": "object"}


class UnknownShape(LookupError):
    """The installed package declares no such object or parameter class."""


class _Module:
    """One parsed source file: its classes by dotted path, and where its other names come from."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.classes: dict[tuple[str, ...], ast.ClassDef] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        self._collect(tree.body, ())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module, alias.name)

    def _collect(self, body: list[ast.stmt], path: tuple[str, ...]) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                self.classes[(*path, node.name)] = node
                self._collect(node.body, (*path, node.name))


class Contract:
    """Everything the installed package says about objects and parameters."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[str, _Module] = {}
        self._records: dict[tuple[str, tuple[str, ...]], Record] = {}
        self._parameters: dict[str, Record] = {}
        self._object_classes = self._read_object_classes()
        self.api_version = self._read_api_version()

    def record(self, object_name: str) -> Record:
        """The shape of a response object, by its `object` name such as `invoice`."""
        place = self._object_classes.get(object_name)
        if place is None:
            raise UnknownShape(object_name)
        module, name = place
        return self._record(module, (name,))

    def parameters(self, class_name: str) -> Record:
        """The shape of a request, by its class such as `SubscriptionCreateParams`."""
        found = self._parameters.get(class_name)
        if found is not None:
            return found
        file = "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()
        for package in ("params", "params.test_helpers"):
            module = f"stripe.{package}.{file}"
            if self._path(module).exists():
                record = self._record(module, (class_name,))
                return self._parameters.setdefault(class_name, record)
        raise UnknownShape(class_name)

    def _record(self, module: str, path: tuple[str, ...]) -> Record:
        key = (module, path)
        if key not in self._records:
            name = ".".join(path)
            self._records[key] = Record(name, lambda: self._fields(module, path))
        return self._records[key]

    def _fields(self, module: str, path: tuple[str, ...]) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for node in self._module(module).classes[path].body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            name = node.target.id
            if name.startswith("_") or _head(node.annotation) == "ClassVar":
                continue
            required = _head(node.annotation) not in ("Optional", "NotRequired")
            shape = self._shape(node.annotation, module, path)
            fields[_RENAMED.get(name, name)] = Field(shape, required)
        return fields

    def _shape(self, node: ast.expr, module: str, path: tuple[str, ...]) -> Shape:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._shape(ast.parse(node.value, mode="eval").body, module, path)
        if isinstance(node, ast.BinOp):
            return self._either(_alternatives(node), module, path)
        if isinstance(node, ast.Name):
            return self._named(node.id, module, path)
        if isinstance(node, ast.Subscript):
            return self._generic(node, module, path)
        raise UnknownShape(f"{module}: {ast.unparse(node)}")

    def _named(self, name: str, module: str, path: tuple[str, ...]) -> Shape:
        if name in _SCALARS:
            return Scalar(_SCALARS[name])
        if name == "Any":
            return Anything()
        for depth in range(len(path), -1, -1):
            if (*path[:depth], name) in self._module(module).classes:
                return self._record(module, (*path[:depth], name))
        return self._imported(name, module)

    def _imported(self, name: str, module: str) -> Shape:
        home, original = self._module(module).imports.get(name, ("", ""))
        if not home.startswith("stripe"):
            raise UnknownShape(f"{module}: {name}")
        if (original,) in self._module(home).classes:
            return self._record(home, (original,))
        return self._imported(original, home)

    def _generic(self, node: ast.Subscript, module: str, path: tuple[str, ...]) -> Shape:
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match _head(node):
            case "Literal":
                return Choice(tuple(ast.literal_eval(argument) for argument in arguments))
            case "Union":
                return self._either(arguments, module, path)
            case "Optional":
                return Nullable(self._shape(arguments[0], module, path))
            case "NotRequired":
                return self._shape(arguments[0], module, path)
            case "ExpandableField":
                return Expandable(self._shape(arguments[0], module, path))
            case "List":
                return ArrayOf(self._shape(arguments[0], module, path))
            case "ListObject" | "SearchResultObject":
                return PageOf(self._shape(arguments[0], module, path))
            case "Dict" | "UntypedStripeObject":
                return MapOf(self._shape(arguments[-1], module, path))
        raise UnknownShape(f"{module}: {ast.unparse(node)}")

    def _either(self, nodes: list[ast.expr], module: str, path: tuple[str, ...]) -> Shape:
        options = [self._shape(node, module, path) for node in nodes]
        constants = tuple(
            value for option in options if isinstance(option, Choice) for value in option.values
        )
        rest = [option for option in options if not isinstance(option, Choice)]
        # The package leaves every enum open with `| str`, for the sake of older clients. What we
        # send and accept ourselves is held to the constants it lists. A lone "" means "unset".
        if any(value != "" for value in constants):
            rest = [option for option in rest if option != Scalar("string")]
        choice = [Choice(constants)] if constants else []
        merged = [*choice, *rest]
        return merged[0] if len(merged) == 1 else Either(tuple(merged))

    def _module(self, name: str) -> _Module:
        if name not in self._modules:
            source = self._path(name).read_text()
            self._modules[name] = _Module(name, ast.parse(source))
        return self._modules[name]

    def _path(self, module: str) -> Path:
        parts = module.split(".")[1:]
        folder = self._root.joinpath(*parts)
        return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")

    def _read_object_classes(self) -> dict[str, tuple[str, str]]:
        tree = ast.parse((self._root / "_object_classes.py").read_text())
        table: dict[str, tuple[str, str]] = {}
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
                table.update(ast.literal_eval(node.value))
        return table

    def _read_api_version(self) -> str:
        for node in ast.walk(ast.parse((self._root / "_api_version.py").read_text())):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CURRENT":
                return str(ast.literal_eval(node.value))
        raise UnknownShape("API version")


@cache
def installed_contract() -> Contract:
    """The contract of the `stripe` package in this environment."""
    spec = find_spec("stripe")
    if spec is None or not spec.submodule_search_locations:
        raise UnknownShape("the stripe package is not installed")
    return Contract(Path(spec.submodule_search_locations[0]))


def _head(node: ast.expr) -> str:
    return ast.unparse(node.value) if isinstance(node, ast.Subscript) else ""


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]
