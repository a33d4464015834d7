"""Names that the new service does not take: too long, too short, or with characters that it has not.

Limits: facts/arm-service 1.13. The plan shows every new name before anything is written; friendly names are untouched.
"""

import re
from collections.abc import Iterator, Sequence

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import ClassicObject
from crossfade.model.ids import last_name

ID = "name-rewritten"
_PATTERN = re.compile(r"[A-Za-z0-9@.\-_ ]*")
_LONGEST = {"host pool": 64, "app group": 64, "app": 24}


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    named: dict[str, Sequence[ClassicObject]] = {
        "host pool": inventory.pools,
        "app group": inventory.groups,
        "app": inventory.apps,
    }
    for kind, items in named.items():
        for item in items:
            name = last_name(item.key)
            reasons = _reasons(name, _LONGEST[kind])
            if reasons:
                yield finding(
                    ID,
                    Severity.NOTE,
                    item.key,
                    what=f"The {kind} {name} gets another name: it {' and '.join(reasons)}.",
                    why="People see friendly names, which stay; scripts and reports that use the name must follow.",
                    mend="Look at `names` in the plan; choose another under [rename] in crossfade.toml if you like.",
                    evidence={"name": name, "length": len(name)},
                )


def _reasons(name: str, longest: int) -> list[str]:
    reasons = []
    if len(name) > longest:
        reasons.append(f"has {len(name)} characters, {longest} are allowed")
    if len(name) < 3:
        reasons.append("has fewer than 3 characters")
    if not _PATTERN.fullmatch(name):
        strange = sorted(set(_PATTERN.sub("", name)))
        reasons.append(f"holds {' '.join(strange)}")
    return reasons


RULE = Rule(id=ID, severity=Severity.NOTE, about="A name is not one that the new service takes.", check=check)
