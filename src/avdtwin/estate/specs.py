"""What an estate is to hold, before it is built: pools, groups, apps and how many of each. Pure data, no ids."""

import random
from collections.abc import Callable

import msgspec

LONG_GROUP = "Accounts Payable and Receivable with Month-End Closing Apps 2019"
LONG_POOL = "Finance and Controlling - Western Europe Nordics and Baltics 003"
MAX_NAME = 64

OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"


class AppSpec(msgspec.Struct, frozen=True):
    """One RemoteApp. `icon` and `arguments` are None where the service's default holds."""

    name: str
    path: str
    title: str | None = None
    arguments: str | None = None
    """A required command line."""
    allow_arguments: bool = False
    icon: str | None = None
    icon_index: int = 0
    shown: bool = True
    description: str | None = None


class GroupSpec(msgspec.Struct, frozen=True):
    """A RemoteApp group and how many of the pool's people are in it."""

    name: str
    people: int
    apps: tuple[AppSpec, ...]
    title: str | None = None
    description: str | None = None
    shared: int = 0
    """How many people of the group before it are in this one too."""


class PoolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One host pool. `desktop_people` are in its `Desktop Application Group`; on a personal pool each has a host of
    their own, as far as `assigned` goes.
    """

    name: str
    prefix: str
    """Of its VMs' names: `prefix-0`, `prefix-1`, …"""
    hosts: int
    desktop_people: int
    groups: tuple[GroupSpec, ...] = ()
    title: str | None = None
    description: str | None = None
    desktop_title: str | None = None
    personal: bool = False
    automatic: bool = False
    """Personal with automatic assignment."""
    assigned: int = 0
    depth_first: bool = False
    limit: int = 999999
    validation: bool = False
    ring: int | None = None
    rdp: str | None = None
    resource_group: str = "rg-wvd"
    location: str = "westeurope"
    leavers: int = 0
    """People assigned here who are gone from the directory."""
    borrowed: int = 0
    """How many of its people are people of the pool before it, besides."""
    recased: int = 0
    """How many of the borrowed are written in another casing here."""
    never_ending: int = 0
    """Disconnected sessions of people on leave that nothing ends."""
    silent: tuple[int, ...] = ()
    """Numbers of hosts that send no heartbeat."""
    off: tuple[int, ...] = ()
    """Numbers of hosts whose VM is deallocated."""
    drained: tuple[int, ...] = ()
    """Numbers of hosts that somebody drained long ago."""
    no_installers: tuple[int, ...] = ()
    """Numbers of hosts that lack the installers."""
    by_hand: tuple[int, ...] = ()
    """Numbers of hosts that somebody added without a template: nothing in Azure says what they are."""


