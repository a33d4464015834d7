"""Every setting of crossfade.toml, and every document with its format, is described."""

import re
from pathlib import Path

import msgspec
import pytest

from crossfade.assessment.findings import Findings
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.intent import Accepted, Intent, PoolIntent
from crossfade.plan.plan import Plan
from crossfade.verification.verification import Verification

DOCS = Path(__file__).resolve().parents[2] / "docs/reference"
TABLES = ("azure", "names", "growth", "access", "waves", "sessions", "notices", "hooks", "installers", "diagnostics")


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", (DOCS / "settings.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def settings_of(kind: type) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_of_a_table_is_described(table: str) -> None:
    named = set(re.findall(r"`(\w+)`", sections()[f"[{table}]"]))
    assert settings_of(type(getattr(Intent(), table))) <= named


@pytest.mark.parametrize("table", TABLES)
def test_the_defaults_are_the_ones_in_the_code(table: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", sections()[f"[{table}]"], re.MULTILINE)
    defaults = getattr(Intent(), table)
    for name, told in rows:
        value = told.strip("`")
        if value and not value.startswith("below"):
            assert _as_text(getattr(defaults, name)) == value, name


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_table_is_described() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert {name for name in settings_of(Intent) if f"[{name}" not in text} == set()


@pytest.mark.parametrize(("heading", "kind"), [('[pools."', PoolIntent), ("[[accepted]]", Accepted)])
def test_repeated_tables_are_described(heading: str, kind: type) -> None:
    text = next(text for name, text in sections().items() if name.startswith(heading))
    assert settings_of(kind) <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("kind", [Inventory, TargetSnapshot, Findings, Plan, Verification])
def test_every_document_is_described_with_its_format(kind: type) -> None:
    text = (DOCS / "documents.md").read_text(encoding="utf-8")
    assert f"`{kind.FORMAT}`" in text  # type: ignore[attr-defined]
