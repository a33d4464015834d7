"""Mutants of the move script: each is caught by a scenario, or the scenarios are not worth much."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import SCRIPT
from scenarios import put_through


class Mutant(msgspec.Struct, frozen=True):
    """One textual change, and the scenario that is known to notice (tried first, to be quick)."""

    old: str
    new: str
    noticed_by: str


MUTANTS = {
    "agent removed before the boot loader": Mutant(
        "    $BootLoaderName,\n    $AgentName,\n    'Remote Desktop Services Infrastructure Geneva Agent',",
        "    $AgentName,\n    $BootLoaderName,\n    'Remote Desktop Services Infrastructure Geneva Agent',",
        "documented_order",
    ),
    "stack left behind": Mutant(",\n    'Remote Desktop Services SxS Network Stack'\n", "\n", "forward"),
    "Geneva agent left behind": Mutant("    'Remote Desktop Services Infrastructure Geneva Agent',\n", "", "forward"),
    "only one version of each": Mutant(
        "foreach ($product in @(Get-Component -Name $Name)) {",
        "foreach ($product in @(Get-Component -Name $Name | Select-Object -First 1)) {",
        "forward",
    ),
    "neighbours removed too": Mutant(
        "$pattern = '^' + [regex]::Escape($Name) + '( [0-9.]+)?$'", "$pattern = '^Remote Desktop'", "forward"
    ),
    "what is left is not looked at": Mutant(
        "if ($left.Count -gt 0) {", "if ($left.Count -gt 99) {", "harmless_exit_codes"
    ),
    "boot loader not stopped before the removal": Mutant(
        "        Stop-Loader\n        foreach ($name in $ComponentNames) {",
        "        foreach ($name in $ComponentNames) {",
        "documented_order",
    ),
    "exit code of an installation ignored": Mutant(
        '    Assert-MsiCode -Code $code -Fine @(0, 3010) -What "installing $Name"\n',
        "",
        "a_failing_msi_stops_the_step",
    ),
    "exit code of a removal ignored": Mutant(
        '        Assert-MsiCode -Code $code -Fine @(0, 3010, 1605) -What "removing $Name $($product.Version)"\n',
        "",
        "a_failing_msi_stops_the_step",
    ),
    "1605 taken for a failure": Mutant("-Fine @(0, 3010, 1605)", "-Fine @(0, 3010)", "harmless_exit_codes"),
    "3010 taken for a failure": Mutant("-Fine @(0, 3010) -What", "-Fine @(0) -What", "harmless_exit_codes"),
    "1603 taken for success": Mutant(
        "-Fine @(0, 3010) -What", "-Fine @(0, 3010, 1603) -What", "a_failing_msi_stops_the_step"
    ),
    "no second attempt at 1618": Mutant(
        "$attempt -le 20; $attempt++", "$attempt -le 1; $attempt++", "another_installation_is_waited_for"
    ),
    "1618 asked again without waiting": Mutant(
        "        Start-Sleep -Seconds 30\n    }\n    return 1618",
        "    }\n    return 1618",
        "another_installation_is_waited_for",
    ),
    "1618 for ever taken for success": Mutant(
        "    return 1618\n", "    return 0\n", "another_installation_is_waited_for"
    ),
    "msiexec not waited for": Mutant(
        "-ArgumentList $arguments -Wait -PassThru", "-ArgumentList $arguments -PassThru", "forward"
    ),
    "msiexec may restart Windows": Mutant("'/quiet', '/qn', '/norestart',", "'/quiet', '/qn',", "forward"),
    "msiexec may ask": Mutant("'/quiet', '/qn', '/norestart', '/passive')", "'/norestart')", "forward"),
    "a path with a blank not quoted": Mutant("@($Verb, ('\"' + $Target + '\"'),", "@($Verb, $Target,", "forward"),
    "the log tells all": Mutant("'/lewmo'", "'/l*v'", "secrets_stay_where_they_belong"),
    "token not passed": Mutant('-Properties @("REGISTRATIONTOKEN=$RegistrationToken")', "-Properties @()", "forward"),
    "token passed under another name": Mutant("REGISTRATIONTOKEN=", "REGISTRATION_TOKEN=", "forward"),
    "boot loader installed first": Mutant(
        "    Install-Component -Path $AgentInstaller -Name $AgentName -Log 'agent-install' "
        '-Properties @("REGISTRATIONTOKEN=$RegistrationToken")\n',
        "    Install-Component -Path $BootLoaderInstaller -Name $BootLoaderName -Log 'first' -Properties @()\n"
        "    Install-Component -Path $AgentInstaller -Name $AgentName -Log 'agent-install' "
        '-Properties @("REGISTRATIONTOKEN=$RegistrationToken")\n',
        "documented_order",
    ),
    "boot loader not started": Mutant(
        "        Start-Service -Name $LoaderService\n", "", "a_service_that_takes_its_time"
    ),
    "service not waited for": Mutant(
        "$attempt -le 6 -and (Get-LoaderStatus)",
        "$attempt -le 0 -and (Get-LoaderStatus)",
        "a_service_that_takes_its_time",
    ),
    "installed over the old registration": Mutant(
        "if (-not $ours -and @(Get-AllComponents).Count -gt 0) {", "if ($false) {", "half_an_uninstall_is_finished"
    ),
    "restart not asked for": Mutant(
        "    if (Test-Path -LiteralPath $RestartKey) {\n        Stop-Step",
        "    if ($false) {\n        Stop-Step",
        "restarts_are_not_skipped",
    ),
    "mark of the restart outlives it": Mutant(
        "$check, [Microsoft.Win32.RegistryOptions]::Volatile)", "$check)", "forward"
    ),
    "registered host installed again": Mutant(
        "if ($phase -eq 'installed' -and ($waiting -or (Test-Wanted $claims))) {",
        "if ($false) {",
        "again_is_nothing_to_do",
    ),
    "save overwrites": Mutant(
        "    if (-not (Test-Saved)) {\n        if (", "    if ($true) {\n        if (", "a_save_is_never_overwritten"
    ),
    "save complete before it is": Mutant(
        "        $null = New-Item -Path $StateKey -Force\n",
        "        $null = New-Item -Path $StateKey -Force\n"
        "        Set-ItemProperty -LiteralPath $SavedKey -Name 'Complete' -Value 1 -Type DWord\n",
        "half_a_save_is_no_save",
    ),
    "saved for everybody to read": Mutant(
        "        Set-OnlySystem -Path $CrossfadeKey\n", "", "only_system_reads_what_is_saved"
    ),
    "saved for administrators to read": Mutant("'S-1-5-18'", "'S-1-5-32-544'", "only_system_reads_what_is_saved"),
    "inherited rights kept": Mutant(
        "SetAccessRuleProtection($true, $false)",
        "SetAccessRuleProtection($false, $false)",
        "only_system_reads_what_is_saved",
    ),
    "another key saved": Mutant(
        "Copy-Item -LiteralPath $AgentKey -Destination",
        "Copy-Item -LiteralPath $BootLoaderKey -Destination",
        "back_after_the_move",
    ),
    "wrong registry key": Mutant("SOFTWARE\\Microsoft\\RDInfraAgent'", "SOFTWARE\\Microsoft\\RDInfra'", "forward"),
    "digest shows values": Mutant(
        "    return [BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()\n",
        "    return $text\n",
        "only_system_reads_what_is_saved",
    ),
    "names come with their values": Mutant(
        "ForEach-Object { $key + '\\' + $_ })",
        "ForEach-Object { $key + '\\' + $_ + '=' + (Get-Value (Join-Path $StateKey $key) $_) })",
        "secrets_stay_where_they_belong",
    ),
    "damaged save used": Mutant(
        "if ((Get-Digest -Path $StateKey) -ne [string](Get-Value $SavedKey 'Digest')) {",
        "if ($false) {",
        "half_a_save_is_no_save",
    ),
    "nothing saved, nothing asked": Mutant(
        "function Assert-Saved {\n    if (-not (Test-Saved)) {",
        "function Assert-Saved {\n    if ($false) {",
        "nothing_without_a_save",
    ),
    "token printed": Mutant(
        "    Write-Result -Ok $true -Code $code\n",
        "    Write-Output $RegistrationToken\n    Write-Result -Ok $true -Code $code\n",
        "secrets_stay_where_they_belong",
    ),
    "token printed but for a letter": Mutant(
        "    $Facts['phase'] = $phase\n",
        "    $Facts['phase'] = $phase\n    Write-Result -Ok $true -Code $RegistrationToken.Substring(1)\n",
        "secrets_stay_where_they_belong",
    ),
    "token kept for later": Mutant(
        "    Set-Phase 'installing'\n",
        "    Set-Phase 'installing'\n"
        "    Set-ItemProperty -LiteralPath $SavedKey -Name 'Token' -Value $RegistrationToken\n",
        "secrets_stay_where_they_belong",
    ),
    "restore into the new registration": Mutant(
        "        Remove-Item -LiteralPath $Path -Recurse -Force\n    }\n    Copy-Item -LiteralPath $saved",
        "    }\n    Copy-Item -LiteralPath $saved",
        "back_after_the_move",
    ),
    "restore forgets to start": Mutant(
        "    Start-Loader\n    Set-Phase 'restored'\n", "    Set-Phase 'restored'\n", "back_after_the_move"
    ),
    "restore brings back paths that are gone": Mutant(
        "        if ((@(Get-ProductLabels) -join '|') -eq (@(Get-Value $SavedKey 'Products') -join '|')) {",
        "        if ($true) {",
        "back_after_the_move",
    ),
    "repoint leaves IsRegistered": Mutant(
        "-Name 'IsRegistered' -Value 0", "-Name 'IsRegistered' -Value 1", "light_way"
    ),
    "repoint without a restart of the service": Mutant(
        "    Restart-Service -Name $LoaderService -Force\n", "", "light_way"
    ),
    "signature not looked at": Mutant(
        "    if ([string]$signature.Status -ne 'Valid') {\n        return $false",
        "    if ($false) {\n        return $false",
        "installers_are_checked_before_they_run",
    ),
    "any signer will do": Mutant(
        'return $signature.SignerCertificate.Subject.StartsWith("CN=$Signer,")',
        "return $true",
        "stage_checks_the_installers",
    ),
    "version compared as text": Mutant(
        "if ([version]$version -lt [version]$Minimum) {", "if ($version -lt $Minimum) {", "forward"
    ),
    "stage does not look for a pending restart": Mutant(
        "        { Assert-NoPendingReboot },\n", "", "stage_finds_what_would_stop_the_move"
    ),
    "expired token used": Mutant("if ($ends -le ", "if (0 -gt ", "a_token_that_is_over_is_refused"),
    "parameters not checked": Mutant("    Assert-Parameters\n    $work", "    $work", "bad_parameters_are_refused"),
    "failure ends with 0": Mutant("    $exitCode = 1\n", "    $exitCode = 0\n", "nothing_without_a_save"),
}


def mutated(mutant: Mutant) -> str:
    assert SCRIPT.count(mutant.old) >= 1, "the script has moved on: mend the mutant"
    text = SCRIPT.replace(mutant.old, mutant.new, 1)
    assert text != SCRIPT
    return text


def test_there_are_enough() -> None:
    assert len(MUTANTS) >= 30
    assert len({mutated(mutant) for mutant in MUTANTS.values()}) == len(MUTANTS)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name: str) -> None:
    mutant = MUTANTS[name]
    text = mutated(mutant)
    with pytest.raises((AssertionError, ValueError, KeyError)):
        put_through(text, [mutant.noticed_by])
