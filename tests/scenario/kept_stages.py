"""Stages that many tests begin with, carried out once: each gets a copy of it as it then stood, world and folder.

stage = kept("moved", folder, lambda place: ...)
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from stage import Stage

from avdtwin.estate.specs import EstateSpec
from crossfade.app import Rehearsal
from crossfade.plan.plan import Plan


class Kept(NamedTuple):
    """A stage as it stood."""

    world: bytes
    folder: Path
    spec: EstateSpec
    plan: Plan
    calls: Counter[str]


_KEPT: dict[str, Kept] = {}
_PLACES: list[TemporaryDirectory[str]] = []
"""Removed when this process ends."""


def kept(key: str, folder: Path, make: Callable[[Path], Stage]) -> Stage:
    """The stage of this name, in a folder that holds nothing yet. `make` is told where to make it, the first time."""
    if key not in _KEPT:
        _PLACES.append(TemporaryDirectory(prefix="crossfade-stage-"))
        place = Path(_PLACES[-1].name)
        stage = make(place)
        _KEPT[key] = Kept(stage.world.snapshot(), place, stage.spec, stage.plan, stage.calls)
    return _copy(_KEPT[key], folder)


def _copy(one: Kept, folder: Path) -> Stage:
    shutil.copytree(one.folder, folder, dirs_exist_ok=True)
    stage = Stage.around(Rehearsal.of_snapshot(one.world, seed=1), folder, one.spec)
    stage.plan = one.plan
    stage.calls.update(one.calls)
    return stage
