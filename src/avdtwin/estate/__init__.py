"""Estates: realistic classic tenants by seed, with the warts of real ones, and an operator who may migrate them."""

from avdtwin import people as comings_and_goings
from avdtwin.clock import Clock
from avdtwin.estate.access import OPERATOR_APP_ID, OPERATOR_SECRET
from avdtwin.estate.builder import build_world, subscription_id_of, tenant_id_of
from avdtwin.estate.export import export_folder
from avdtwin.estate.specs import EstateSpec, named
from avdtwin.estate.warts import world_warts
from avdtwin.world import World

DEMO_START = 1780902000.0
"""Monday 2026-06-08 07:00 UTC: when the demo begins, a morning in Europe, with classic still alive."""


def build(name_or_spec: str | EstateSpec, seed: int, clock: Clock, *, people: bool = True) -> World:
    """A world at the clock's now. `contoso`, `fabrikam`, `late`, `tiny`, `small-<number>` or a spec of one's own.

    `people`: whether those who work begin to; the sessions they would have by now are open. Raises KeyError for an
    unknown name.
    """
    spec = named(name_or_spec) if isinstance(name_or_spec, str) else name_or_spec
    world = build_world(spec, seed, clock)
    if people:
        comings_and_goings.start(world)
    return world


__all__ = [
    "DEMO_START",
    "OPERATOR_APP_ID",
    "OPERATOR_SECRET",
    "EstateSpec",
    "build",
    "export_folder",
    "named",
    "subscription_id_of",
    "tenant_id_of",
    "world_warts",
]
