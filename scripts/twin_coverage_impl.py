"""Make `docs/reference/twin-coverage.md`: which operations of the official client the twin serves, and by which tests.

    python3 scripts/twin_coverage.py           run the tests that are marked `covers`; write the page if they pass
    python3 scripts/twin_coverage.py --check   say whether the page is what the marks make (no test is run)

An operation is ticked where passing tests show its body, one error and an idempotent repeat.
"""

import argparse
import inspect
import re
import sys
from collections import defaultdict, namedtuple
from pathlib import Path

from _house import ROOT

FOLDER = ROOT / "tests" / "contract"
PAGE = ROOT / "docs" / "reference" / "twin-coverage.md"
ASPECTS = ("body", "error", "repeat")
HEAD = """# Coverage of the twin

Made by `scripts/twin_coverage.py`; do not edit. Each operation is ticked only where a passing contract test through
the official client, unmodified, checks its body, one error and an idempotent repeat. An operation without a tick is
answered as the service answers an unknown one.
"""

Client = namedtuple("Client", "title tests operations")  # operations: a function that lists them by name


class Collector:
    """A pytest plugin: marks of the collected tests, and whether all passed."""

    def __init__(self) -> None:
        self.marks: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        self.failed: list[str] = []

    def pytest_collection_finish(self, session) -> None:  # type: ignore[no-untyped-def]
        for item in session.items:
            for mark in item.iter_markers("covers"):
                operation, *aspects = mark.args
                for aspect in aspects:
                    self.marks[Path(item.path).name][operation][aspect] = shown(item, operation)

    def pytest_runtest_logreport(self, report) -> None:  # type: ignore[no-untyped-def]
        if report.failed:
            self.failed.append(report.nodeid)


def shown(item, operation: str) -> str:  # type: ignore[no-untyped-def]
    """A test's name; with the operation where it is one of its parameters."""
    mine = f"{item.originalname}[{operation}]"
    return mine if item.name == mine else str(item.originalname)


def collect(*, run: bool) -> Collector:
    import pytest

    found = Collector()
    files = [str(FOLDER / client.tests) for client in CLIENTS]
    options = ["-q", "-p", "no:cacheprovider", "-m", "covers", "-o", "addopts=--import-mode=importlib", *files]
    pytest.main(options if run else ["--collect-only", "-qq", *options], plugins=[found])
    return found


def desktop_operations() -> list[str]:
    """`host_pools.get` and the like, of every operation of the client, by name."""
    from azure.mgmt.desktopvirtualization import DesktopVirtualizationMgmtClient
    from azure.mgmt.desktopvirtualization import operations as package

    families = {}
    source = inspect.getsource(DesktopVirtualizationMgmtClient)
    for attribute, name in re.findall(r"self\.(\w+) = (\w+)\(", source):
        if name.endswith("Operations") and hasattr(package, name):
            families[attribute] = getattr(package, name)
    return sorted(name for attribute, family in families.items() for name in methods(attribute, family))


def workspace_operations() -> list[str]:
    """Those of the family `workspaces`, of 14 families."""
    from azure.mgmt.loganalytics.operations import WorkspacesOperations

    return sorted(methods("workspaces", WorkspacesOperations))


def snapshot_operations() -> list[str]:
    """Those of the family `snapshots`, of a client with many."""
    from azure.mgmt.compute.operations import SnapshotsOperations

    return sorted(methods("snapshots", SnapshotsOperations))


def query_operations() -> list[str]:
    from azure.monitor.query import LogsQueryClient

    names = [name for name, _ in inspect.getmembers(LogsQueryClient, inspect.isfunction)]
    return sorted(name for name in names if name.startswith("query_"))


def methods(attribute: str, family: type) -> list[str]:
    names = [name for name, _ in inspect.getmembers(family, inspect.isfunction)]
    return [f"{attribute}.{name}" for name in names if not name.startswith("_")]


CLIENTS = (
    Client(
        "Operations of `azure-mgmt-desktopvirtualization` 2.0.0 (api-version 2024-04-03)",
        "test_twin_coverage.py",
        desktop_operations,
    ),
    Client(
        "Workspaces of `azure-mgmt-loganalytics` 14.0.0 (api-version 2025-07-01)",
        "test_log_workspaces.py",
        workspace_operations,
    ),
    Client(
        "Snapshots of `azure-mgmt-compute` 39.0.0 (api-version 2026-03-02)",
        "test_snapshots.py",
        snapshot_operations,
    ),
    Client("Queries of `azure-monitor-query` 2.0.0 (v1)", "test_log_queries.py", query_operations),
)


def page(marks: dict[str, dict[str, dict[str, str]]]) -> str:
    lines = [line for client in CLIENTS for line in table(client, marks[client.tests])]
    return HEAD + "\n".join([*lines, "", "## All routes", "", *routes()]) + "\n"


def table(client: Client, marks: dict[str, dict[str, str]]) -> list[str]:
    every = client.operations()
    unknown = sorted(set(marks) - set(every))
    if unknown:
        raise SystemExit(f"marked, but no operations of the client: {', '.join(unknown)}")
    ticked = [name for name in every if set(marks.get(name, ())) >= set(ASPECTS)]
    lines = [
        "",
        f"## {client.title}",
        "",
        f"{len(ticked)} of {len(every)} operations.",
        "",
        "| Operation | | Body | Error | Repeat |",
        "|---|---|---|---|---|",
    ]
    for name in every:
        tests = marks.get(name, {})
        cells = [link(tests[aspect], client.tests) if aspect in tests else "" for aspect in ASPECTS]
        lines.append(f"| `{name}` | {'✓' if name in ticked else ''} | {' | '.join(cells)} |")
    return lines


def routes() -> list[str]:
    """Every route of the twin by service, as its routers have them."""
    from avdtwin import arm, classic, control, entra, graph, logs

    base = "/RdsManagement/V1"
    found = {
        "Azure Resource Manager": arm._router().templates(),
        "Classic management": [each.replace(" /", f" {base}/", 1) for each in classic.ROUTER.templates()]
        + classic.OPEN.templates(),
        "Graph": [*graph._ROUTER.templates(), "POST /v1.0/$batch"],
        "Log Analytics": logs._ROUTER.templates(),
        "Sign-in": entra._ROUTER.templates(),
        "Controls of the twin": control._ROUTER.templates(),
    }
    lines = []
    for service, templates in found.items():
        paths: dict[str, list[str]] = defaultdict(list)
        for each in templates:
            method, _, path = each.partition(" ")
            paths[path].append(method)
        lines += [f"### {service}", "", "| Path | Methods |", "|---|---|"]
        lines += [f"| `{path}` | {' '.join(sorted(methods))} |" for path, methods in sorted(paths.items())]
        lines.append("")
    return lines[:-1]


def link(test: str, file: str) -> str:
    return f"[`{test}`](../../{(FOLDER / file).relative_to(ROOT).as_posix()})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = collect(run=not options.check)
    if found.failed:
        print(f"not written, these fail: {', '.join(found.failed)}", file=sys.stderr)
        return 1
    text = page(found.marks)
    if options.check:
        same = PAGE.exists() and PAGE.read_text("utf-8") == text
        print("current" if same else f"{PAGE.name} is not current: run scripts/twin_coverage.py")
        return 0 if same else 1
    PAGE.write_text(text, "utf-8")
    told = [line for line in text.splitlines() if line.endswith(" operations.")]
    print(f"{PAGE.relative_to(ROOT)}: {' '.join(told)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
