"""What the operator decides for a pool beside what classic has: preferred kind, single sign-on, starting, balancing."""

from __future__ import annotations

import msgspec
import pytest
from builders import Estate, bodies, identity, plan_of

from crossfade.errors import InputError, PlanConflict
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.intent import PoolIntent
from crossfade.plan.intent_reader import read_intent

VAULT = "https://contoso-kv.vault.azure.net/secrets/adfs"


def two_names_of_one_person() -> tuple[Estate, str]:
    estate = Estate()
    pool = estate.pool("Office", hosts=2, people=1)
    estate.group(pool, "Apps", people=["alice.new@contoso.com"])
    estate.group(pool, "More", people=["bob@contoso.com"])
    desktop = next(one for one in estate.assignments if one.key.endswith("Desktop Application Group"))
    estate.assignments[estate.assignments.index(desktop)] = msgspec.structs.replace(
        desktop, upn="alice.old@contoso.com"
    )
    return estate, pool


def target_of(estate: Estate) -> TargetSnapshot:
    upns = {item.upn for item in estate.assignments}
    one = identity("alice.new@contoso.com").object_id
    found = [identity(upn, object_id=one) if upn.startswith("alice") else identity(upn) for upn in sorted(upns)]
    return estate.target(identities=found)


def test_who_would_see_one_of_two_has_to_be_decided_about() -> None:
    """Whichever kind were preferred, alice would lose the other one: no plan until somebody has said which."""
    estate, pool = two_names_of_one_person()
    with pytest.raises(PlanConflict) as caught:
        plan_of(estate, target_of(estate))
    (problem,) = caught.value.problems
    assert problem.where == pool
    assert "1 people hold its desktop and apps of it" in problem.what
    assert "alice" in problem.what
    assert 'preferred = "desktop"' in problem.mend


@pytest.mark.parametrize(("said", "wire"), [("desktop", "Desktop"), ("apps", "RailApplications"), ("both", "None")])
def test_the_decision_is_written_and_its_consequence_told(said: str, wire: str) -> None:
    estate, pool = two_names_of_one_person()
    choice = {pool: PoolIntent(preferred=said)}
    plan = plan_of(estate, target_of(estate), pools=choice)
    assert bodies(plan)["Office"]["preferredAppGroupType"] == wire
    assert any("1 both" in note and wire in note for note in plan.notes)


def test_single_sign_on_goes_to_each_pool_by_reference() -> None:
    estate = Estate(sso_adfs_authority="https://sts.contoso.com/adfs", sso_client_id="rp", sso_secret_set=True)
    estate.pool("One", hosts=2)
    estate.pool("Two", hosts=2)
    plan = plan_of(estate, single_sign_on={estate.tenants[0].key.upper(): VAULT})
    for name in ("One", "Two"):
        body = bodies(plan)[name]
        assert body["ssoadfsAuthority"] == "https://sts.contoso.com/adfs"
        assert (body["ssoClientId"], body["ssoClientSecretKeyVaultPath"]) == ("rp", VAULT)
        assert body["ssoSecretType"] == "SharedKeyInKeyVault"
    assert not any(row.property.startswith("sso_") for row in plan.not_carried)


@pytest.mark.parametrize("said", ["hunter2-the-secret", "http://contoso-kv.vault.azure.net/secrets/a", VAULT + "?x=1"])
def test_what_is_no_place_in_key_vault_is_refused_and_not_repeated(said: str) -> None:
    estate = Estate(sso_adfs_authority="https://sts.contoso.com/adfs")
    estate.pool("One", hosts=2)
    with pytest.raises(PlanConflict) as refused:
        plan_of(estate, single_sign_on={estate.tenants[0].key: said})
    assert "no place in Key Vault" in str(refused.value.problems)
    assert said not in str(refused.value.problems)


def test_single_sign_on_of_a_tenant_that_has_none_is_refused() -> None:
    estate = Estate()
    estate.pool("One", hosts=2)
    with pytest.raises(PlanConflict) as refused:
        plan_of(estate, single_sign_on={estate.tenants[0].key: VAULT, "g/nobody": VAULT})
    assert len([one for one in refused.value.problems if "single_sign_on" in one.where]) == 2


def test_starting_and_balancing() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=2)
    choice = {pool: PoolIntent(start_vm_on_connect=True, load_balancer="depth-first")}
    plan = plan_of(estate, pools=choice)
    assert bodies(plan)["Office"]["startVMOnConnect"] is True
    assert bodies(plan)["Office"]["loadBalancerType"] == "DepthFirst"
    assert any("Power On Contributor" in note for note in plan.notes)
    assert ("load_balancer", "BreadthFirst") in {(row.property, str(row.value)) for row in plan.not_carried}
    assert "startVMOnConnect" not in bodies(plan_of(estate))["Office"]
    estate.change(pool, personal=True)
    with pytest.raises(PlanConflict, match="load_balancer is for pooled pools"):
        plan_of(estate, pools=choice)


def test_a_pool_left_on_classic_is_told() -> None:
    estate = Estate()
    pool = estate.pool("Office", hosts=2)
    estate.pool("Other", hosts=2)
    plan = plan_of(estate, pools={pool: PoolIntent(skip=True)})
    assert any(pool in note and "left on classic" in note for note in plan.notes)


def test_words_that_mean_nothing_are_named_with_their_line() -> None:
    text = b'[pools."g/t/p"]\npreferred = "both of them"\nload_balancer = "random"\n'
    with pytest.raises(InputError) as refused:
        read_intent(text)
    assert {problem.where for problem in refused.value.problems} == {"crossfade.toml:2", "crossfade.toml:3"}
