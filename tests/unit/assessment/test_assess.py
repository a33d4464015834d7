"""All rules together: each is registered, has its own file and test, and findings come sorted, once, with digests."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Estate

from crossfade.assessment import rules
from crossfade.assessment.assess import assess
from crossfade.assessment.findings import Findings, Severity
from crossfade.inventory.documents import decode, encode
from crossfade.model.growth import Growth
from crossfade.model.provenance import Gap, Origin

FILES = sorted(path.stem for path in Path(rules.__file__).parent.glob("*.py") if path.stem != "__init__")


def estate() -> Estate:
    found = Estate(sso_client_id="x")
    pool = found.pool("Büro & Co", hosts=1, people=3, max_session_limit=None)
    found.app(found.group(pool, "Apps"), "Excel", file_path=None)
    found.gaps.append(Gap(subject="x", what="w", why="y", mend="m"))
    return found


def test_every_rule_has_a_file_of_its_name_and_a_test() -> None:
    ids = [rule.id for rule in rules.RULES]
    assert len(set(ids)) == len(ids) >= 10
    assert sorted(rule.id.replace("-", "_") for rule in rules.RULES) == FILES
    for name in FILES:
        assert (Path(__file__).parent / f"test_rule_{name}.py").exists(), name


def test_findings_are_sorted_named_and_explained() -> None:
    world = estate()
    found = assess(world.inventory(), world.target(), Growth(), made_at="2026-06-01T08:00:00Z")
    ranks = [(list(Severity).index(item.severity), item.rule) for item in found.findings]
    assert ranks == sorted(ranks)
    assert len({item.id for item in found.findings}) == len(found.findings) >= 5
    for item in found.findings:
        assert item.id == f"{item.rule}:{item.subject}"
        assert item.what.endswith((".", "w"))
        assert item.why
        assert item.mend
    assert [item.rule for item in found.blockers()] == ["remoteapp-without-path"]


def test_findings_are_a_document_that_names_its_inputs() -> None:
    world = estate()
    found = assess(world.inventory(), world.target(), Growth(), made_at="t")
    assert found.inputs == {
        "inventory": world.inventory().design_digest(),
        "target": world.target().design_digest(),
    }
    assert decode(encode(found), Findings, place="findings.json") == found
    assert assess(world.inventory(), None, Growth(), made_at="t").inputs.keys() == {"inventory"}


@pytest.mark.parametrize(
    ("sources", "mode"),
    [([], "crossfade"), (["live"], "crossfade"), (["export", "live"], "crossfade"), (["export", "remains"], "restore")],
)
def test_the_mode_is_what_the_inventory_came_from(sources: list[str], mode: str) -> None:
    from msgspec.structs import replace

    inventory = replace(estate().inventory(), origins=[Origin(source=name, place="p") for name in sources])
    assert assess(inventory, None, Growth(), made_at="t").mode == mode


def test_every_rule_is_described() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "findings.md").read_text(encoding="utf-8")
    for rule in rules.RULES:
        assert f"| `{rule.id}` | {rule.severity} | {rule.about}" in text, rule.id
