"""Property fidelity: whatever somebody set in classic, a changed value changes the plan, or the plan tells it.

Every property of every kind of record that the classic service lists is changed in turn, in records of generated
estates as a cmdlet export has them, and the estate is planned again. A plan that stays the same is a silent drop.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from avdtwin.estate.export import export_folder
from crossfade.app import Rehearsal
from crossfade.assessment.findings import Findings
from crossfade.commands.discover import discover_target, export_files
from crossfade.commands.init import initial_intent
from crossfade.errors import InputError, PlanConflict
from crossfade.inventory.documents import encode
from crossfade.inventory.fields import FIELDS, NEVER
from crossfade.inventory.inventory import LIVE_VALUES, Inventory
from crossfade.inventory.merge import assemble
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.intent import Intent, PoolIntent, Waves
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.planner import make_plan
from crossfade.sources.exports import read_exports
from crossfade.sources.records import Kind, RawRecord, Reading

NOTICED = "refused"
NAMES = frozenset(
    ["tenantgroupname", "tenantname", "hostpoolname", "appgroupname", "remoteappname", "sessionhostname", "scope"]
)
"""Keys: with another name it is another object."""
FROM_OTHERS = frozenset({"roledefinitionid"})
"""Follows from the role's name, and the fact page says to decide by that (facts/classic-service 4)."""
LIVE = frozenset(
    name
    for name, field in FIELDS[Kind.HOST].items()
    if field.attribute in LIVE_VALUES and field.attribute != "allow_new_session"
)
"""What an agent reports of its machine and will report again: no setting."""
FOUND_BY = frozenset({"azurevmid", "azureresourceid"})
"""Ways to find the VM, no settings; what is done when they disagree is held by tests/unit/plan/test_hosts.py."""
CHOICES: dict[str, tuple[Any, ...]] = {
    "loadbalancertype": (0, 1, 2),
    "assignmenttype": (1, 2),
    "resourcetype": (0, 1),
    "commandlinesetting": (0, 1, 2),
    "ssosecrettype": (0, 1),
    "ssoclientsecrettype": (0, 1),
}
GUIDS = frozenset({"aadtenantid", "azuresubscriptionid", "objectid", "appid", "groupobjectid", "roleassignmentid"})


class Estate(msgspec.Struct):
    reading: Reading
    target: TargetSnapshot
    intent: Intent

    def plan(self, records: list[RawRecord]) -> str:
        """The plan without digests of what it was made of; or that the inputs were refused."""
        reading = Reading(records=records, origins=self.reading.origins)
        try:
            inventory = assemble(reading, made_at="2026-06-01T00:00:00Z")
            plan = make_plan(inventory, self.target, Findings(), self.intent, today="2026-06-01")
        except (InputError, PlanConflict) as error:
            return f"{NOTICED}: {error}"
        return encode(msgspec.structs.replace(plan, inputs={}, scope={})).decode()


def read(name: str, folder: Path) -> Estate:
    rehearsal = Rehearsal.of_estate(name, seed=1, people=False)
    export_folder(rehearsal.world, folder)
    reading = read_exports(export_files(folder))
    inventory = assemble(reading, made_at="2026-06-01T00:00:00Z")

    async def target() -> TargetSnapshot:
        async with rehearsal.services() as services:
            return await discover_target(services, inventory, [rehearsal.subscription])

    snapshot = rehearsal.clock.run(target())
    return Estate(reading, snapshot, _intent(inventory, snapshot, rehearsal.subscription))


def _intent(inventory: Inventory, target: TargetSnapshot, subscription: str) -> Intent:
    intent = read_intent(initial_intent(inventory, target, subscription=subscription, location="westeurope"))
    pools = {pool.key: PoolIntent(outage="when-empty", expected_share=0.3) for pool in inventory.pools}
    return msgspec.structs.replace(intent, pools=pools, waves=Waves(headroom=0.0, size=3))


