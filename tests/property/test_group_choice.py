"""The choice of groups against every possible one on small instances, and what must hold on any."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.model.target import CandidateGroup
from crossfade.plan.group_choice import Policy, propose
from crossfade.plan.set_cover import assignments, cover, greedy

people = st.integers(0, 12)
instances = st.lists(st.sets(people, min_size=1, max_size=6), max_size=9)


def fewest(everybody: set[int], groups: list[set[int]]) -> int:
    choices = (chosen for size in range(len(groups) + 1) for chosen in itertools.combinations(range(len(groups)), size))
    return min(assignments(everybody, groups, chosen) for chosen in choices)


@settings(max_examples=200, deadline=None)
@given(st.sets(people), instances)
def test_no_choice_has_fewer_assignments(more: set[int], groups: list[set[int]]) -> None:
    everybody = more.union(*groups)
    found = cover(everybody, groups)
    assert found.exact
    assert assignments(everybody, groups, found.groups) == fewest(everybody, groups)


@settings(max_examples=100, deadline=None)
@given(instances)
def test_no_group_stands_in_for_one_person_and_the_order_says_preference(groups: list[set[int]]) -> None:
    everybody: set[int] = set().union(*groups)
    found = cover(everybody, groups)
    for at in found.groups:
        others = set().union(*(groups[other] for other in found.groups if other != at))
        assert len(groups[at] - others) >= 2
    twice = cover(everybody, groups + groups)
    assert all(at < len(groups) for at in twice.groups), "of two alike the later one was taken"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 60), min_size=2, max_size=9), max_size=40))
def test_without_any_work_it_is_still_no_worse_than_greedy(groups: list[set[int]]) -> None:
    everybody: set[int] = set().union(*groups)
    found = cover(everybody, groups, work=0)
    assert assignments(everybody, groups, found.groups) <= assignments(everybody, groups, greedy(everybody, groups))


names = st.sampled_from("abcdefgh")
directories = st.lists(
    st.builds(
        lambda at, members, rule, assignable, complete, synchronised: CandidateGroup(
            id=f"g{at}",
            display_name=f"g{at}",
            members=sorted(members),
            rule="r" if rule else "",
            role_assignable=assignable,
            complete=complete,
            synchronised=synchronised,
        ),
        st.integers(0, 99),
        st.sets(names, max_size=5),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda group: group.id,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["x", "y", "z"]), st.sets(names), max_size=3), directories, st.booleans())
def test_never_one_member_more_and_the_policy_is_kept(
    app_groups: dict[str, set[str]], candidates: list[CandidateGroup], dynamic: bool
) -> None:
    by_id = {group.id: group for group in candidates}
    for key, choice in propose(app_groups, candidates, Policy(dynamic=dynamic)).items():
        chosen = [by_id[one] for one in choice.groups]
        assert all(set(group.members) <= app_groups[key] for group in chosen)
        assert all(group.complete and not group.role_assignable for group in chosen)
        assert dynamic or not any(group.rule for group in chosen)
        assert choice.assignments == assignments(
            app_groups[key], [group.members for group in chosen], range(len(chosen))
        )
        assert choice.assignments < len(app_groups[key])
