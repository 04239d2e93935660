"""The fields of a class are the form of its file, read strictly and back bit for bit."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pytest

from samovar_forecast.artifact.plain import Forms, Reader, Writer
from samovar_forecast.exceptions import ArtifactError, ConfigurationError


class Pair(NamedTuple):
    left: int
    right: str


class Animal:
    pass


@dataclass(frozen=True)
class Cat(Animal):
    lives: int = 9


@dataclass(frozen=True)
class Dog(Animal):
    name: str


@dataclass(frozen=True)
class Thing:
    is_held_out: bool
    share: float
    kind: Literal["own", "cross"]
    numbers: np.ndarray
    pairs: tuple[Pair, ...]
    levels: Sequence[float]
    ends: tuple[int, float]
    by_name: dict[str, np.ndarray]
    pet: Animal
    other: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.share > 1:
            raise ConfigurationError("the share is too large")


FORMS = Forms(choices={Animal: {"cat": Cat, "dog": Dog}})
ACROSS = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)


def thing(**changes: object) -> Thing:
    fields = {
        "is_held_out": np.True_,
        "share": np.float32(0.1),
        "kind": "own",
        "numbers": ACROSS,
        "pairs": (Pair(np.int64(1), "x"), Pair(-2, "")),
        "levels": [0.1, math.inf],
        "ends": (3, -math.inf),
        "by_name": {"a": ACROSS, "b": np.array(5.0)},
        "pet": Dog("Rex"),
    }
    return Thing(**{**fields, **changes})


def written(value: object) -> tuple[dict, dict]:
    writer = Writer(FORMS)
    plain = json.loads(json.dumps(writer.write(value, type(value), "it"), allow_nan=False))
    return plain, writer.tensors


def test_an_object_comes_back_field_by_field_and_its_arrays_lie_in_memory_as_before():
    plain, tensors = written(thing())
    reader = Reader(FORMS, tensors)
    found = reader.read(plain, Thing, "it")
    reader.check_all_read()
    assert found.is_held_out is True
    assert found.share == float(np.float32(0.1))
    assert found.pairs == (Pair(1, "x"), Pair(-2, ""))
    assert (found.levels, found.ends) == ((0.1, math.inf), (3, -math.inf))
    assert (found.pet, found.other) == (Dog("Rex"), None)
    np.testing.assert_array_equal(found.numbers, ACROSS)
    assert found.numbers.strides == ACROSS.strides
    assert found.by_name["a"] is found.numbers  # one array is written once
    assert found.by_name["b"].shape == ()
    assert len(tensors) == 2


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("is_held_out", "no"),
        ("is_held_out", 1),
        ("share", 1),
        ("share", "much"),
        ("share", 1.5),
        ("kind", "both"),
        ("numbers", 3),
        ("numbers", {"array": "nowhere"}),
        ("numbers", {"array": "it.numbers", "order": [0, 0, 1]}),
        ("numbers", {"array": "it.numbers", "hook": "x"}),
        ("pairs", [{"left": 1}]),
        ("pairs", [{"left": 1, "right": "x", "more": 2}]),
        ("pairs", [{"left": True, "right": "x"}]),
        ("pairs", "xy"),
        ("ends", [1]),
        ("levels", {}),
        ("by_name", [["a"]]),
        ("by_name", {}),
        ("pet", {"kind": "horse"}),
        ("pet", {"kind": "dog"}),
        ("pet", None),
        ("surprise", 1),
    ],
)
def test_what_is_not_as_it_is_written_is_refused_by_its_place(name, bad):
    plain, tensors = written(thing())
    with pytest.raises(ArtifactError, match=r"it(\.\w+)* cannot be read|is no |none of"):
        Reader(FORMS, tensors).read({**plain, name: bad}, Thing, "it")


def test_a_missing_field_is_refused_unless_it_has_a_default():
    plain, tensors = written(thing())
    plain["pet"] = {"kind": "cat"}
    plain.pop("other")
    assert Reader(FORMS, tensors).read(plain, Thing, "it").pet == Cat(9)
    plain.pop("share")
    with pytest.raises(ArtifactError, match="the field 'share' is missing"):
        Reader(FORMS, tensors).read(plain, Thing, "it")


def test_numbers_that_nothing_names_are_refused():
    plain, tensors = written(thing(numbers=np.zeros(2), by_name={}))
    reader = Reader(FORMS, {**tensors, "more": tensors["it.numbers"]})
    reader.read(plain, Thing, "it")
    with pytest.raises(ArtifactError, match="belong to nothing; found: more"):
        reader.check_all_read()


def test_a_check_is_asked_about_every_object_that_is_read():
    def refuse(value: Thing) -> None:
        raise ValueError("it does not fit")

    plain, tensors = written(thing())
    with pytest.raises(ArtifactError, match="it does not fit"):
        Reader(FORMS | Forms(checks={Thing: refuse}), tensors).read(plain, Thing, "it")


@pytest.mark.parametrize(
    "changes",
    [{"share": "much"}, {"is_held_out": 3}, {"pet": 5}, {"kind": "x"}, {"ends": (1.5, 2)}],
)
def test_what_is_not_as_its_hint_says_is_not_written(changes):
    with pytest.raises(ConfigurationError, match=r"cannot be kept in an artifact|is none of"):
        written(thing(**changes) if "share" not in changes else Pair("x", "y"))