def changed(name: str, value: Any, chance: random.Random) -> Any:
    """Another value of the same kind, as the service could have it."""
    folded = name.casefold()
    if folded in CHOICES:
        return chance.choice([one for one in CHOICES[folded] if one != value])
    if folded in GUIDS:
        return f"{chance.getrandbits(32):08x}-1111-4222-8333-{chance.getrandbits(48):012x}"
    if folded == "customrdpproperty":
        return f"{value or ''}keyboardhook:i:{chance.randint(0, 3)};later{chance.randint(0, 9)}:s:x;nonsense;"
    if folded == "showinwebfeed":
        return value is False
    if isinstance(value, bool) or folded in ("allownewsession", "validationenv", "persistent"):
        return not value
    if isinstance(value, int):
        return value + chance.randint(1, 9)
    if folded in ("iconindex", "ring", "maxsessionlimit"):
        return chance.randint(2, 9)
    return f"{value or ''} {chance.getrandbits(32):08x}"


def cases(reading: Reading, chance: random.Random, per_property: int) -> Iterator[tuple[int, str]]:
    """(index of a record, name of a property) for some records of each kind and property, chance deciding which."""
    where: dict[tuple[Kind, str], list[int]] = {}
    for index, record in enumerate(reading.records):
        for name in record.data:
            where.setdefault((record.kind, name), []).append(index)
    for (kind, name), indexes in sorted(where.items()):
        folded = name.casefold()
        said = kind in FIELDS and kind is not Kind.SESSION and folded not in NAMES | NEVER | FROM_OTHERS | FOUND_BY
        if said and not (kind is Kind.HOST and folded in LIVE):
            for index in chance.sample(indexes, min(per_property, len(indexes))):
                yield index, name


def drops(estate: Estate, chance: random.Random, per_property: int = 2) -> tuple[int, list[str]]:
    """How many changes were made, and those that no plan showed."""
    records = estate.reading.records
    before = estate.plan(records)
    assert not before.startswith(NOTICED), before
    made, silent = 0, []
    for index, name in cases(estate.reading, chance, per_property):
        record = records[index]
        value = changed(name, record.data[name], chance)
        if value == record.data[name]:
            continue
        made += 1
        other = msgspec.structs.replace(record, data={**record.data, name: value})
        if estate.plan([*records[:index], other, *records[index + 1 :]]) == before:
            silent.append(f"{record.kind} {'/'.join(record.names)}: {name} {record.data[name]!r} -> {value!r}")
    return made, silent


@pytest.mark.parametrize("number", range(3))
def test_no_property_of_classic_is_dropped_in_silence(number: int, tmp_path: Path, seed: int) -> None:
    made, silent = drops(read(f"small-{(seed + number) % 1_000}", tmp_path), random.Random(seed + number))
    assert silent == []
    assert made > 40


def test_members_of_later_modules_are_told_with_their_value(tmp_path: Path, seed: int) -> None:
    estate = read(f"small-{seed % 1_000}", tmp_path)
    chance = random.Random(seed)
    kinds = {record.kind for record in estate.reading.records if record.kind in FIELDS} - {Kind.SESSION}
    for kind in sorted(kinds):
        index = chance.choice([at for at, one in enumerate(estate.reading.records) if one.kind is kind])
        record = estate.reading.records[index]
        other = msgspec.structs.replace(record, data={**record.data, "LaterThing": "a value of 2027"})
        plan = estate.plan([*estate.reading.records[:index], other, *estate.reading.records[index + 1 :]])
        assert "a value of 2027" in plan, kind


def test_the_judge_finds_a_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping that forgets a property is found out."""
    from crossfade.plan import mapping

    real = mapping.host_pool

    def forgetful(*args: Any, **named: Any) -> dict[str, Any]:
        body = real(*args, **named)
        body["properties"].pop("customRdpProperty")
        body["properties"].pop("maxSessionLimit", None)
        return body

    monkeypatch.setattr(mapping, "host_pool", forgetful)
    _, silent = drops(read("small-1", tmp_path), random.Random(1), per_property=1)
    assert any("MaxSessionLimit" in one for one in silent)
