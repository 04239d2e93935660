"""Objects as plain data and back: the fields of a class are the form of its file.

A dataclass or a named tuple becomes a JSON object with its fields, an array becomes the name of a
tensor beside the JSON. The hints of the class say how each field is written, and what is admitted
when it is read: ``bool`` takes true and false alone, an unknown field is refused, and a missing
field only has its default. No class is ever looked up by a name that stands in a file.

Values of other libraries are told to the codec as :class:`Form`; where a hint admits several
classes, a table names them (:class:`Forms`).
"""

from __future__ import annotations

import dataclasses
import math
import operator
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.exceptions import ArtifactError, ConfigurationError, SAMoVARError

_NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class Form(NamedTuple):
    """How a value of another library is written and read."""

    write: Callable[[Any, Writer, str], Any]
    """Value, writer and place; the result is what JSON can hold."""
    read: Callable[[Any, Reader, str], Any]
    """What JSON held, reader and place; the result is the value."""


@dataclass(frozen=True)
class Forms:
    """What a codec knows beside dataclasses, tuples, dictionaries, numbers, text and arrays.

    Attributes
    ----------
    values : mapping of type to Form
        By the hint of the field.
    choices : mapping of type to mapping of str to type
        For a hint that admits several classes: each class, by its name in the file.
    checks : mapping of type to callable
        Called with each object of a class that was read; raises what is wrong with it.
    """

    values: Mapping[Any, Form] = field(default_factory=dict)
    choices: Mapping[Any, Mapping[str, type]] = field(default_factory=dict)
    checks: Mapping[type, Callable[[Any], None]] = field(default_factory=dict)

    def __or__(self, other: Forms) -> Forms:
        """Return both together."""
        return Forms(
            {**self.values, **other.values},
            {**self.choices, **other.choices},
            {**self.checks, **other.checks},
        )


class Writer:
    """Writes values, and gathers the tensors that they name.

    Parameters
    ----------
    forms : Forms

    Attributes
    ----------
    tensors : dict of str to Tensor
    """

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.tensors: dict[str, Tensor] = {}
        self._written: dict[int, tuple[np.ndarray, Any]] = {}  # the array stays alive

    def write(self, value: Any, hint: Any, at: str) -> Any:
        """Return a value as JSON can hold it.

        Parameters
        ----------
        value : object
        hint : type or typing hint
        at : str
            Where the value stands, dotted; arrays are named by it.

        Raises
        ------
        ConfigurationError
            If the value is not as the hint says, or of a kind that has no form.
        """
        try:
            return self._write(value, hint, at)
        except (TypeError, ValueError) as error:
            if isinstance(error, SAMoVARError):
                raise
            raise ConfigurationError(f"{at} cannot be kept in an artifact: {error}") from error

    def _write(self, value: Any, hint: Any, at: str) -> Any:
        if hint in self.forms.values:
            return self.forms.values[hint].write(value, self, at)
        if hint in self.forms.choices:
            for kind, chosen in self.forms.choices[hint].items():
                if type(value) is chosen:
                    return {"kind": kind, **self._write(value, chosen, at)}
            raise TypeError(f"a {type(value).__name__} is none of {list(self.forms.choices[hint])}")
        inner, is_optional = without_none(hint)
        if is_optional:
            return None if value is None else self.write(value, inner, at)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint is np.ndarray:
            return self._write_array(value, at)
        if origin is Literal:
            return _admitted(value, arguments)
        if hint in (bool, int, float, str):
            return _written_scalar(value, hint)
        if origin in (tuple, Sequence):
            hints = hints_of_parts(hint, len(value))
            return [
                self.write(part, own, f"{at}.{number}")
                for number, (part, own) in enumerate(zip(value, hints, strict=True))
            ]
        if origin is dict:
            return [
                [self.write(key, arguments[0], at), self.write(part, arguments[1], f"{at}.{key}")]
                for key, part in value.items()
            ]
        if type(value) is not hint:
            raise TypeError(f"a {type(value).__name__} is no {hint}")
        return {
            name: self.write(getattr(value, name), own, f"{at}.{name}")
            for name, (own, _) in fields_of(hint).items()  # type: ignore[arg-type]
        }

    def _write_array(self, value: np.ndarray, at: str) -> Any:
        if id(value) in self._written:
            return self._written[id(value)][1]
        # The order of the axes in memory is kept: sums in another order may round otherwise.
        order = sorted(range(value.ndim), key=lambda axis: -abs(value.strides[axis]))
        told: Any = {"array": at}
        if order != sorted(order):
            told["order"] = order
        self.keep(at, torch.from_numpy(np.array(value.transpose(order), order="C")))
        self._written[id(value)] = value, told
        return told

    def keep(self, name: str, tensor: Tensor) -> None:
        """Keep a tensor under a name."""
        if name in self.tensors:
            raise ValueError(f"two arrays would have the name {name}")
        self.tensors[name] = tensor


