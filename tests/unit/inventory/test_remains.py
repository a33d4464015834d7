"""What is left in Azure becomes a draft: what a sign proves is stated, and everything else stays a guess."""

from typing import Any

import msgspec
from exports_kit import file

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.merge import assemble
from crossfade.inventory.remains import sketched
from crossfade.model.provenance import Gap
from crossfade.sources.exports import read_exports
from crossfade.sources.remains_records import Connections, Deployment, Extension, RemainsReading, VirtualMachine

SUB, OTHER = "11111111-0000-4000-a000-000000000001", "22222222-0000-4000-a000-000000000002"
AT = "2026-11-29T10:00:00.000Z"
Rows = list[dict[str, Any]]


def group(name: str = "rg", sub: str = SUB) -> str:
    return f"/subscriptions/{sub}/resourceGroups/{name}"


def vm(name: str, rg: str = "rg", sub: str = SUB, **more: Any) -> VirtualMachine:
    full = f"{group(rg, sub)}/providers/Microsoft.Compute/virtualMachines/{name}"
    return VirtualMachine(id=full, name=name, vm_id=f"id-{name}", computer=name, **more)


def dsc(machine: VirtualMachine, pool: str = "Office", **inner: Any) -> Extension:
    said = {"DefinedTenantGroupName": "Default Tenant Group", "TenantName": "contoso", "HostPoolName": pool, **inner}
    settings = {"configurationFunction": "Configuration.ps1\\RegisterSessionHost", "properties": said}
    return Extension(
        id=f"{machine.id}/extensions/dscextension",
        machine=machine.id,
        publisher="Microsoft.Powershell",
        type="DSC",
        settings=settings,
    )


def first(machine: VirtualMachine, pool: str = "Office", personal: str = "False", people: str = '""') -> Extension:
    """What the template leaves on the VM with which it made a pool."""
    return dsc(machine, pool, EnablePersistentDesktop=personal, defaultDesktopUsers=people)


def join(machine: VirtualMachine) -> Extension:
    settings = {"name": "ad.contoso.example"}
    return Extension(
        id=f"{machine.id}/extensions/joindomain", machine=machine.id, type="JsonADDomainExtension", settings=settings
    )


def deployment(pool: str = "Office", prefix: str = "off", count: int = 2, rg: str = "rg", **more: Any) -> Deployment:
    said = {"existingTenantName": "contoso", "hostPoolName": pool, "rdshNamePrefix": prefix}
    said |= {"rdshNumberOfInstances": count, "enablePersistentDesktop": False, "defaultDesktopUsers": "ann@x.example"}
    full = f"{group(rg)}/providers/Microsoft.Resources/deployments/made-{pool}"
    given: dict[str, Any] = {"at": "2024-10-16T07:00:00Z", "state": "Succeeded", **more}
    parameters = said | given.pop("parameters", {})
    return Deployment(id=full, group=group(rg), parameters=parameters, **given)


def used(upn: str, host: str, pool: str = "Office", last: str = "2026-09-20") -> Connections:
    return Connections(upn=upn, host=host, pool=pool, count=3, first="2026-09-01", last=last, workspace="logs")


def left(*machines: VirtualMachine, logged: bool = True, **found: Any) -> RemainsReading:
    return RemainsReading(read_at=AT, machines=list(machines), logged=["logs"] if logged else [], **found)


def rows(reading: RemainsReading, *names: str) -> Rows:
    """The records of those files of the draft whose names begin so."""
    return [row for name, found in sketched(reading).items() for row in found if name.startswith(names)]


def hosts(reading: RemainsReading) -> dict[tuple[str, str], str]:
    """Pool and host -> confidence."""
    found = rows(reading, "session-hosts")
    return {(row["HostPoolName"], row["SessionHostName"]): row["Confidence"] for row in found}


def people(reading: RemainsReading) -> dict[str, str]:
    return {row["UserPrincipalName"]: row["Confidence"] for row in rows(reading, "people-")}


def gaps(reading: RemainsReading) -> str:
    return "\n".join(f"{row['Subject']}: {row['What']}" for row in rows(reading, "gaps"))


def inventory(reading: RemainsReading) -> Inventory:
    return assemble(read_exports(file(name, found) for name, found in sketched(reading).items()), made_at=AT)


# ---------------------------------------------------------------- hosts


def test_a_vm_with_the_extension_of_a_classic_template_is_a_host_of_its_pool_also_while_it_is_off() -> None:
    on, off = vm("off-0"), vm("off-1", power="PowerState/deallocated")
    found = hosts(left(on, off, extensions=[first(on), join(on), dsc(off), join(off)]))
    assert found == {
        ("Office", "off-0.ad.contoso.example"): "stated",
        ("Office", "off-1.ad.contoso.example"): "stated",
    }


