"""What the HTML page shows, worked out beforehand: the template only places it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from crossfade.model.ids import fold, last_name
from crossfade.plan.diff import conflicts
from crossfade.plan.feed_title import FeedTitle
from crossfade.plan.operations import Action, PatchResource, PutResource
from crossfade.plan.plan import HostMove, Plan, PoolPlan
from crossfade.plan.role_proposal import RoleProposal
from crossfade.report import words
from crossfade.report.areas import Area, areas
from crossfade.report.consolidation import Consolidated, consolidated, total
from crossfade.report.documents import Documents
from crossfade.report.story import ARRIVED, HostStory
from crossfade.verification.verification import HostCheck

MOST = 500
"""Rows of a list in the page; the documents have them all."""


class Card(msgspec.Struct, frozen=True):
    """A figure at the top. `tone`: good, warn, bad or empty."""

    figure: str
    words: str
    tone: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A host as the page lists it."""

    name: str
    source: str
    pool: str
    link: str
    vm: str
    vm_link: str
    state: str
    tone: str
    wave: str
    emptying: str
    moving: str
    why: str


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A host pool before and after."""

    source: str
    name: str
    link: str
    personal: bool
    hosts: int
    moved: int
    people: int
    shown: int


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An object on the target."""

    type: str
    name: str
    source: str
    link: str
    action: str
    changed: str


class Links:
    """Links into the cloud's portal; none when no portal is known."""

    def __init__(self, portal: str, tenant_id: str) -> None:
        self._base = f"{portal.rstrip('/')}/#@{quote(tenant_id, safe='')}" if portal.startswith("https://") else ""

    def to(self, resource_id: str) -> str:
        """The page of a resource; empty for what is none."""
        known = self._base and resource_id.startswith("/subscriptions/")
        return f"{self._base}/resource{quote(resource_id)}" if known else ""