class EstateSpec(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    tenant: str
    domain: str
    ad_domain: str
    pools: tuple[PoolSpec, ...]
    tenant_group: str = "Default Tenant Group"
    title: str | None = None
    description: str | None = None
    provider_registered: bool = False
    """Whether the subscription knows Microsoft.DesktopVirtualization already."""
    single_sign_on: bool = False
    workspace: bool = True
    """Whether the tenant sends diagnostics to Log Analytics."""
    log_days: int = 0
    """For how many days past that workspace is there, with who connected where; 0: it is not in this directory."""
    classic_gone: bool = False
    """Whether the classic service has been switched off already."""
    strangers: tuple[str, ...] = ()
    """Names of VMs beside the first pool's that never were session hosts."""


# ---------------------------------------------------------------- apps that many have

EXCEL = AppSpec("Excel", OFFICE + "EXCEL.EXE")
WORD = AppSpec("Word", OFFICE + "WINWORD.EXE", title="Word 2019")
OUTLOOK = AppSpec("Outlook", OFFICE + "OUTLOOK.EXE", arguments="/recycle")
TEAMS = AppSpec("Teams", "%LOCALAPPDATA%\\Microsoft\\Teams\\current\\Teams.exe", allow_arguments=True)
CALCULATOR = AppSpec(
    "Calculator",
    "shell:appsFolder\\Microsoft.WindowsCalculator_8wekyb3d8bbwe!App",
    description="A Store app",
)
LEDGER = AppSpec(
    "General Ledger and Consolidation",
    "C:\\Program Files (x86)\\Contoso\\Ledger\\ledger.exe",
    title="General Ledger & Consolidation",
    arguments='/company:"Contoso AG" /mode:live /user:%USERNAME%',
    icon="C:\\Program Files (x86)\\Contoso\\Ledger\\icons.dll",
    icon_index=3,
    description="Opens the company that the person closes the month for",
)
LEDGER_TEST = AppSpec(
    "General Ledger and Consolidation Test",
    "C:\\Program Files (x86)\\Contoso\\Ledger\\ledger.exe",
    title="General Ledger (test)",
    arguments='/company:"Contoso AG" /mode:test',
    icon="C:\\Program Files (x86)\\Contoso\\Ledger\\icons.dll",
    icon_index=4,
    shown=False,
)
TREASURY = AppSpec("Treasury", "D:\\Apps\\Treasury\\Treasury.exe", title="Treasury Workstation", icon_index=1)
INVOICES = AppSpec("Invoice Scan", "D:\\Apps\\Scan\\scan.exe", arguments="--profile 'A/P inbound' --lang=de")

OFFICE_RDP = "audiocapturemode:i:1;camerastoredirect:s:*;drivestoredirect:s:;redirectclipboard:i:1;"
FINANCE_RDP = (
    "redirectclipboard:i:0;redirectprinters:i:1;drivestoredirect:s:;usbdevicestoredirect:s:;targetisaadjoined:i:0;"
)

# ---------------------------------------------------------------- the estates

CONTOSO = EstateSpec(
    name="contoso",
    tenant="Contoso Desktops",
    domain="contoso.com",
    ad_domain="corp.contoso.com",
    title="Contoso",
    description="Desktops and apps of Contoso, since 2019",
    pools=(
        PoolSpec(
            name="Office Desktops",
            prefix="ctooff",
            hosts=38,
            desktop_people=560,
            groups=(
                GroupSpec("Office Apps", 45, (EXCEL, WORD, OUTLOOK, TEAMS, CALCULATOR), title="Office"),
                GroupSpec("Field Service", 25, (OUTLOOK, EXCEL), description="Tablets of the field service"),
            ),
            title="Office",
            description="The desktop of everybody in an office",
            desktop_title="Contoso Desktop",
            rdp=OFFICE_RDP,
            limit=16,
            resource_group="rg-wvd-office",
            leavers=4,
            never_ending=3,
            silent=(7,),
            off=(21,),
            drained=(30,),
        ),
        PoolSpec(
            name=LONG_POOL,
            prefix="ctofin",
            hosts=14,
            desktop_people=22,
            groups=(
                GroupSpec("Finance Apps", 150, (LEDGER, LEDGER_TEST, EXCEL, INVOICES), title="Finance"),
                GroupSpec("Treasury & Tax", 51, (TREASURY, EXCEL), shared=12),
                GroupSpec(LONG_GROUP, 40, (LEDGER, INVOICES), title="Payables and receivables", shared=25),
            ),
            title="Finance",
            description="",
            depth_first=True,
            limit=12,
            validation=True,
            ring=1,
            rdp=FINANCE_RDP,
            resource_group="rg-wvd-finance",
            location="northeurope",
            leavers=2,
            borrowed=30,
            recased=3,
            never_ending=2,
            no_installers=(11,),
        ),
        PoolSpec(
            name="Engineering Workstations",
            prefix="ctoeng",
            hosts=8,
            desktop_people=8,
            personal=True,
            assigned=7,
            desktop_title="My workstation",
            rdp="use multimon:i:1;redirectclipboard:i:1;",
            resource_group="rg-wvd-engineering",
            leavers=1,
        ),
    ),
)

TINY = EstateSpec(
    name="tiny",
    tenant="tiny",
    domain="tiny.example",
    ad_domain="ad.tiny.example",
    provider_registered=True,
    workspace=False,
    pools=(
        PoolSpec(
            name="Office Pool",
            prefix="off",
            hosts=2,
            desktop_people=4,
            groups=(GroupSpec("Office Apps", 2, (EXCEL, WORD)),),
            title="Office",
            desktop_title="Office Desktop",
            limit=10,
        ),
    ),
)


LATE = EstateSpec(
    name="late",
    tenant="Late",
    domain="late.example",
    ad_domain="ad.late.example",
    provider_registered=True,
    log_days=60,
    classic_gone=True,
    strangers=("lateoff-9", "files-1"),
    pools=(
        PoolSpec(
            name="Office Desktops",
            prefix="lateoff",
            hosts=4,
            desktop_people=6,
            groups=(GroupSpec("Office Apps", 2, (EXCEL, WORD)),),
            title="Office",
            rdp=OFFICE_RDP,
            limit=8,
            resource_group="rg-late-office",
            off=(1,),
            by_hand=(3,),
        ),
        PoolSpec(name="Accounting", prefix="lateacc", hosts=2, desktop_people=3, limit=4, resource_group="rg-late-acc"),
        PoolSpec(
            name="Workstations",
            prefix="latews",
            hosts=2,
            desktop_people=2,
            personal=True,
            assigned=2,
            resource_group="rg-late-own",
        ),
    ),
)
"""One whose classic service has gone, and that nobody exported: what is left of it is in Azure."""


def fabrikam() -> EstateSpec:
    """25 pools, 1,200 hosts, 20,000 people: the same kinds of pools as contoso, many of each."""
    regions = ("westeurope", "eastus2", "uksouth", "australiaeast", "centralindia")
    pools = [_fabrikam_pool(number, regions[number % len(regions)]) for number in range(24)]
    pools.append(
        PoolSpec(
            name="Executive and Design Workstations",
            prefix="fabeng",
            hosts=48,
            desktop_people=48,
            personal=True,
            assigned=47,
            resource_group="rg-wvd-personal",
            off=(11,),
        )
    )
    return EstateSpec(
        name="fabrikam",
        tenant="Fabrikam Global",
        domain="fabrikam.com",
        ad_domain="fabrikam.local",
        title="Fabrikam",
        pools=tuple(pools),
    )


def _fabrikam_pool(number: int, location: str) -> PoolSpec:
    """One of 24 pooled pools of 48 hosts; with the personal one that makes 20,000 people who work."""
    desktop = 624 + (48 if number < 8 else 0)
    apps = GroupSpec("Line of Business Apps", 140, (EXCEL, LEDGER, LEDGER_TEST, INVOICES), title=f"Business {number}")
    office = GroupSpec(f"Office Apps {number:02}", 51 + (number < 10), (WORD, OUTLOOK, CALCULATOR), shared=5)
    return PoolSpec(
        name=f"Site {number:02} - Shared Desktops and Apps",
        prefix=f"fab{number:02}",
        hosts=48,
        desktop_people=desktop,
        groups=(apps, office),
        title=f"Site {number:02}",
        desktop_title=f"Site {number:02} Desktop",
        depth_first=number % 3 == 2,
        limit=16,
        validation=number == 23,
        rdp=OFFICE_RDP if number % 2 else None,
        resource_group=f"rg-wvd-site-{number:02}",
        location=location,
        leavers=2,
        borrowed=10 if number else 0,
        recased=1 if number else 0,
        never_ending=1 if number % 4 == 0 else 0,
        silent=(5,) if number % 6 == 0 else (),
        off=(17,) if number % 5 == 0 else (),
        no_installers=(40,) if number == 3 else (),
    )


def small(seed: int) -> EstateSpec:
    """A random little estate: 1 to 4 pools, up to 6 hosts each, a few dozen people; warts by chance."""
    dice = random.Random(f"small estate {seed}")
    pools = tuple(_small_pool(dice, number) for number in range(dice.randint(1, 4)))
    return EstateSpec(
        name=f"small-{seed}",
        tenant=dice.choice(("small", "Adventure Works", "Wide World Importers GmbH - Desktops")),
        domain="small.example",
        ad_domain="ad.small.example",
        title=dice.choice((None, "Desktops & Apps")),
        provider_registered=dice.random() < 0.5,
        single_sign_on=dice.random() < 0.2,
        workspace=dice.random() < 0.5,
        pools=pools,
    )


def _small_pool(dice: random.Random, number: int) -> PoolSpec:
    personal = dice.random() < 0.3
    hosts = dice.randint(1, 6)
    people = dice.randint(1, hosts) if personal else dice.randint(1, 20)
    name = dice.choice(("Pool", "Office Pool", "Team Desktops", "P" * MAX_NAME))
    odd = [n for n in range(1, hosts) if dice.random() < 0.15]
    return PoolSpec(
        name=f"{name[: MAX_NAME - 3]} {number}",
        prefix=f"vm{number}",
        hosts=hosts,
        desktop_people=people,
        groups=() if personal else _small_groups(dice),
        title=dice.choice((None, "", f"Title {number}")),
        description=dice.choice((None, "", "Angebote <neu> & 'alt'")),
        desktop_title=dice.choice((None, f"Desktop {number}")),
        personal=personal,
        automatic=personal and dice.random() < 0.4,
        assigned=max(0, people - dice.randint(0, 1)) if personal else 0,
        depth_first=not personal and dice.random() < 0.5,
        limit=999999 if personal else dice.choice((999999, 8, 12)),
        validation=dice.random() < 0.2,
        rdp=dice.choice((None, "", OFFICE_RDP, FINANCE_RDP)),
        resource_group=f"rg-{number}",
        leavers=dice.randint(0, 1),
        borrowed=dice.randint(0, 2) if number and not personal else 0,
        recased=dice.randint(0, 1),
        never_ending=0 if personal else dice.randint(0, 1),
        silent=() if personal else tuple(odd[:1]),
        off=() if personal else tuple(odd[1:2]),
        drained=() if personal else tuple(odd[2:3]),
    )


def _small_groups(dice: random.Random) -> tuple[GroupSpec, ...]:
    shelf = (EXCEL, WORD, OUTLOOK, CALCULATOR, LEDGER, LEDGER_TEST, TREASURY)
    names = dice.sample(("Apps", "Office Apps", LONG_GROUP, "Tools R&D"), dice.randint(0, 3))
    return tuple(GroupSpec(name, dice.randint(1, 6), tuple(dice.sample(shelf, dice.randint(0, 3)))) for name in names)


_NAMED: dict[str, Callable[[], EstateSpec]] = {
    "contoso": lambda: CONTOSO,
    "fabrikam": fabrikam,
    "late": lambda: LATE,
    "tiny": lambda: TINY,
}


def named(name: str) -> EstateSpec:
    """`contoso`, `fabrikam`, `late`, `tiny` or `small-<number>`. Raises KeyError with the names there are."""
    if name in _NAMED:
        return _NAMED[name]()
    if name.startswith("small-") and name.removeprefix("small-").isdigit():
        return small(int(name.removeprefix("small-")))
    raise KeyError(f"no estate {name}: there are {', '.join(_NAMED)} and small-<number>")