def test_a_vm_that_a_deployment_names_is_one_too_and_those_that_are_gone_are_told() -> None:
    reading = left(vm("off-0"), deployments=[deployment(parameters={"domainToJoin": "ad.x.example"})])
    assert hosts(reading) == {("Office", "off-0.ad.x.example"): "stated"}
    assert "made VMs for pool Office that are not there any more: off-1" in gaps(reading)


def test_vms_that_never_were_hosts_are_not_taken_in() -> None:
    host, alike, other = vm("off-0"), vm("off-9"), vm("files-1")
    reading = left(host, alike, other, vm("off-7", "elsewhere"), extensions=[first(host)])
    assert hosts(reading) == {("Office", "off-0"): "stated", ("Office", "off-9"): "guessed"}
    assert [one.key.rpartition("/")[2] for one in inventory(reading).hosts] == ["off-0"]


def test_a_vm_of_the_new_service_is_no_sign_of_a_classic_pool() -> None:
    machine = vm("avd-0")
    settings = {"configurationFunction": "Configuration.ps1\\AddSessionHost", "properties": {"hostPoolName": "New"}}
    one = Extension(
        id=f"{machine.id}/extensions/dsc",
        machine=machine.id,
        publisher="Microsoft.Powershell",
        type="DSC",
        settings=settings,
    )
    assert sketched(left(machine, extensions=[one])).keys() <= {"gaps.json"}


def test_of_two_pools_with_one_prefix_a_vm_without_a_sign_is_a_guess_in_both() -> None:
    one, two, three = vm("vdi-0"), vm("vdi-1"), vm("vdi-2")
    reading = left(one, two, three, extensions=[first(one, "A"), first(two, "B")])
    assert hosts(reading) == {
        ("A", "vdi-0"): "stated",
        ("A", "vdi-2"): "guessed",
        ("B", "vdi-1"): "stated",
        ("B", "vdi-2"): "guessed",
    }


def test_vms_of_one_name_in_two_subscriptions_keep_apart_by_their_ids() -> None:
    here, there = vm("off-0"), vm("off-0", sub=OTHER)
    reading = left(here, there, extensions=[first(here, "A"), first(there, "B")])
    found = {row["HostPoolName"]: row["AzureResourceId"] for row in rows(reading, "session-hosts")}
    assert found == {"A": here.id, "B": there.id}


def test_two_vms_of_one_name_in_one_pool_are_both_guesses() -> None:
    here, there = vm("off-0"), vm("off-0", sub=OTHER)
    reading = left(here, there, extensions=[first(here), dsc(there)])
    found = rows(reading, "session-hosts")
    assert [row["Confidence"] for row in found] == ["guessed", "guessed"]
    assert f"{here.id} and {there.id}" in found[0]["Sign"]


def test_a_vm_that_no_template_made_is_a_host_where_people_were_seen_on_it() -> None:
    made, by_hand = vm("off-0"), vm("late", reported="late.ad.contoso.example")
    reading = left(
        made,
        by_hand,
        extensions=[first(made)],
        connections=[used("ann@x.example", "late.ad.contoso.example"), used("bob@x.example", "off-0")],
    )
    assert hosts(reading)["Office", "late.ad.contoso.example"] == "seen"


def test_a_vm_that_people_used_in_another_pool_than_its_extension_names_is_a_guess_in_both() -> None:
    one, two = vm("a-0"), vm("b-0")
    reading = left(
        one, two, extensions=[first(one, "A"), first(two, "B")], connections=[used("x@x.example", "a-0", "B")]
    )
    assert hosts(reading) == {("A", "a-0"): "guessed", ("B", "a-0"): "guessed", ("B", "b-0"): "stated"}


def test_a_log_that_names_something_else_than_pools_contradicts_nobody() -> None:
    one = vm("a-0")
    reading = left(one, extensions=[first(one, "A")], connections=[used("x@x.example", "a-0", "0f3a-guid")])
    assert hosts(reading) == {("A", "a-0"): "stated"}
    assert people(reading) == {"x@x.example": "guessed"}


# ---------------------------------------------------------------- pools


def test_whether_a_pool_is_personal_is_never_assumed() -> None:
    one = vm("off-1")
    reading = left(one, extensions=[dsc(one)])
    (pool,) = (row for row in rows(reading, "host-pools") if "Persistent" in row)
    assert (pool["Persistent"], pool["Confidence"]) == (None, "guessed")
    found = inventory(reading)
    assert (found.pools, found.hosts, found.groups) == ([], [], [])


def test_an_availability_set_of_the_template_tells_that_it_is_not() -> None:
    one = vm("off-1", available=f"{group()}/providers/Microsoft.Compute/availabilitySets/off-availabilitySet")
    (pool,) = inventory(left(one, extensions=[dsc(one)])).pools
    assert not pool.personal


