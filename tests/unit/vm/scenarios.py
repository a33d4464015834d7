"""What the move script promises, as short stories. Each takes a script's text: mutants are put through them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab import AGENT_MSI, LOADER_MSI, PLANTED, POOL, SAVED, Lab

from avdtwin import changes, products, registry, windows
from avdtwin.powershell.commands.web import package
from avdtwin.powershell.run import Run

Scenario = Callable[[str], None]
SCENARIOS: dict[str, Scenario] = {}

OLD = ("stage", "save", "uninstall", "restart")
FORWARD = (*OLD, "install", "restart")


def scenario(story: Scenario) -> Scenario:
    SCENARIOS[story.__name__] = story
    return story


def kinds(run: Run, kind: str) -> list[Any]:
    """First argument of each change of a kind, in order."""
    return [change[2] for change in run.changes if change[1] == kind]


# ---------------------------------------------------------------- there


@scenario
def forward(script: str) -> None:
    lab = Lab(script)
    assert lab.on_classic()
    staged, saved, removed = lab.good("stage", "save", "uninstall")
    assert staged.code == "done"
    assert staged.facts["problems"] == []
    assert lab.ours() == [], "every version of all four components"
    assert any(p.name == "Remote Desktop Connection Manager" for p in lab.machine.products)
    assert saved.changed
    assert removed.changed
    assert removed.code == "done"
    lab.restart()
    (installed,) = lab.good("install")
    assert installed.changed
    lab.restart()
    lab.wait()
    assert lab.on_arm()
    assert registry.read(lab.machine, registry.AGENT, "RegistrationToken") == ""
    assert lab.record.allow_new_session is False, "the classic record stays as it was"
    assert lab.record.last_heartbeat is not None


@scenario
def documented_order(script: str) -> None:
    lab = Lab(script)
    lab.good("stage", "save")
    codes = {product.code: product.name for product in lab.machine.products}
    (removed,) = lab.good("uninstall")
    names = [codes[code] for code in kinds(removed.run, "uninstall")]
    order = list(dict.fromkeys(names))
    assert order == list(products.COMPONENTS)
    assert removed.run.changes[0][1:3] == ["make_volatile_key", "hklm:\\software\\crossfade\\restartneeded"]
    assert removed.run.changes[1][1:] == ["set_service", "RDAgentBootLoader", "Stopped"]
    lab.restart()
    (installed,) = lab.good("install")
    found = [change[1] for change in installed.run.changes if change[1].startswith("install_")]
    assert found == ["install_agent", "install_boot_loader"]


@scenario
def again_is_nothing_to_do(script: str) -> None:
    lab = Lab(script)
    for name in (*FORWARD, "wait", "restore"):
        if name in ("restart", "wait"):
            lab.restart() if name == "restart" else lab.wait()
            continue
        lab.good(name)
        before = lab.image()
        (again,) = lab.good(name)
        assert again.changed is False, name
        assert again.code == ("done" if name == "stage" else "nothing_to_do")
        assert lab.image() == before, name
    lab = Lab(script)
    lab.good(*FORWARD)
    lab.wait()
    before = lab.image()
    (late,) = lab.good("install")
    assert late.code == "nothing_to_do", "registered with the wanted pool already"
    assert lab.image() == before


@scenario
def half_an_uninstall_is_finished(script: str) -> None:
    lab = Lab(script)
    lab.good("stage", "save")
    cut = lab.begin("uninstall")
    changes.apply_until(lab.world, lab.machine, cut.changes, cut.duration_s / 2)
    assert 0 < len(lab.ours()) < 7
    refused = lab.step("install")
    assert refused.code == "old_products_remain"
    lab.good("uninstall")
    assert lab.ours() == []


@scenario
def half_an_install_is_finished(script: str) -> None:
    lab = Lab(script)
    lab.good(*OLD)
    cut = lab.begin("install")
    changes.apply_until(lab.world, lab.machine, cut.changes, cut.duration_s / 2)
    assert len(lab.ours()) == 3, "agent, Geneva agent and stack; no boot loader"
    lab.good("install", "restart")
    lab.wait()
    assert lab.on_arm()


@scenario
def light_way(script: str) -> None:
    lab = Lab(script)
    refused = lab.step("repoint")
    assert refused.code == "not_saved"
    lab.good("stage", "save")
    before = lab.ours()
    (moved,) = lab.good("repoint")
    assert moved.changed
    assert lab.agent_key()["IsRegistered"] == 0
    (again,) = lab.good("repoint")
    assert again.changed is False
    lab.wait()
    assert lab.on_arm()
    assert lab.ours() == before
    (late,) = lab.good("repoint")
    assert late.changed is False
    kept = registry.read(lab.machine, registry.BOOT_LOADER, "DefaultAgentPath")
    registry.write(lab.machine, registry.BOOT_LOADER, "DefaultAgentPath", "C:\\elsewhere")
    lab.good("restore")
    assert registry.read(lab.machine, registry.BOOT_LOADER, "DefaultAgentPath") == kept
    lab.wait()
    assert lab.on_classic()


# ---------------------------------------------------------------- and back


@scenario
def back_after_the_move(script: str) -> None:
    lab = Lab(script)
    before = dict(lab.agent_key())
    lab.good(*FORWARD)
    lab.wait()
    assert lab.on_arm()
    new_path = registry.read(lab.machine, registry.BOOT_LOADER, "CurrentBootLoaderVersion")
    (restored,) = lab.good("restore")
    assert restored.changed
    assert restored.facts["brokerKind"] == "classic"
    assert lab.agent_key() == before
    assert registry.read(lab.machine, registry.AGENT + "\\healthcheckreport", "AgentHealthCheckReport") == "{}"
    assert registry.read(lab.machine, registry.BOOT_LOADER, "CurrentBootLoaderVersion") == new_path
    assert registry.read(lab.machine, registry.BOOT_LOADER, "DefaultAgentPath") is None, "that agent is gone"
    lab.wait()
    assert lab.on_classic()
    assert lab.record.assigned_user == "a@contoso.com"


@scenario
def back_after_the_removal(script: str) -> None:
    lab = Lab(script)
    before = dict(lab.agent_key())
    lab.good("stage", "save", "uninstall")
    refused = lab.step("restore")
    assert refused.code == "restart_needed"
    lab.restart()
    (restored,) = lab.good("restore")
    assert restored.changed
    assert lab.agent_key() == before
    assert len(lab.ours()) == 4
    lab.restart()
    lab.wait()
    assert lab.on_classic()


@scenario
def back_with_a_classic_token(script: str) -> None:
    lab = Lab(script)
    lab.good(*FORWARD)
    lab.wait()
    assert lab.on_arm()
    lab.good("uninstall", "restart")
    lab.token = lab.classic_token()
    lab.good("install", "restart")
    lab.wait()
    assert lab.on_classic()
    (late,) = lab.good("install")
    assert late.changed is False


# ---------------------------------------------------------------- what is saved


@scenario
def only_system_reads_what_is_saved(script: str) -> None:
    lab = Lab(script)
    (saved,) = lab.good("save")
    assert lab.machine.registry_acl == {"hklm:\\software\\crossfade": "SYSTEM"}
    written = [change[1] for change in saved.run.changes]
    keys = [change[2] for change in saved.run.changes]
    below = next(at for at, key in enumerate(keys) if key.startswith("hklm:\\software\\crossfade\\"))
    assert written.index("set_acl") < below, "before anything is put below it"
    assert len(saved.facts["digest"]) == 64
    assert "rdinfraagent\\MachineIdentity" in saved.facts["names"]
    assert saved.facts["savedBroker"] == "classic"


@scenario
def a_save_is_never_overwritten(script: str) -> None:
    lab = Lab(script)
    (first,) = lab.good("save")
    lab.good(*FORWARD[2:4], "stage", "install", "restart")
    lab.wait()
    assert lab.on_arm()
    (late,) = lab.good("save")
    assert late.changed is False
    assert late.facts["digest"] == first.facts["digest"]
    kept = lab.machine.registry[f"{SAVED}\\state\\rdinfraagent"]
    assert kept["MachineIdentity"] == PLANTED
    assert "BrokerResourceIdURI" not in kept


@scenario
def half_a_save_is_no_save(script: str) -> None:
    lab = Lab(script)
    whole = lab.begin("save")
    for change in whole.changes[:-1]:
        changes.apply(lab.world, lab.machine, change)
    assert lab.step("uninstall").code == "not_saved"
    assert lab.step("restore").code == "not_saved"
    (saved,) = lab.good("save")
    assert saved.changed
    registry.write(lab.machine, f"{SAVED}\\state\\rdinfraagent", "BrokerURI", "https://elsewhere")
    for name in ("uninstall", "restore", "install", "repoint"):
        assert lab.step(name).code == "save_damaged"
    assert lab.on_classic()


@scenario
def nothing_without_a_save(script: str) -> None:
    lab = Lab(script)
    before = lab.image()
    lab.good("stage")
    for name in ("uninstall", "restore", "install", "repoint"):
        refused = lab.step(name)
        assert refused.code == "not_saved"
        assert refused.run.changes == []
    assert lab.machine.products == before.products
    assert lab.on_classic()


# ---------------------------------------------------------------- what can go wrong


@scenario
def a_failing_msi_stops_the_step(script: str) -> None:
    lab = Lab(script)
    lab.good("stage", "save")
    lab.machine.msi_exit_codes = [0, 1603]
    failed = lab.step("uninstall")
    assert (failed.ok, failed.code, failed.facts["msiExitCode"]) == (False, "msi_failed", 1603)
    assert len(lab.ours()) == 6
    lab.good("uninstall", "restart")
    for codes in ([1603], [0, 1603]):
        lab.machine.msi_exit_codes = list(codes)
        failed = lab.step("install")
        assert (failed.code, failed.facts["msiExitCode"]) == ("msi_failed", 1603)
        assert failed.ok is False
        assert lab.machine.services == {}
        lab.machine.msi_exit_codes = []
    lab.good("install", "restart")
    lab.wait()
    assert lab.on_arm()


@scenario
def harmless_exit_codes(script: str) -> None:
    lab = Lab(script)
    lab.good("stage", "save")
    lab.machine.msi_exit_codes = [3010, 3010]
    lab.good("uninstall", "restart")
    lab.machine.msi_exit_codes = [3010, 3010]
    lab.good("install")
    lab = Lab(script)
    lab.good("stage", "save")
    lab.machine.msi_exit_codes = [1605]
    left = lab.step("uninstall")
    assert left.code == "products_remain", "gone, says msiexec, and is still listed"
    assert left.facts["left"] == ["Remote Desktop Agent Boot Loader 1.0.8925.0"]
    lab.good("uninstall")


@scenario
def another_installation_is_waited_for(script: str) -> None:
    lab = Lab(script)
    lab.good("stage", "save", "uninstall", "restart")
    lab.machine.msi_exit_codes = [1618, 1618, 1618]
    (installed,) = lab.good("install")
    assert installed.run.duration_s > 90
    assert lab.machine.msi_exit_codes == []
    lab = Lab(script)
    lab.good("stage", "save")
    lab.machine.msi_exit_codes = [1618] * 25
    busy = lab.step("uninstall")
    assert busy.code == "msi_busy"
    assert len(lab.machine.msi_exit_codes) == 5, "twenty attempts"
    assert busy.run.duration_s > 570


@scenario
def a_service_that_takes_its_time(script: str) -> None:
    for seed in range(4):
        lab = Lab(script, seed=seed)
        lab.good(*OLD)
        (installed,) = lab.good("install")
        assert installed.run.duration_s < 400
        assert lab.machine.services["rdagentbootloader"].state == "Running"


@scenario
def restarts_are_not_skipped(script: str) -> None:
    lab = Lab(script)
    lab.good("stage", "save", "uninstall")
    refused = lab.step("install")
    assert refused.code == "restart_needed"
    assert lab.ours() == []
    lab.good("observe")
    lab.restart()
    lab.good("install")


@scenario
def installers_are_checked_before_they_run(script: str) -> None:
    lab = Lab(script)
    lab.good(*OLD)
    good = lab.machine.files[AGENT_MSI.lower()]
    lab.machine.files[AGENT_MSI.lower()] = {**good, "signed_by": None}
    assert lab.step("install").code == "installer_unsigned"
    lab.machine.files[AGENT_MSI.lower()] = {**good, "product": "Something Else"}
    assert lab.step("install").code == "installer_wrong"
    lab.machine.files[AGENT_MSI.lower()] = {**good, "damaged": True}
    assert lab.step("restore").code == "installer_unsigned"
    del lab.machine.files[AGENT_MSI.lower()]
    assert lab.step("install").code == "installer_missing"
    assert lab.ours() == []


@scenario
def stage_finds_what_would_stop_the_move(script: str) -> None:
    cases = {
        "no-disk": "disk_low",
        "msi-blocked": "installer_policy",
        "registry-locked": "registry_locked",
        "old-dotnet": "dotnet_old",
        "no-broker": "broker_unreachable",
        "no-internet": "download_failed",
    }
    for quirk, code in cases.items():
        lab = Lab(script, quirks=(quirk,))
        found = lab.step("stage")
        assert (found.ok, found.code) == (False, code)
        assert set(kinds(found.run, "set_value")) == set()
    lab = Lab(script)
    lab.machine.pending_reboot = True
    assert lab.step("stage").code == "reboot_pending"
    lab = Lab(script, quirks=("no-broker", "old-dotnet"))
    assert lab.step("stage").facts["problems"] == ["dotnet_old", "broker_unreachable"], "all of them at once"


@scenario
def stage_checks_the_installers(script: str) -> None:
    lab = Lab(script)
    assert lab.step("stage", AgentVersion="99.0").code == "installer_old"
    assert lab.step("stage", Signer="Contoso").code == "installer_unsigned"
    lab = Lab(script)
    assert lab.step("stage", AgentUrl="").code == "installer_missing"
    assert lab.step("stage", BrokerUrl="").code == "bad_parameter"
    lab = Lab(script)
    lab.machine.files[AGENT_MSI.lower()] = package(windows.AGENT_NAME, "1.0.9999.0", signed_by="CN=Somebody, O=Else")
    (staged,) = lab.good("stage")
    assert staged.facts["agentInstaller"] == "1.0.11814.0", "somebody else's file is replaced"
    lab.machine.files[LOADER_MSI.lower()] = lab.machine.files[AGENT_MSI.lower()]
    assert lab.step("stage").code == "installer_wrong"
    before = lab.image()
    lab = Lab(script)
    (staged,) = lab.good("stage")
    assert {change[1] for change in staged.run.changes} == {"put_file"}, "nothing but downloads"
    assert before.services == lab.machine.services


@scenario
def bad_parameters_are_refused(script: str) -> None:
    lab = Lab(script)
    cases = {
        "RunId": "..\\..\\x",
        "AgentInstaller": 'C:\\a" /x.msi',
        "BootLoaderInstaller": "loader.msi",
        "AgentUrl": "http://example.com/a.msi",
        "BrokerUrl": "https://a b",
    }
    for name, value in cases.items():
        refused = lab.step("stage", **{name: value})
        assert (refused.ok, refused.code) == (False, "bad_parameter"), name
        assert refused.run.changes == []
    for token in ('x" PROPERTY=1', "a.b", "a.b.c d"):
        assert lab.step("install", RegistrationToken=token).code == "token_invalid"
    assert lab.step("install", RegistrationToken="a.!.c".replace("!", "bbbb")).code == "token_invalid"


@scenario
def a_token_that_is_over_is_refused(script: str) -> None:
    lab = Lab(script)
    lab.good(*OLD)
    lab.wait(90_000)
    for name in ("install", "repoint"):
        refused = lab.step(name)
        assert refused.code == "token_expired"
        assert refused.run.changes == []
    assert lab.step("install", RegistrationToken="").code == "token_missing"


@scenario
def secrets_stay_where_they_belong(script: str) -> None:
    lab = Lab(script)
    lab.good(*OLD)
    lab.machine.msi_exit_codes = [1603]
    lab.step("install")
    lab.machine.msi_exit_codes = [0, 1603]
    lab.step("install")
    lab.machine.msi_exit_codes = []
    lab.good("install", "install", "observe")
    places = {
        (key, name)
        for key, values in lab.machine.registry.items()
        for name, value in values.items()
        if value == lab.token
    }
    assert places == {(registry.AGENT, "RegistrationToken")}
    lab.restart()
    lab.wait()
    assert lab.on_arm()
    lab.good("observe", "save", "restore")
    # The way back ends with the removal of the ARM session host; its name would be taken else.
    del lab.world.state.arm.resources[f"{POOL}/sessionHosts/vm-1.ad.contoso.com".lower()]
    lab.good("repoint")
    said = "\n".join(lab.outputs)
    assert lab.token not in said
    assert PLANTED not in said
    assert not any(lab.token in str(file) for file in lab.machine.files.values()), "a log holds it"
    lab.wait()
    assert lab.token not in str(lab.machine.registry)


@scenario
def observe_says_facts_and_touches_nothing(script: str) -> None:
    lab = Lab(script)
    (seen,) = lab.good("observe")
    assert seen.run.changes == []
    assert seen.facts["brokerKind"] == "classic"
    assert seen.facts["isRegistered"] is True
    assert seen.facts["tokenEmpty"] is True
    assert seen.facts["service"] == "Running"
    assert len(seen.facts["products"]) == 7
    assert seen.facts["saved"] is False
    lab.good("stage", "save", "uninstall")
    (seen,) = lab.good("observe")
    assert (seen.facts["brokerKind"], seen.facts["service"], seen.facts["products"]) == ("none", "Missing", [])
    assert (seen.facts["restartNeeded"], seen.facts["pendingReboot"]) == (True, True)
    assert (seen.facts["saved"], seen.facts["phase"]) == (True, "uninstalled")
    lab.restart()
    lab.good("install")
    (seen,) = lab.good("observe")
    assert (seen.facts["isRegistered"], seen.facts["tokenEmpty"]) == (False, False)
    lab.wait()
    (seen,) = lab.good("observe")
    assert (seen.facts["isRegistered"], seen.facts["tokenEmpty"], seen.facts["brokerKind"]) == (True, True, "arm")
    assert seen.facts["restartNeeded"] is False


@scenario
def a_long_answer_fits(script: str) -> None:
    lab = Lab(script)
    for number in range(90):
        lab.machine.products.append(windows.product(windows.AGENT_NAME, f"1.0.{number}.0"))
    (seen,) = lab.good("observe")
    assert seen.facts == {"truncated": True}


def put_through(script: str, names: list[str] | None = None) -> None:
    """Every scenario, or these. Raises whatever the first failing one raises."""
    for name in names or SCENARIOS:
        SCENARIOS[name](script)
