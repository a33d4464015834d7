"""Reading the export of a large estate, beside the JSON parser alone on the same bytes.

    PYTHONPATH=src python benchmarks/exports.py [hosts] [people]

50,000 hosts in 500 pools and 300,000 people, one to a line as `discover --from-azure` writes a draft, and with marks of
how sure each record is. Every record is checked, cleaned of secrets, given its file and line, and put in the inventory.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

from crossfade.inventory.merge import assemble
from crossfade.sources.exports import ExportFile, read_exports

TENANT = {"TenantGroupName": "Default Tenant Group", "TenantName": "Contoso"}
DIRECTORY = "11111111-1111-1111-1111-111111111111"
MARK = {"Confidence": "stated", "Sign": "deployment vmCreation"}


def main() -> int:
    hosts, people = [*map(int, sys.argv[1:]), *(50_000, 300_000)[len(sys.argv) - 1 :]]
    files = [ExportFile(name, text(rows)) for name, rows in records(hosts, people)]
    size = sum(len(file.data) for file in files)
    begun = time.perf_counter()
    for file in files:
        json.loads(file.data)
    parsed = time.perf_counter()
    reading = read_exports(files)
    read = time.perf_counter()
    inventory = assemble(reading, made_at="2026-06-08T20:00:00Z")
    done = time.perf_counter()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(reading.records)} records, {size / 2**20:.0f} MiB: read in {read - parsed:.1f} s, put together in "
        f"{done - read:.1f} s, {peak_mib:.0f} MiB in all; json.loads alone {parsed - begun:.1f} s"
    )
    return 0 if (len(inventory.hosts), len(inventory.assignments)) == (hosts, people) else 1


def records(hosts: int, people: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    pools = [{**TENANT, "HostPoolName": f"Pool {number}", "Persistent": False} for number in range(500)]
    groups = [
        {**TENANT, "HostPoolName": pool["HostPoolName"], "AppGroupName": "Desktop Application Group", "ResourceType": 1}
        for pool in pools
    ]
    yield "tenants.json", [{**TENANT, "AadTenantId": DIRECTORY}]
    yield "host-pools.json", pools
    yield "app-groups.json", groups
    yield (
        "session-hosts.json",
        [
            {**TENANT, "HostPoolName": pools[number % 500]["HostPoolName"], "SessionHostName": f"h{number}.contoso.com"}
            | {"AllowNewSession": True, "Sessions": 0, "Status": "Available"}
            for number in range(hosts)
        ],
    )
    yield (
        "app-group-users.json",
        [
            {
                **TENANT,
                "HostPoolName": groups[number % 500]["HostPoolName"],
                "AppGroupName": "Desktop Application Group",
            }
            | {"UserPrincipalName": f"person{number}@contoso.com"}
            for number in range(people)
        ],
    )


def text(rows: list[dict[str, Any]]) -> bytes:
    return ("[\n" + ",\n".join(json.dumps({**row, **MARK}) for row in rows) + "\n]\n").encode()


if __name__ == "__main__":
    raise SystemExit(main())