class Page:
    """Everything of a page that is more than a member of a document."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.plan = documents.plan or Plan()
        self.links = Links(documents.portal, self.plan.tenant_id)
        self._checks = {fold(check.source): check for check in self._proof_hosts()}
        self._stories = {fold(host.source): host for host in documents.story.hosts} if documents.story else {}

    def _proof_hosts(self) -> Iterable[HostCheck]:
        return self._documents.verification.hosts if self._documents.verification else ()

    @property
    def title(self) -> str:
        names = [tenant.friendly_name or last_name(tenant.key) for tenant in self._documents.inventory.tenants]
        return ", ".join(names) or "Migration"

    # -- figures

    def cards(self) -> list[Card]:
        inventory, proof = self._documents.inventory, self._documents.verification
        cards = [
            Card(f"{len(inventory.pools):,}", "host pools"),
            Card(self._hosts_figure(), "hosts moved" if self.plan.hosts else "hosts"),
            Card(f"{self.people():,}", "people"),
            Card(f"{len(inventory.apps) + len(inventory.desktops):,}", "apps and desktops"),
        ]
        if proof is None:
            return cards
        changes = {
            "rights lost": len(proof.lost),
            "rights gained": len(proof.gained),
            "desktops swapped": len(proof.swapped),
        }
        return cards + [Card(f"{number:,}", text, "bad" if number else "good") for text, number in changes.items()]

    def _hosts_figure(self) -> str:
        if not self.plan.hosts:
            return f"{len(self._documents.inventory.hosts):,}"
        return f"{sum(map(self._has_moved, self.plan.hosts)):,} of {len(self.plan.hosts):,}"

    def people(self) -> int:
        proof = self._documents.verification
        if proof is not None:
            return proof.people
        return len({fold(item.upn) for item in self._documents.inventory.assignments})

    # -- what moved

    def pools(self) -> list[Pool]:
        return [self._pool(pool) for pool in self.plan.pools]

    def _pool(self, pool: PoolPlan) -> Pool:
        inventory = self._documents.inventory
        inside = f"{fold(pool.source)}/"
        hosts = [move for move in self.plan.hosts if fold(move.source_pool) == fold(pool.source)]
        shown = [item for item in (*inventory.apps, *inventory.desktops) if fold(item.key).startswith(inside)]
        return Pool(
            source=last_name(pool.source),
            name=last_name(pool.target),
            link=self.links.to(pool.target),
            personal=pool.personal,
            hosts=sum(1 for host in inventory.hosts if fold(host.key).startswith(inside)),
            moved=sum(map(self._has_moved, hosts)),
            people=pool.people,
            shown=len(shown),
        )

    def _has_moved(self, move: HostMove) -> bool:
        story, check = self._stories.get(fold(move.source)), self._checks.get(fold(move.source))
        return story.state in ARRIVED if story else check is not None and check.session_host is not None

    # -- hosts

    def hosts(self) -> list[Row]:
        """Those with something to look at first."""
        rows = [self._host(move) for move in self.plan.hosts]
        return sorted(rows, key=lambda row: row.tone != "bad")

    def _host(self, move: HostMove) -> Row:
        story, check = self._stories.get(fold(move.source)), self._checks.get(fold(move.source))
        problems = "; ".join(check.problems) if check else ""
        reason = story.reason if story and story.state not in ARRIVED else ""
        return Row(
            name=words.host(move.source),
            source=move.source,
            pool=last_name(move.target_pool),
            link=self.links.to(check.session_host or "") if check else "",
            vm=last_name(move.vm),
            vm_link=self.links.to(move.vm),
            state=_state(story, check),
            tone=_tone(story, check),
            wave=story.wave if story else "",
            emptying=words.lasted(story.began_at, story.emptied_at) if story else "",
            moving=words.lasted(story.emptied_at, story.ended_at) if story else "",
            why=problems or reason,
        )

    # -- objects

    def made(self) -> list[Made]:
        """Objects that were created, changed or adopted, in the plan's order."""
        names = {fold(name.target): name for name in self.plan.names}
        seen: dict[str, Made] = {}
        for operation in self.plan.operations:
            if isinstance(operation, PutResource | PatchResource) and operation.action is not Action.NO_OP:
                known = names.get(fold(operation.subject))
                seen.setdefault(
                    fold(operation.subject),
                    Made(
                        type=words.type_of(operation.type),
                        name=last_name(operation.subject),
                        source=words.resource(operation.source) if operation.source else "",
                        link=self.links.to(operation.subject),
                        action=_ACTIONS[operation.action],
                        changed=known.changed if known else "",
                    ),
                )
        return list(seen.values())

    def typical_move(self) -> str:
        """The median time that a host was nobody's: from its last session on classic to open on the target."""
        stories = self._documents.story.hosts if self._documents.story else []
        times = [words.between(host.emptied_at, host.ended_at) for host in stories]
        known = sorted(time for time in times if time is not None)
        return words.span(known[len(known) // 2]) if known else ""

    def made_counts(self) -> str:
        return ", ".join(
            words.count(number, name) for name, number in Counter(item.type for item in self.made()).items()
        )

    # -- the rest

    def settings_by_verdict(self) -> dict[str, int]:
        proof = self._documents.verification
        return dict(Counter(check.verdict for check in proof.settings)) if proof else {}

    def areas(self) -> list[Area]:
        """Settings by area, once they have been proven."""
        proof = self._documents.verification
        return areas(proof.settings) if proof else []

    def titles(self) -> list[FeedTitle]:
        """What people read in their feed; what changes first."""
        return sorted(self.plan.titles, key=lambda one: not one.changed)

    def consolidation(self) -> list[Consolidated]:
        """App groups by how many assignments they need fewer; those through groups first."""
        return sorted(consolidated(self.plan), key=lambda row: (row.after - row.before, row.source))

    def assignments(self) -> str:
        return total(consolidated(self.plan))

    def automation(self) -> list[RoleProposal]:
        """Each application of the customer's own, once."""
        found: dict[str, RoleProposal] = {}
        for one in self.plan.roles:
            if one.automation:
                found.setdefault(one.principal or one.app_id or one.principal_label, one)
        return list(found.values())

    def conflicts(self) -> list[tuple[str, str]]:
        return [(row.subject, row.reason) for row in conflicts(self.plan)]

    def irreversible(self) -> list[tuple[str, str]]:
        return [(one.subject, one.irreversible) for one in self.plan.operations if one.irreversible]

    def findings(self) -> list[Any]:
        return list(self._documents.findings.findings) if self._documents.findings else []


_ACTIONS = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.ADOPT: "was there, adopted",
    Action.NO_OP: "",
    Action.CONFLICT: "conflict",
}


def _state(story: HostStory | None, check: HostCheck | None) -> str:
    told = words.state(story.state) if story else ""
    if check is None:
        return told or "planned"
    if story is not None and story.state not in ARRIVED:
        return told
    return f"{told}, {check.state}" if told else check.state


def _tone(story: HostStory | None, check: HostCheck | None) -> str:
    if (check is not None and check.problems) or (story is not None and story.state in ("quarantined", "reverting")):
        return "bad"
    arrived = story.state in ARRIVED if story else check is not None
    return "good" if arrived else ""
