"""Existing Entra groups that the operator said yes to, held against what was read: never one member more."""

from collections.abc import Collection, Mapping

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AppGroup
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import CandidateGroup
from crossfade.plan.group_choice import Policy, Proposal, proposal, propose, refused
from crossfade.plan.intent import Access, Intent
from crossfade.plan.membership import label, some

READ = "Run `crossfade discover --target --groups`, then plan again."
PERSONAL = "is of a personal pool: its people are published one by one, each with their own host."


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """`used`: folded app group key -> groups that publish it; `proposals`: what would do, those in use marked."""

    used: dict[str, list[CandidateGroup]] = {}
    proposals: list[Proposal] = []
    problems: list[Problem] = []


def existing_groups(
    people: Mapping[str, Collection[str]], groups: Collection[AppGroup], personal: Collection[str],
    target: TargetSnapshot, intent: Intent,
) -> Existing:  # fmt: skip
    """`people`: app group key -> object ids of everybody assigned; `personal`: folded keys of personal pools."""
    by_id = {fold(group.id): group for group in target.candidates}
    decided = {fold(key): list(dict.fromkeys(map(fold, ids))) for key, ids in intent.groups.items() if ids}
    known = {fold(one.object_id): one.upn for one in target.identities if one.object_id}
    used: dict[str, list[CandidateGroup]] = {}
    problems: list[Problem] = []
    pooled = {}
    for group in groups:
        has = {fold(one) for one in people.get(group.key, ())}
        wanted = decided.pop(fold(group.key), [])
        if fold(parent_key(group.key)) in personal:
            problems += [Problem(f"[groups] {group.key}", PERSONAL, "Take the line out.")] if wanted else []
            continue
        pooled[group.key] = has
        for one in wanted:
            wrong = _wrong(group.key, one, by_id.get(one), has, intent.access, known)
            problems += wrong
            if not wrong:
                used.setdefault(fold(group.key), []).append(by_id[one])
    for key in decided:
        problems.append(Problem(f"[groups] {key}", "is no app group that is migrated.", "Correct the key."))
    return Existing(used=used, proposals=_proposals(pooled, target, used, intent), problems=problems)


def _wrong(
    key: str, wanted: str, group: CandidateGroup | None, has: Collection[str], access: Access, known: Mapping[str, str]
) -> list[Problem]:
    """Why a yes cannot be followed. Membership is what was read: it is read again before the first write."""
    place = f"[groups] {key}"
    if group is None:
        return [Problem(place, f"names the group {wanted}, which was not read.", READ)]
    why = refused(group, policy_of(access))
    if why:
        return [Problem(place, f"names the group {group.display_name}: {why}.", "Take it out.")]
    names = {**known, **group.names}
    strangers = set(group.members) - set(has)
    if strangers:
        named = some(label(one, names) for one in strangers)
        what = f"names the group {group.display_name}, {len(strangers)} of whose people do not have it: {named}."
        return [Problem(place, what, f"They would gain {last_name(key)}. Take them out of the group, or it from here.")]
    return []


def policy_of(access: Access) -> Policy:
    return Policy(dynamic=access.dynamic_groups != "never", synchronised=access.synchronised_groups != "never")


def _proposals(
    pooled: Mapping[str, Collection[str]],
    target: TargetSnapshot,
    used: Mapping[str, list[CandidateGroup]],
    intent: Intent,
) -> list[Proposal]:
    """What is in use first; where nothing is decided, the choice with the fewest assignments."""
    by_id = {group.id: group for group in target.candidates}
    found = []
    undecided = {key: has for key, has in pooled.items() if fold(key) not in used}
    made = propose(undecided, target.candidates, policy_of(intent.access)) if target.candidates else {}
    for key in pooled:
        found += [proposal(key, group, chosen=True) for group in used.get(fold(key), [])]
        found += [proposal(key, by_id[one]) for one in made[key].groups] if key in made else []
    return found
