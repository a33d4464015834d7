<#
.SYNOPSIS
Tries the move script on one VM that may be lost: there, and back.

.DESCRIPTION
Runs on your own computer with the Az.Accounts module, after Connect-AzAccount. It needs a VM that is registered with a
classic host pool and that nobody uses, a registration token of an Azure Virtual Desktop host pool, and the right to run
commands on the VM and to restart it. What it does there: observe, stage, save, uninstall, restart, install, restart,
observe; then restore, observe. Each step is called twice: the second call must change nothing. The VM ends registered
with the classic pool again. Afterwards delete its session host from the new host pool.

The token goes as a protected parameter. Every answer is searched for it.

.EXAMPLE
$token = Read-Host 'Token' -AsSecureString
./scripts/vm-selftest.ps1 -VmId '/subscriptions/.../virtualMachines/test-0' -RegistrationToken $token
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)]
    [string]$VmId,
    [Parameter(Mandatory = $true)]
    [securestring]$RegistrationToken,
    [string]$AgentInstaller = 'C:\ProgramData\Crossfade\Microsoft.RDInfra.RDAgent.Installer-x64.msi',
    [string]$BootLoaderInstaller = 'C:\ProgramData\Crossfade\Microsoft.RDInfra.RDAgentBootLoader.Installer-x64.msi',
    [string]$AgentUrl = '',
    [string]$BootLoaderUrl = '',
    [string]$BrokerUrl = 'https://rdbroker.wvd.microsoft.com',
    [string]$Script = (Join-Path $PSScriptRoot '../src/crossfade/execution/vm/move_host.ps1')
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$ApiVersion = '2024-07-01'
$RunId = 'selftest-' + [Guid]::NewGuid().ToString('N').Substring(0, 8)
$ScriptText = Get-Content -LiteralPath $Script -Raw
$Token = (New-Object System.Net.NetworkCredential '', $RegistrationToken).Password
$Location = ''

function Invoke-Arm {
    param([string]$Method, [string]$Suffix, $Body)
    $call = @{ Method = $Method; Path = "$VmId$Suffix" }
    if ($null -ne $Body) {
        $call['Payload'] = $Body | ConvertTo-Json -Depth 8
    }
    $answer = Invoke-AzRestMethod @call
    if ($answer.StatusCode -ge 400) {
        throw "$Method $Suffix answered $($answer.StatusCode): $($answer.Content)"
    }
    if ($null -ne $answer.Content -and $answer.Content.Contains($Token)) {
        throw "The answer of $Method $Suffix holds the token."
    }
    return $answer.Content
}

function New-Body {
    param([string]$Step)
    $parameters = @(
        @{ name = 'Step'; value = $Step },
        @{ name = 'RunId'; value = $RunId },
        @{ name = 'AgentInstaller'; value = $AgentInstaller },
        @{ name = 'BootLoaderInstaller'; value = $BootLoaderInstaller },
        @{ name = 'BrokerUrl'; value = $BrokerUrl }
    )
    if ($AgentUrl -ne '') {
        $parameters += @{ name = 'AgentUrl'; value = $AgentUrl }
    }
    if ($BootLoaderUrl -ne '') {
        $parameters += @{ name = 'BootLoaderUrl'; value = $BootLoaderUrl }
    }
    $properties = @{
        source = @{ script = $ScriptText }
        parameters = $parameters
        asyncExecution = $true
        timeoutInSeconds = 3600
    }
    if ($Step -eq 'install') {
        $properties['protectedParameters'] = @(@{ name = 'RegistrationToken'; value = $Token })
    }
    return @{ location = $Location; properties = $properties }
}

function Invoke-Step {
    param([string]$Step)
    $name = "crossfade-selftest-$Step"
    $suffix = "/runCommands/${name}?api-version=$ApiVersion"
    $null = Invoke-Arm 'PUT' $suffix (New-Body -Step $Step)
    $ended = @('Succeeded', 'Failed', 'TimedOut', 'Canceled')
    do {
        Start-Sleep -Seconds 15
        $command = Invoke-Arm 'GET' "$suffix&`$expand=instanceView" $null | ConvertFrom-Json
        $view = $command.properties.instanceView
    } while ($view.executionState -notin $ended)
    $null = Invoke-Arm 'DELETE' $suffix $null
    $line = @($view.output -split "`n" | Where-Object { $_ -like 'CROSSFADE-RESULT *' })
    if ($line.Count -ne 1) {
        throw "Step $Step gave no result: $($view.executionState) $($view.error)"
    }
    $result = $line[0].Substring('CROSSFADE-RESULT '.Length) | ConvertFrom-Json
    Write-Host ('{0,-10} {1,-16} changed {2}' -f $Step, $result.code, $result.changed)
    if (-not $result.ok) {
        throw "Step $Step failed: $($line[0])"
    }
    return $result
}

function Invoke-Twice {
    param([string]$Step)
    $null = Invoke-Step -Step $Step
    $again = Invoke-Step -Step $Step
    if ($again.changed) {
        throw "The second $Step changed something."
    }
}

function Restart-Host {
    Write-Host 'restart'
    $before = (Invoke-Step -Step 'observe').facts.bootTime
    $null = Invoke-Arm 'POST' "/restart?api-version=$ApiVersion" $null
    for ($attempt = 1; $attempt -le 20; $attempt++) {
        Start-Sleep -Seconds 60
        try {
            if ((Invoke-Step -Step 'observe').facts.bootTime -ne $before) {
                return
            }
        } catch {
            Write-Host "not yet: $($_.Exception.Message)"
        }
    }
    throw 'The VM did not come back.'
}

function Wait-Broker {
    param([string]$Kind)
    for ($attempt = 1; $attempt -le 20; $attempt++) {
        $facts = (Invoke-Step -Step 'observe').facts
        if ($facts.brokerKind -eq $Kind -and $facts.tokenEmpty) {
            return
        }
        Start-Sleep -Seconds 60
    }
    throw "The agent did not register: $Kind"
}

$answer = Read-Host "This takes the agent off $VmId and puts it back. Type its name to go on"
if ($answer -ne ($VmId -split '/')[-1]) {
    throw 'Nothing was done.'
}
$Location = (Invoke-Arm 'GET' "?api-version=$ApiVersion" $null | ConvertFrom-Json).location

Wait-Broker -Kind 'classic'
Invoke-Twice -Step 'stage'
Invoke-Twice -Step 'save'
Invoke-Twice -Step 'uninstall'
Restart-Host
Invoke-Twice -Step 'install'
Restart-Host
Wait-Broker -Kind 'arm'
Write-Host 'The VM is registered with the new host pool. Now the way back.'
Invoke-Twice -Step 'restore'
Wait-Broker -Kind 'classic'
Write-Host 'The VM is registered with the classic host pool again. Delete its session host from the new host pool.'