def test_signs_that_contradict_each_other_make_it_a_guess() -> None:
    one = vm("off-0")
    reading = left(one, extensions=[first(one, personal="True")], deployments=[deployment(count=1)])
    (pool,) = (row for row in rows(reading, "host-pools") if "Persistent" in row)
    assert pool["Confidence"] == "guessed"
    assert "contradict each other" in pool["Sign"]


def test_a_pool_without_any_vm_left_is_a_guess_and_a_failed_run_alone_is_no_sign() -> None:
    assert inventory(left(deployments=[deployment()])).pools == []
    assert not rows(left(vm("off-0"), deployments=[deployment(state="Failed")]), "host-pools")


def test_a_pool_that_only_the_logs_name_is_a_guess_of_an_unknown_tenant() -> None:
    reading = left(vm("pc", reported="pc.x"), connections=[used("ann@x.example", "pc.x", "By Hand")])
    (pool,) = (row for row in rows(reading, "host-pools") if "Persistent" in row)
    assert (pool["TenantName"], pool["HostPoolName"], pool["Confidence"]) == ("unknown", "By Hand", "guessed")
    assert inventory(reading).hosts == []


# ---------------------------------------------------------------- people


def test_whom_a_template_gave_the_desktop_is_stated_or_seen_and_who_only_connected_is_a_guess() -> None:
    one = vm("off-0")
    given = '"ann@x.example, bob@x.example"'
    seen = [used("BOB@x.example", "off-0"), used("eve@x.example", "off-0")]
    reading = left(one, extensions=[first(one, people=given)], connections=seen)
    assert people(reading) == {"ann@x.example": "stated", "bob@x.example": "seen", "eve@x.example": "guessed"}
    assert sorted(item.upn for item in inventory(reading).assignments) == ["ann@x.example", "bob@x.example"]


def test_a_personal_desktop_that_one_person_used_is_theirs_once_somebody_confirms_it() -> None:
    one, two = vm("own-0"), vm("own-1")
    seen = [used("ann@x.example", "own-0"), used("bob@x.example", "own-1"), used("eve@x.example", "own-1")]
    reading = left(one, two, extensions=[first(one, personal="True"), dsc(two)], connections=seen)
    (owner,) = rows(reading, "personal-desktops")
    assert (owner["SessionHostName"], owner["AssignedUser"], owner["Confidence"]) == (
        "own-0",
        "ann@x.example",
        "guessed",
    )
    assert {host.assigned_user for host in inventory(reading).hosts} == {None}
    assert "own-1" in gaps(reading)
    assert "bob@x.example, eve@x.example" in gaps(reading)


def test_people_on_hosts_that_are_not_there_are_told_or_kept_by_their_pool() -> None:
    one = vm("off-0")
    bare = used("ann@x.example", "gone-1", "")
    named = used("bob@x.example", "gone-2")
    reading = left(one, extensions=[first(one)], connections=[bare, named])
    assert people(reading) == {"bob@x.example": "guessed"}
    assert "ann@x.example connected to gone-1" in gaps(reading)


def test_without_logs_the_gap_says_so_and_the_rest_is_there() -> None:
    one = vm("off-0")
    reading = left(one, extensions=[first(one)], logged=False)
    assert "holds classic's logs" in gaps(reading)
    assert [found.key.rpartition("/")[2] for found in inventory(reading).hosts] == ["off-0"]


# ---------------------------------------------------------------- the whole


def test_nothing_of_a_classic_estate_makes_no_pools() -> None:
    assert "host-pools.json" not in sketched(left(vm("files-1")))


def test_what_could_not_be_read_stays_in_the_draft() -> None:
    one = vm("off-0")
    gap = Gap(subject="the deployments of rg", what="It could not be read.", why="403.", mend="Ask for the right.")
    reading = left(one, extensions=[first(one)], gaps=[gap])
    assert gap in inventory(reading).gaps


def test_names_of_pools_that_no_file_can_have_get_files_all_the_same() -> None:
    one, two = vm("a-0"), vm("b-0")
    given = {"people": '"ann@x.example"'}
    reading = left(one, two, extensions=[first(one, "R&D: ../x", **given), first(two, "R D  x", **given)])
    assert {name for name in sketched(reading) if name.startswith("people")} == {
        "people-R-D-x.json",
        "people-R-D-x-2.json",
    }


def test_the_order_of_what_was_read_changes_nothing() -> None:
    one, two = vm("off-0"), vm("off-1")
    reading = left(one, two, extensions=[first(one), dsc(two)], deployments=[deployment()])
    turned = msgspec.structs.replace(reading, machines=reading.machines[::-1], extensions=reading.extensions[::-1])
    assert sketched(turned) == sketched(reading)
