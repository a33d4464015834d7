"""The interpreter does what PowerShell does, for what it does, and says so for the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import Lab

from avdtwin import registry
from avdtwin.powershell.run import Run, run

OUTPUTS = {
    "1 + 2 * 3": "7",
    "'a' + 1": "a1",
    '"$(1 + 1) `$x `"q`" it\'s"': '2 $x "q" it\'s',
    "'it''s'": "it's",
    "7 / 2": "3.5",
    "6 / 2": "3",
    "@(1, 2, 3) -join ','": "1,2,3",
    "'{0} {1:x2}' -f 'a', 10": "a 0a",
    "@(3, 1, 2 | Sort-Object) -join ''": "123",
    "@('B', 'a' | Sort-Object) -join ''": "aB",
    "@((1)..5 | Where-Object { $_ -gt 3 }) -join ' '": "4 5",
    "@((1)..3 | ForEach-Object { $_ * 2 }) -join ' '": "2 4 6",
    "'Abc' -eq 'aBC'": "True",
    "'Abc' -ceq 'aBC'": "False",
    "'abc' -like 'A*'": "True",
    "'a.b' -match '^a\\.b$'": "True",
    "if ('xay' -match 'x(.)y') { $Matches[1] }": "a",
    "2 -in @(1, 2)": "True",
    "@('A', 'b') -contains 'B'": "True",
    "@(1, 2, 1) -eq 1": "1\n1",
    "$null -eq ''": "False",
    "[string]$null -eq ''": "True",
    "[int]$null": "0",
    "[version]'1.0.11814.0' -gt [version]'1.0.9000.0'": "True",
    "'1.0.11814.0' -gt '1.0.9000.0'": "False",
    "'a,b' -split ',' | Select-Object -First 1": "a",
    "'aXb' -replace 'x', '-'": "a-b",
    "@().Count": "0",
    "@($null).Count": "1",
    "function F {\n return $null\n}\n@(F).Count": "1",
    "function F {\n}\n@(F).Count": "0",
    'function F {\n param([int]$A, [switch]$S)\n "$A $S"\n}\nF -S 3': "3 True",
    "function F {\n return @(1, 2)\n 9\n}\n(F) -join ','": "1,2",
    "$a = 1\nfunction F {\n $a = 2\n $script:a = 3\n}\nF\n$a": "3",
    "$t = @{ a = 1 }\n$t['b'] = 2\n$t.Count": "2",
    "@{ a = @(1); b = $null } | ConvertTo-Json -Compress": '{"a":[1],"b":null}',
    '[pscustomobject]@{ a = "it\'s" } | ConvertTo-Json -Compress': '{"a":"it\\u0027s"}',
    '(\'{"a":{"b":[1,2]}}\' | ConvertFrom-Json).a.b[1]': "2",
    "try {\n throw 'x'\n} catch {\n \"got $($_.Exception.Message)\"\n} finally {\n 'end'\n}": "got x\nend",
    "foreach ($i in (1)..9) {\n if ($i -eq 2) { continue }\n if ($i -eq 4) { break }\n $i\n}": "1\n3",
    "for ($i = 0; $i -lt 2; $i++) {\n $i\n}": "0\n1",
    "$i = 0\nwhile ($i -lt 2) {\n $i += 1\n}\n$i": "2",
    "switch ('b') {\n 'a' { 1 }\n 'B' { 2 }\n}": "2",
    "switch ('z') {\n 'a' { 1 }\n default { 3 }\n}": "3",
    "$x = if ($true) { 'y' } else { 'n' }\n$x": "y",
    "$h = @{ Name = 'RDAgentBootLoader' }\n(Get-Service @h).Status": "Running",
    "Get-Service -Name Nothing -ErrorAction SilentlyContinue": "",
    "$b = { 5 }\n& $b": "5",
    "-not ($false -or $true)": "False",
    "$x, $y = 1, 2": None,
    "'abc'.Substring(1, 1).ToUpper()": "B",
    "[BitConverter]::ToString([Text.Encoding]::UTF8.GetBytes('AZ'))": "41-5A",
    "$env:SystemRoot": "C:\\Windows",
}
"""Script -> what it says; None where it is refused."""


def play(script: str, lab: Lab | None = None) -> Run:
    lab = lab or Lab()
    return run(lab.world, lab.machine, script, [])


@pytest.mark.parametrize("script", [script for script, output in OUTPUTS.items() if output is not None])
def test_says(script: str) -> None:
    done = play(script)
    assert (done.stdout, done.stderr, done.exit_code) == (OUTPUTS[script], "", 0)


REFUSED = {
    "Invoke-Expression 'x'": "command Invoke-Expression",
    "Get-Item -Path C:\\x -Stream a": "Get-Item -Stream",
    "Start-Process notepad.exe -Wait": "Start-Process notepad.exe",
    "[IO.File]::ReadAllText('x')": "[IO.File]::ReadAllText",
    "'x'.Nothing()": "method Nothing",
    "1 -shl 2": "-shl",
    "Get-Service *> x": "redirection",
    "Get-Item -Path HKLM:\\SOFTWARE\\*": "wildcards",
    "while ($true) {\n}": "a loop without end",
    "$x, $y = 1, 2": "assigning",
    "class A {\n}": "class",
    "if (": "does not parse",
    "Invoke-WebRequest -Uri http://example.com -UseBasicParsing": "not https",
}


@pytest.mark.parametrize("script", REFUSED)
def test_what_it_does_not_do_fails_the_run(script: str) -> None:
    lab = Lab()
    # No script can get around it.
    done = play(f"try {{\n{script}\n}} catch {{\n}}\n'after'" if script != "if (" else script, lab)
    assert done.exit_code == 1
    assert done.stderr.startswith("Unsupported: ")
    assert REFUSED[script] in done.stderr
    assert "after" not in done.stdout
    assert lab.world.state.records[-1].kind == "script_unsupported"


STRICT = {
    "$nothing": "has not been set",
    "(Get-Service RDAgentBootLoader).Nothing": "'Nothing' cannot be found",
    "(1).Count": "'Count' cannot be found",
    "$null.Length": "'Length' cannot be found",
    "@{}.a": "'a' cannot be found",
    "$x = $null\n$x.Trim()": "null-valued",
    "[version]'x'": "System.Version",
    "function F {\n param([Parameter(Mandatory = $true)][string]$A)\n}\nF": "mandatory parameter: A",
    "function F {\n param([ValidateSet('a')][string]$A)\n}\nF -A b": "parameter 'A'",
    "Get-Service -Name Nothing -ErrorAction Stop": "Cannot find any service",
}


@pytest.mark.parametrize("script", STRICT)
def test_errors_that_a_script_can_catch(script: str) -> None:
    done = play(script)
    assert done.exit_code == 1
    assert STRICT[script] in done.stderr
    caught = play(f"try {{\n{script}\n}} catch {{\n 'caught'\n}}")
    assert (caught.stdout, caught.exit_code) == ("caught", 0)


def test_exit_codes_and_error_stream() -> None:
    assert play("exit 7").exit_code == 7
    done = play("Get-Service -Name Nothing\n'on'")
    assert (done.stdout, done.exit_code) == ("on", 0)
    assert "Get-Service : Cannot find" in done.stderr


def test_parameters_are_strings_cast_by_the_script() -> None:
    lab = Lab()
    script = "param([int64]$Size, [string]$Name = 'n')\n\"$($Size + 1) $Name\""
    assert run(lab.world, lab.machine, script, [["size", "41"]]).stdout == "42 n"
    refused = run(lab.world, lab.machine, script, [["Other", "1"]])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Other" in refused.stderr or "other" in refused.stderr


def test_a_run_leaves_the_machine_alone_until_it_is_applied() -> None:
    lab = Lab()
    before = lab.image()
    done = play("Stop-Service RDAgentBootLoader\nRemove-Item HKLM:\\SOFTWARE\\Microsoft\\RDInfraAgent -Recurse", lab)
    assert lab.image() == before
    assert [change[1] for change in done.changes] == ["set_service", "remove_key"]


def test_registry_items_as_the_provider_has_them() -> None:
    lab = Lab()
    script = "\n".join(
        [
            "New-Item -Path HKLM:\\SOFTWARE\\A\\B -Force | Out-Null",
            "Set-ItemProperty -Path HKLM:\\SOFTWARE\\A -Name v -Value 1",
            "Copy-Item HKLM:\\SOFTWARE\\A -Destination HKLM:\\SOFTWARE\\C -Recurse",
            "Copy-Item HKLM:\\SOFTWARE\\A -Destination HKLM:\\SOFTWARE\\C -Recurse",
            "Test-Path HKLM:\\SOFTWARE\\C\\A\\B",
            "(Get-ItemProperty Registry::HKEY_LOCAL_MACHINE\\SOFTWARE\\C).V",
            "(Get-Item HKLM:\\SOFTWARE\\C).GetValueKind('v')",
            "New-Item -Path HKLM:\\SOFTWARE\\C -Force | Out-Null",
            "Test-Path HKLM:\\SOFTWARE\\C\\B",
        ]
    )
    assert play(script, lab).stdout.splitlines() == ["True", "1", "DWord", "False"]


def test_time_is_spent() -> None:
    lab = Lab()
    assert play("Start-Sleep -Seconds 30", lab).duration_s > 30
    lab.machine.files["c:\\a.msi"] = {"size": 1, "product": "x", "version": "1.0"}
    shown = play("(Start-Process msiexec -ArgumentList '/i', 'C:\\a.msi' -Wait -PassThru).ExitCode", lab)
    assert (shown.stdout, shown.duration_s > 5400) == ("1602", True), "a dialogue that nobody sees"
    assert registry.key_of("HKEY_LOCAL_MACHINE/SOFTWARE") == "hklm:\\software"