class Reader:
    """Reads what a :class:`Writer` wrote, and refuses everything else.

    Parameters
    ----------
    forms : Forms
    tensors : mapping of str to Tensor
    """

    def __init__(self, forms: Forms, tensors: Mapping[str, Tensor]) -> None:
        self.forms = forms
        self._tensors = tensors
        self._read: dict[str, Any] = {}

    def read(self, plain: Any, hint: Any, at: str) -> Any:
        """Return a value.

        Parameters
        ----------
        plain : object
            What JSON held.
        hint : type or typing hint
        at : str
            Where it stands, dotted, for the message.

        Raises
        ------
        ArtifactError
            If it is not what is written for such a value; the message names the place.
        """
        try:
            return self._value(plain, hint, at)
        except ArtifactError:
            raise
        except (
            *(SAMoVARError, ValueError, TypeError, KeyError, AttributeError, IndexError),
            *(RuntimeError, OverflowError, MemoryError, RecursionError, AssertionError),
        ) as error:
            raise ArtifactError(f"{at} cannot be read", found=str(error)) from error

    def _value(self, plain: Any, hint: Any, at: str) -> Any:
        if hint in self.forms.values:
            return self.forms.values[hint].read(plain, self, at)
        if hint in self.forms.choices:
            _check_type(plain, dict)
            chosen = self.forms.choices[hint][_check_type(plain.get("kind"), str)]
            others = {name: part for name, part in plain.items() if name != "kind"}
            return self._value(others, chosen, at)
        inner, is_optional = without_none(hint)
        if is_optional:
            return None if plain is None else self.read(plain, inner, at)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint is np.ndarray:
            return self._array(plain)
        if origin is Literal:
            return _admitted(plain, arguments)
        if hint is float and isinstance(plain, str):
            return _NOT_FINITE[plain]
        if hint in (bool, int, float, str):
            return _check_type(plain, hint)
        if origin in (tuple, Sequence):
            hints = hints_of_parts(hint, len(_check_type(plain, list)))
            return tuple(
                self.read(part, own, f"{at}.{number}")
                for number, (part, own) in enumerate(zip(plain, hints, strict=True))
            )
        if origin is dict:
            pairs = [tuple(_check_type(pair, list)) for pair in _check_type(plain, list)]
            found = {
                self.read(key, arguments[0], at): self.read(part, arguments[1], f"{at}.{key}")
                for key, part in pairs
            }
            if len(found) != len(pairs):
                raise ValueError("a key stands twice")
            return found
        return self._object(plain, hint, at)

    def _object(self, plain: Any, kind: Any, at: str) -> Any:
        known = fields_of(kind)
        unknown = sorted(_check_type(plain, dict).keys() - known.keys())
        if unknown:
            raise ValueError(f"there is no field {unknown[0]!r}")
        missing = [name for name, (_, has_default) in known.items() if not has_default]
        missing = [name for name in missing if name not in plain]
        if missing:
            raise ValueError(f"the field {missing[0]!r} is missing")
        parts = {
            name: self.read(part, known[name][0], f"{at}.{name}") for name, part in plain.items()
        }
        made = kind(**parts)
        if kind in self.forms.checks:
            self.forms.checks[kind](made)
        return made

    def _array(self, plain: Any) -> np.ndarray:
        name = _check_type(_check_type(plain, dict)["array"], str)
        if plain.keys() - {"array", "order"}:
            raise ValueError(f"there is no field {sorted(plain)}")
        if name not in self._read:
            array = np.array(self._tensors[name].numpy())  # memory of its own
            order = plain.get("order", list(range(array.ndim)))
            if sorted(_check_type(order, list)) != list(range(array.ndim)):
                raise ValueError(f"the order of axes is {order}")
            self._read[name] = array.transpose(np.argsort(order)) if array.ndim else array
        return self._read[name]

    def take(self, start: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin so, by the rest of their names."""
        found = {name: one for name, one in self._tensors.items() if name.startswith(start)}
        self._read |= found
        return {name.removeprefix(start): tensor for name, tensor in found.items()}

    def check_all_read(self) -> None:
        """Refuse tensors that nothing has named.

        Raises
        ------
        ArtifactError
        """
        unread = sorted(self._tensors.keys() - self._read.keys())
        if unread:
            raise ArtifactError("there are numbers that belong to nothing", found=unread[0])


def without_none(hint: Any) -> tuple[Any, bool]:
    """Return a hint without None, and whether None was admitted."""
    if typing.get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    others = [one for one in typing.get_args(hint) if one is not type(None)]
    if len(others) != 1:
        raise TypeError(f"{hint} has no form")
    return others[0], True


def hints_of_parts(hint: Any, n_parts: int) -> list[Any]:
    """Return the hint of each part of a tuple or sequence."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Sequence or arguments[1:] == (Ellipsis,):
        return [arguments[0]] * n_parts
    return list(arguments)


@lru_cache(maxsize=128)
def fields_of(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Return hint of each field of a dataclass or named tuple, and whether it has a default."""
    hints = typing.get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        return {
            one.name: (
                hints[one.name],
                one.default is not dataclasses.MISSING
                or one.default_factory is not dataclasses.MISSING,
            )
            for one in dataclasses.fields(kind)
        }
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_field_defaults"):
        names: tuple[str, ...] = getattr(kind, "_fields", ())
        return {name: (hints[name], name in kind._field_defaults) for name in names}
    raise TypeError(f"{kind} has no form")


def _written_scalar(value: Any, kind: type) -> Any:
    if kind is bool and isinstance(value, (bool, np.bool_)):
        return bool(value)
    if kind is int and not isinstance(value, (bool, np.bool_)):
        return operator.index(value)
    if kind is float and not isinstance(value, (bool, np.bool_, str)):
        number = float(value)
        return number if math.isfinite(number) else str(number)
    if kind is str and isinstance(value, str):
        return str(value)
    raise TypeError(f"{value!r} is no {kind.__name__}")


def _check_type(plain: Any, kind: Any) -> Any:
    if type(plain) is not kind:
        raise TypeError(f"{str(plain)[:40]!r} is no {kind.__name__}")
    return plain


def _admitted(value: Any, choices: tuple[Any, ...]) -> Any:
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise ValueError(f"{str(value)[:40]!r} is none of {choices}")
    return value
