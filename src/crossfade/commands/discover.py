"""`crossfade discover`: the classic estate from the live service, from exported files or from both; and the target.

Nothing is written here: the caller writes what it gets, so a discovery that fails leaves everything as it was.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from crossfade.clock import Clock, iso
from crossfade.commands.export_folder import export_files
from crossfade.errors import CloudError, Forbidden, InputError, Problem, Unauthorized
from crossfade.inventory.asked import asked
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.merge import assemble
from crossfade.inventory.snapshot import assemble_target
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, segments
from crossfade.sources.classic_live import read_classic
from crossfade.sources.exports import read_exports
from crossfade.sources.gather import IN_FLIGHT, Progress, silent
from crossfade.sources.records import Kind, Reading
from crossfade.sources.services import Services
from crossfade.sources.target_live import read_target

_NO_TENANT = Problem(
    "the classic service",
    "lists no tenant for whoever is signed in.",
    "Sign in as somebody with a role there (RDS Reader suffices), or name the tenant group with --tenant-group; "
    "docs/how-to/restore.md has the ways without it.",
)
GONE = (
    "If classic has gone for good, read exports (`--from`) or what is left in Azure (`--from-azure`): "
    "docs/how-to/restore.md."
)


async def discover(
    services: Services,
    *,
    tenant_group: str | None = None,
    tenants: Collection[str] = (),
    exports: Path | None = None,
    in_flight: int = IN_FLIGHT,
    progress: Progress = silent,
) -> Inventory:
    """The estate as the live service has it; what it does not give is taken from `exports`, where there are some.

    Raises CloudError when the service cannot be asked at all, InputError for unusable exports or unknown tenants.
    """
    made_at = iso(services.clock.now())
    exported = read_exports(export_files(exports)) if exports else Reading()
    assemble(exported, made_at=made_at)  # unusable files are refused before anybody is called
    try:
        reading = await read_classic(
            services.classic,
            services.clock,
            tenant_group=tenant_group,
            tenants=tenants,
            in_flight=in_flight,
            progress=progress,
        )
    except CloudError as error:
        if error.service == "classic" and not isinstance(error, Unauthorized | Forbidden):
            error.mend = f"{error.mend} {GONE}".strip()
        raise
    reading.add(exported)
    if all(record.kind in (Kind.TENANT_GROUP, Kind.ROLE) for record in reading.records):
        raise InputError("No classic estate was found; nothing was written.", [_NO_TENANT])
    return assemble(reading, made_at=iso(services.clock.now()))


def discover_exports(path: Path, clock: Clock) -> Inventory:
    """The estate as a folder of exported files (or one file) has it. Raises InputError with all problems of all."""
    return assemble(read_exports(export_files(path)), made_at=iso(clock.now()))


async def discover_target(
    services: Services,
    inventory: Inventory | None,
    subscriptions: Sequence[str] = (),
    *,
    pools: list[str] | None = None,
    people: Collection[str] = (),
    groups: Collection[str] = (),
    candidates: bool = False,
    logs: str = "",
    in_flight: int = IN_FLIGHT,
    progress: Progress = silent,
) -> TargetSnapshot:
    """The ARM side of these subscriptions; without any, of those that hold the estate's machines.

    `pools`: ids of the host pools whose hosts and groups matter (None: all); `people`: UPNs or object ids to look up
    besides; `groups`: ids of existing groups to read; `candidates`: all that could publish something; `logs`: id of the
    workspace of the logs. Raises InputError naming each subscription that the caller cannot see, Unauthorized without a
    sign-in.
    """
    caller = await services.caller()
    chosen = list(subscriptions) or home_subscriptions(inventory)
    visible = [str(row.get("subscriptionId", "")) for row in await services.arm.subscriptions()]
    check_visible(visible, chosen, caller.name or caller.object_id, "The target cannot be read.")
    wanted = asked(inventory, chosen, pools, people=people, groups=groups, candidates=candidates, logs=logs)
    reading = await read_target(
        services.arm, services.graph, services.clock, wanted, in_flight=in_flight, progress=progress
    )
    reading.tenant_id = caller.tenant_id
    reading.caller = caller.name or caller.app_id or caller.object_id
    return assemble_target(reading, wanted, made_at=iso(services.clock.now()))


def home_subscriptions(inventory: Inventory | None) -> list[str]:
    """Subscriptions of the estate's machines, sorted. Raises InputError when the estate names none."""
    hosts = inventory.hosts if inventory else []
    ids = (segments(host.azure_resource_id).get("subscriptions", "") for host in hosts if host.azure_resource_id)
    found = {fold(one): one for one in ids if one}
    if not found:
        mend = "Name the target's subscription: `crossfade discover --target --subscription <id>`."
        raise InputError(
            "The target is not known.", [Problem("subscription", "is not given, and no host names its own.", mend)]
        )
    return [found[key] for key in sorted(found)]


def check_visible(visible: Sequence[str], wanted: Sequence[str], caller: str, what: str) -> None:
    """Raises InputError, which says `what`, naming each wanted subscription that is not among the visible ones."""
    seen = set(map(fold, visible))
    mend = "Check the id and the directory you are signed in to, and have at least Reader granted there."
    problems = [
        Problem(f"subscription {one}", f"cannot be seen by {caller or 'the caller'}.", mend)
        for one in wanted
        if fold(one) not in seen
    ]
    if problems:
        raise InputError(what, problems)
