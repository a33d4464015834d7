"""Errors as data, and plain JSON: what crosses an engine's store."""

from __future__ import annotations

import pytest

from crossfade.errors import CloudError, ExecutionError, InputError, MigrationError, PlanConflict, Problem
from crossfade.execution.engine import error_as_data, error_from_data, plain


def _tree(base: type[MigrationError]) -> list[type[MigrationError]]:
    return [base, *(each for child in base.__subclasses__() for each in _tree(child))]


def _made(kind: type[MigrationError]) -> MigrationError:
    if issubclass(kind, InputError | PlanConflict):
        return kind("what", [Problem("file:1", "is wrong", "mend it"), Problem("file:2", "too", "likewise")])
    if issubclass(kind, CloudError):
        return kind("what", "why", "mend", service="arm", status=409, request_id="q", retry_after_s=2.5)
    return kind("what", "why", "mend")


@pytest.mark.parametrize("kind", _tree(MigrationError))
def test_every_error_of_the_tree_survives(kind: type[MigrationError]) -> None:
    before = _made(kind)
    after = error_from_data(plain(error_as_data(before, "Step x")))
    assert type(after) is kind
    assert (str(after), after.as_data()) == (str(before), before.as_data())


def test_codes_are_unique() -> None:
    kinds = _tree(MigrationError)
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_an_unknown_code_is_still_an_error() -> None:
    error = error_from_data({"code": "of-tomorrow", "what": "x"})
    assert type(error) is ExecutionError
    assert str(error) == "x"


def test_a_foreign_error_keeps_its_type_and_place_only() -> None:
    try:
        raise KeyError("eyJ.secret")
    except KeyError as error:
        data = error_as_data(error, "Step x")
    assert data["what"] == "Step x broke."
    assert data["why"].startswith("KeyError at test_engine_errors.py:")
    assert "secret" not in str(data)


def test_plain_is_json() -> None:
    assert plain({"a": (1, 2.5, None, True)}) == {"a": [1, 2.5, None, True]}
    with pytest.raises(TypeError):
        plain(object())
