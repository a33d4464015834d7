"""The tables of states: complete, reachable, and drawn as design section 10 draws them."""

from __future__ import annotations

import itertools

import pytest

from crossfade.execution.transitions import (
    ALLOWED,
    HOST_FORWARD,
    INITIAL,
    HostState,
    Kind,
    RunState,
    StepState,
    WaveState,
    sources,
)

STATES = {Kind.RUN: RunState, Kind.WAVE: WaveState, Kind.HOST: HostState, Kind.STEP: StepState}


@pytest.mark.parametrize("kind", Kind)
def test_each_state_has_a_row_and_can_be_reached(kind: Kind) -> None:
    assert set(ALLOWED[kind]) == set(STATES[kind])
    reached, new = {INITIAL[kind]}, {INITIAL[kind]}
    while new:
        new = {to for state in new for to in ALLOWED[kind][state]} - reached
        reached |= new
    assert reached == set(STATES[kind])


def test_a_host_goes_forward_in_the_one_order() -> None:
    for here, there in itertools.pairwise(HOST_FORWARD):
        assert there in ALLOWED[Kind.HOST][here]


def test_a_disturbed_host_has_a_way_back_and_no_state_is_a_dead_end() -> None:
    for state in HOST_FORWARD[HOST_FORWARD.index(HostState.DRAINING) :]:
        assert HostState.REVERTING in ALLOWED[Kind.HOST][state]
    assert ALLOWED[Kind.HOST][HostState.REVERTING] == {HostState.ON_SOURCE, HostState.QUARANTINED}
    assert all(ALLOWED[Kind.HOST].values())


def test_nobody_skips_the_machine_gates() -> None:
    assert sources(Kind.HOST, HostState.ACCEPTING) == {HostState.HEALTHY}
    assert sources(Kind.HOST, HostState.CONFIRMED) == {HostState.ACCEPTING}
    assert sources(Kind.STEP, StepState.DONE) == {StepState.BEGUN}
