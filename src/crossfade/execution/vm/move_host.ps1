#requires -Version 5.1
<#
.SYNOPSIS
Moves one session host between the classic service and Azure Virtual Desktop, one step per call. See
docs/reference/move-script.md.

.DESCRIPTION
Runs as SYSTEM by a run command. Every step may be called again: what is so already is left alone. Nothing here restarts
Windows: that is done from outside, after `uninstall` and after `install`. The last line of the output is
`CROSSFADE-RESULT` and a JSON object below 4,096 bytes; the exit code is 0 or 1. The registration token is handed to
msiexec, or for `repoint` to the agent's own registry value, and to nothing else.

Order and flags: Microsoft's documentation on reinstalling the agent, and its deployment scripts.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)]
    [ValidateSet('stage', 'save', 'uninstall', 'install', 'observe', 'restore', 'repoint')]
    [string]$Step,
    [Parameter(Mandatory = $true)]
    [string]$RunId,
    [string]$AgentInstaller = '',
    [string]$BootLoaderInstaller = '',
    [string]$AgentUrl = '',
    [string]$BootLoaderUrl = '',
    [string]$AgentVersion = '1.0.0.0',
    [string]$Signer = 'Microsoft Corporation',
    [int64]$MinimumFreeBytes = 2147483648,
    [string]$RegistrationToken = '',
    [string]$BrokerUrl = ''
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$AgentName = 'Remote Desktop Services Infrastructure Agent'
$BootLoaderName = 'Remote Desktop Agent Boot Loader'
# In the documented order of removal.
$ComponentNames = @(
    $BootLoaderName,
    $AgentName,
    'Remote Desktop Services Infrastructure Geneva Agent',
    'Remote Desktop Services SxS Network Stack'
)
$LoaderService = 'RDAgentBootLoader'
$AgentKey = 'HKLM:\SOFTWARE\Microsoft\RDInfraAgent'
$BootLoaderKey = 'HKLM:\SOFTWARE\Microsoft\RDAgentBootLoader'
$CrossfadeKey = 'HKLM:\SOFTWARE\Crossfade'
$SavedKey = Join-Path $CrossfadeKey "Saved\$RunId"
$StateKey = Join-Path $SavedKey 'State'
# Volatile: the next start of Windows forgets it. While it is there, a restart is still to come.
$RestartKey = Join-Path $CrossfadeKey 'RestartNeeded'
$UninstallRoots = @(
    'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall',
    'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall'
)
$MsiExec = Join-Path $env:SystemRoot 'System32\msiexec.exe'
$LogFolder = Join-Path $env:SystemRoot 'Temp'

$Facts = @{}
$Changed = $false

# ---------------------------------------------------------------- saying what happened

function Stop-Step {
    param([string]$Code, [string]$Message)
    $exception = New-Object System.InvalidOperationException $Message
    $exception.Data['code'] = $Code
    throw $exception
}

function Get-ErrorCode {
    param($ErrorRecord)
    if ($ErrorRecord.Exception.Data.Contains('code')) {
        return $ErrorRecord.Exception.Data['code']
    }
    return 'unexpected'
}

function Set-Changed {
    $script:Changed = $true
}

function Write-Result {
    param([bool]$Ok, [string]$Code)
    $result = [ordered]@{ step = $Step; ok = $Ok; code = $Code; changed = $script:Changed; facts = $Facts }
    $json = $result | ConvertTo-Json -Compress -Depth 4
    if ([Text.Encoding]::UTF8.GetByteCount($json) -gt 3900) {
        $result['facts'] = @{ truncated = $true }
        $json = $result | ConvertTo-Json -Compress -Depth 4
    }
    # No message is meant to hold the token. Should one of Windows do so, it ends here.
    if ($RegistrationToken -ne '') {
        $json = $json.Replace($RegistrationToken, '***')
    }
    Write-Output ('CROSSFADE-RESULT ' + $json)
}

# ---------------------------------------------------------------- what is there

function Assert-Parameters {
    if ($RunId -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$') {
        Stop-Step 'bad_parameter' 'RunId: letters, digits, dots and dashes, at most 64.'
    }
    foreach ($path in @($AgentInstaller, $BootLoaderInstaller)) {
        if ($path -ne '' -and $path -notmatch '^[A-Za-z]:\\[^"<>|?*]+\.msi$') {
            Stop-Step 'bad_parameter' 'An installer is a full path that ends in .msi.'
        }
    }
    foreach ($address in @($AgentUrl, $BootLoaderUrl, $BrokerUrl)) {
        if ($address -ne '' -and $address -notmatch '^https://[^\s"]+$') {
            Stop-Step 'bad_parameter' 'An address begins with https:// and has no blanks.'
        }
    }
    if ($RegistrationToken -ne '' -and $RegistrationToken -notmatch '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$') {
        Stop-Step 'token_invalid' 'The registration token is no token.'
    }
}

function Get-Component {
    param([string]$Name)
    # Some builds put their version behind the name.
    $pattern = '^' + [regex]::Escape($Name) + '( [0-9.]+)?$'
    foreach ($root in $UninstallRoots) {
        if (-not (Test-Path -LiteralPath $root)) {
            continue
        }
        foreach ($key in @(Get-ChildItem -LiteralPath $root)) {
            if ([string]$key.GetValue('DisplayName') -notmatch $pattern) {
                continue
            }
            if ($key.PSChildName -notmatch '^\{[0-9A-Fa-f-]{36}\}$') {
                continue
            }
            [pscustomobject]@{ Name = $Name; Version = [string]$key.GetValue('DisplayVersion'); Code = $key.PSChildName }
        }
    }
}

function Get-AllComponents {
    foreach ($name in $ComponentNames) {
        Get-Component -Name $name
    }
}

function Get-ProductLabels {
    return @(Get-AllComponents | ForEach-Object { $_.Name + ' ' + $_.Version } | Sort-Object)
}

function Test-Complete {
    $agents = @(Get-Component -Name $AgentName)
    $loaders = @(Get-Component -Name $BootLoaderName)
    return $agents.Count -gt 0 -and $loaders.Count -gt 0
}

function Get-Value {
    param([string]$Path, [string]$Name)
    if (-not (Test-Path -LiteralPath $Path)) {
        return $null
    }
    return (Get-Item -LiteralPath $Path).GetValue($Name)
}

function Get-BrokerKind {
    param([string]$Path)
    if ([int](Get-Value $Path 'IsRegistered') -ne 1) {
        return 'none'
    }
    if ([string](Get-Value $Path 'BrokerResourceIdURI') -ne '') {
        return 'arm'
    }
    if ([string](Get-Value $Path 'BrokerURI') -ne '') {
        return 'classic'
    }
    return 'none'
}

function Test-PendingReboot {
    $servicing = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
    $update = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
    return (Test-Path -LiteralPath $servicing) -or (Test-Path -LiteralPath $update)
}

function Get-LoaderStatus {
    $service = Get-Service -Name $LoaderService -ErrorAction SilentlyContinue
    if ($null -eq $service) {
        return 'Missing'
    }
    return [string]$service.Status
}

# ---------------------------------------------------------------- the saved state

function Get-KeyLines {
    param([string]$Path, [string]$Prefix)
    $key = Get-Item -LiteralPath $Path
    foreach ($name in @($key.GetValueNames() | Sort-Object)) {
        $value = $key.GetValue($name, $null, 'DoNotExpandEnvironmentNames')
        "$Prefix|$name|$($key.GetValueKind($name))|$(@($value) -join ',')"
    }
    foreach ($child in @($key.GetSubKeyNames() | Sort-Object)) {
        Get-KeyLines -Path (Join-Path $Path $child) -Prefix "$Prefix\$child"
    }
}

function Get-Digest {
    param([string]$Path)
    $text = @(Get-KeyLines -Path $Path -Prefix '') -join "`n"
    $sha = [Security.Cryptography.SHA256]::Create()
    $hash = $sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($text))
    return [BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()
}

function Test-Saved {
    return [int](Get-Value $SavedKey 'Complete') -eq 1
}

function Assert-Saved {
    if (-not (Test-Saved)) {
        Stop-Step 'not_saved' 'The state of this host was never saved for this run: run the step save first.'
    }
    if ((Get-Digest -Path $StateKey) -ne [string](Get-Value $SavedKey 'Digest')) {
        Stop-Step 'save_damaged' 'The saved state is not what was saved.'
    }
}

function Set-Phase {
    param([string]$Phase)
    Set-ItemProperty -LiteralPath $SavedKey -Name 'Phase' -Value $Phase
}

function Set-OnlySystem {
    param([string]$Path)
    $system = New-Object System.Security.Principal.SecurityIdentifier 'S-1-5-18'
    $rule = New-Object System.Security.AccessControl.RegistryAccessRule $system, 'FullControl', 'ContainerInherit', 'None', 'Allow'
    $security = New-Object System.Security.AccessControl.RegistrySecurity
    $security.SetAccessRuleProtection($true, $false)
    $security.SetOwner($system)
    $security.AddAccessRule($rule)
    Set-Acl -LiteralPath $Path -AclObject $security
}

# ---------------------------------------------------------------- installers

function Invoke-Com {
    param($Target, [string]$Member, [string]$Kind, $Arguments)
    return $Target.GetType().InvokeMember($Member, $Kind, $null, $Target, $Arguments)
}

function Get-MsiProperty {
    param([string]$Path, [string]$Name)
    $installer = New-Object -ComObject WindowsInstaller.Installer
    $database = Invoke-Com $installer 'OpenDatabase' 'InvokeMethod' @($Path, 0)
    try {
        $query = "SELECT Value FROM Property WHERE Property = '$Name'"
        $view = Invoke-Com $database 'OpenView' 'InvokeMethod' @($query)
        $null = Invoke-Com $view 'Execute' 'InvokeMethod' $null
        $record = Invoke-Com $view 'Fetch' 'InvokeMethod' $null
        $null = Invoke-Com $view 'Close' 'InvokeMethod' $null
        if ($null -eq $record) {
            return ''
        }
        return [string](Invoke-Com $record 'StringData' 'GetProperty' @(1))
    } finally {
        # Open, the package could not be replaced.
        $null = [Runtime.InteropServices.Marshal]::FinalReleaseComObject($database)
        $null = [Runtime.InteropServices.Marshal]::FinalReleaseComObject($installer)
    }
}

function Test-Signed {
    param([string]$Path)
    $signature = Get-AuthenticodeSignature -LiteralPath $Path
    if ([string]$signature.Status -ne 'Valid') {
        return $false
    }
    return $signature.SignerCertificate.Subject.StartsWith("CN=$Signer,")
}

function Assert-Installer {
    param([string]$Path, [string]$Name, [string]$Minimum, [string]$Fact)
    if ($Path -eq '' -or -not (Test-Path -LiteralPath $Path -PathType Leaf)) {
        Stop-Step 'installer_missing' "The installer of $Name is not on this host."
    }
    if (-not (Test-Signed -Path $Path)) {
        Stop-Step 'installer_unsigned' "The installer of $Name is not signed by $Signer."
    }
    $product = Get-MsiProperty -Path $Path -Name 'ProductName'
    if ($product -notmatch ('^' + [regex]::Escape($Name))) {
        Stop-Step 'installer_wrong' "The installer of $Name would install something else."
    }
    $version = Get-MsiProperty -Path $Path -Name 'ProductVersion'
    $Facts[$Fact] = $version
    if ([version]$version -lt [version]$Minimum) {
        Stop-Step 'installer_old' "The installer of $Name is of version $version, older than $Minimum."
    }
}

function Assert-Installers {
    Assert-Installer -Path $AgentInstaller -Name $AgentName -Minimum $AgentVersion -Fact 'agentInstaller'
    Assert-Installer -Path $BootLoaderInstaller -Name $BootLoaderName -Minimum '0.0' -Fact 'bootLoaderInstaller'
}

function Get-Installer {
    param([string]$Path, [string]$Url)
    if ($Path -eq '' -or $Url -eq '') {
        return
    }
    if (Test-Path -LiteralPath $Path -PathType Leaf) {
        if (Test-Signed -Path $Path) {
            return
        }
        # Half a download, or somebody else's file.
        Remove-Item -LiteralPath $Path -Force
    }
    $null = New-Item -Path (Split-Path -Parent $Path) -ItemType Directory -Force
    try {
        Invoke-WebRequest -Uri $Url -OutFile $Path -UseBasicParsing -TimeoutSec 600
    } catch {
        Stop-Step 'download_failed' "An installer could not be downloaded: $($_.Exception.Message)"
    }
    Set-Changed
}

function Invoke-Msi {
    param([string]$Verb, [string]$Target, [string]$Log, [string[]]$Properties)
    $logPath = Join-Path $LogFolder "crossfade-$RunId-$Log.txt"
    # The log holds errors and warnings. More would hold the properties, and with them the token.
    $arguments = @($Verb, ('"' + $Target + '"'), '/quiet', '/qn', '/norestart', '/passive')
    $arguments = $arguments + @($Properties) + @('/lewmo', ('"' + $logPath + '"'))
    for ($attempt = 1; $attempt -le 20; $attempt++) {
        $process = Start-Process -FilePath $MsiExec -ArgumentList $arguments -Wait -PassThru
        # 1618: another installation is running.
        if ($process.ExitCode -ne 1618) {
            return $process.ExitCode
        }
        Start-Sleep -Seconds 30
    }
    return 1618
}

function Assert-MsiCode {
    param([int]$Code, [int[]]$Fine, [string]$What)
    if ($Fine -contains $Code) {
        return
    }
    $Facts['msiExitCode'] = $Code
    if ($Code -eq 1618) {
        Stop-Step 'msi_busy' "${What}: another installation has been running for ten minutes."
    }
    Stop-Step 'msi_failed' "${What}: msiexec ended with $Code."
}

function Remove-Component {
    param([string]$Name)
    foreach ($product in @(Get-Component -Name $Name)) {
        $log = 'uninstall-' + $product.Code.Trim('{}')
        $code = Invoke-Msi -Verb '/x' -Target $product.Code -Log $log -Properties @()
        # 1605: it is gone already.
        Assert-MsiCode -Code $code -Fine @(0, 3010, 1605) -What "removing $Name $($product.Version)"
        Set-Changed
    }
}

function Install-Component {
    param([string]$Path, [string]$Name, [string]$Log, [string[]]$Properties)
    $code = Invoke-Msi -Verb '/i' -Target $Path -Log $Log -Properties $Properties
    Assert-MsiCode -Code $code -Fine @(0, 3010) -What "installing $Name"
    Set-Changed
    if (@(Get-Component -Name $Name).Count -eq 0) {
        Stop-Step 'not_installed' "msiexec reported success, but $Name is not there."
    }
}

# ---------------------------------------------------------------- the boot loader's service

function Stop-Loader {
    if ((Get-LoaderStatus) -in @('Missing', 'Stopped')) {
        return
    }
    Stop-Service -Name $LoaderService -Force
    Set-Changed
}

function Start-Loader {
    # The installer's service may take a while to appear.
    for ($attempt = 1; $attempt -le 6 -and (Get-LoaderStatus) -eq 'Missing'; $attempt++) {
        Start-Sleep -Seconds 30
    }
    $status = Get-LoaderStatus
    if ($status -eq 'Missing') {
        Stop-Step 'service_missing' "The service $LoaderService did not appear."
    }
    if ($status -ne 'Running') {
        Start-Service -Name $LoaderService
        Set-Changed
    }
    if ((Get-LoaderStatus) -ne 'Running') {
        Stop-Step 'service_stopped' "The service $LoaderService does not run."
    }
}

# ---------------------------------------------------------------- the token

function Read-Token {
    if ($RegistrationToken -eq '') {
        Stop-Step 'token_missing' 'This step needs a registration token.'
    }
    $part = @($RegistrationToken.Split('.'))[1].Replace('-', '+').Replace('_', '/')
    $part = $part.PadRight($part.Length + (4 - $part.Length % 4) % 4, '=')
    try {
        $json = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($part))
        $claims = $json | ConvertFrom-Json
        $ends = [int64]$claims.exp
    } catch {
        Stop-Step 'token_invalid' 'The registration token cannot be read.'
    }
    if ($ends -le [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()) {
        Stop-Step 'token_expired' 'The registration token has expired.'
    }
    return $claims
}

function Test-Wanted {
    param($Claims)
    # Registered, the token used up, and with the very pool or service that the token names.
    if ((Get-BrokerKind $AgentKey) -eq 'none' -or [string](Get-Value $AgentKey 'RegistrationToken') -ne '') {
        return $false
    }
    $wanted = ''
    if ($null -ne $Claims.PSObject.Properties['BrokerResourceIdUri']) {
        $wanted = $Claims.BrokerResourceIdUri
    }
    return [string](Get-Value $AgentKey 'BrokerResourceIdURI') -eq $wanted
}

# ---------------------------------------------------------------- stage

function Assert-Disk {
    $drive = Get-PSDrive -Name ($env:SystemDrive.TrimEnd(':'))
    $Facts['freeBytes'] = $drive.Free
    if ($drive.Free -lt $MinimumFreeBytes) {
        Stop-Step 'disk_low' 'Too little room on the system drive.'
    }
}

function Assert-NoPendingReboot {
    if (Test-PendingReboot) {
        Stop-Step 'reboot_pending' 'Windows waits for a restart.'
    }
}

function Assert-Policies {
    $installer = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\Installer'
    if ([int](Get-Value $installer 'DisableMSI') -eq 2) {
        Stop-Step 'installer_policy' 'A policy turns Windows Installer off (DisableMSI).'
    }
    $system = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
    if ([int](Get-Value $system 'DisableRegistryTools') -ne 0) {
        Stop-Step 'registry_locked' 'A policy forbids registry tools: the stack would not install.'
    }
}

function Assert-DotNet {
    # 461808 is 4.7.2: older ones lack methods that the agent calls.
    $full = 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full'
    if ([int](Get-Value $full 'Release') -lt 461808) {
        Stop-Step 'dotnet_old' '.NET Framework 4.7.2 or newer is needed.'
    }
}

function Assert-Broker {
    if ($BrokerUrl -eq '') {
        Stop-Step 'bad_parameter' 'BrokerUrl is missing.'
    }
    try {
        $answer = Invoke-WebRequest -Uri ($BrokerUrl.TrimEnd('/') + '/api/health') -UseBasicParsing -TimeoutSec 30
    } catch {
        Stop-Step 'broker_unreachable' "The broker cannot be reached: $($_.Exception.Message)"
    }
    if ($answer.StatusCode -ne 200) {
        Stop-Step 'broker_unreachable' "The broker answers $($answer.StatusCode)."
    }
}

function Invoke-Stage {
    [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
    $checks = @(
        { Assert-Disk },
        { Assert-NoPendingReboot },
        { Assert-Policies },
        { Assert-DotNet },
        { Assert-Broker },
        { Get-Installer -Path $AgentInstaller -Url $AgentUrl },
        { Get-Installer -Path $BootLoaderInstaller -Url $BootLoaderUrl },
        { Assert-Installers }
    )
    $problems = @()
    $messages = @()
    foreach ($check in $checks) {
        try {
            $null = & $check
        } catch {
            $problems += Get-ErrorCode $_
            $messages += $_.Exception.Message
        }
    }
    $Facts['problems'] = $problems
    if ($problems.Count -gt 0) {
        Stop-Step $problems[0] ($messages -join ' ')
    }
}

# ---------------------------------------------------------------- save

function Invoke-Save {
    if (-not (Test-Saved)) {
        if (-not (Test-Path -LiteralPath $AgentKey)) {
            Stop-Step 'nothing_to_save' 'This host has no agent.'
        }
        if (-not (Test-Path -LiteralPath $CrossfadeKey)) {
            $null = New-Item -Path $CrossfadeKey -Force
        }
        # Before anything is put below it.
        Set-OnlySystem -Path $CrossfadeKey
        if (Test-Path -LiteralPath $SavedKey) {
            Remove-Item -LiteralPath $SavedKey -Recurse -Force
        }
        $null = New-Item -Path $StateKey -Force
        Copy-Item -LiteralPath $AgentKey -Destination (Join-Path $StateKey 'RDInfraAgent') -Recurse
        if (Test-Path -LiteralPath $BootLoaderKey) {
            Copy-Item -LiteralPath $BootLoaderKey -Destination (Join-Path $StateKey 'RDAgentBootLoader') -Recurse
        }
        $null = New-ItemProperty -LiteralPath $SavedKey -Name 'Products' -Value @(Get-ProductLabels) -PropertyType MultiString -Force
        Set-ItemProperty -LiteralPath $SavedKey -Name 'Digest' -Value (Get-Digest -Path $StateKey)
        Set-Phase 'saved'
        # Last: half a save is no save.
        $null = New-ItemProperty -LiteralPath $SavedKey -Name 'Complete' -Value 1 -PropertyType DWord -Force
        Set-Changed
    }
    Assert-Saved
    $names = @()
    foreach ($key in @((Get-Item -LiteralPath $StateKey).GetSubKeyNames())) {
        $names += @((Get-Item -LiteralPath (Join-Path $StateKey $key)).GetValueNames() | ForEach-Object { $key + '\' + $_ })
    }
    $Facts['names'] = $names
    $Facts['digest'] = [string](Get-Value $SavedKey 'Digest')
    $Facts['savedBroker'] = Get-BrokerKind (Join-Path $StateKey 'RDInfraAgent')
    $Facts['savedProducts'] = @(Get-Value $SavedKey 'Products')
}

# ---------------------------------------------------------------- uninstall

function Invoke-Uninstall {
    Assert-Saved
    $before = @(Get-AllComponents)
    $Facts['found'] = $before.Count
    if ($before.Count -gt 0) {
        $hive = [Microsoft.Win32.Registry]::LocalMachine
        $check = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree
        $mark = $hive.CreateSubKey('SOFTWARE\Crossfade\RestartNeeded', $check, [Microsoft.Win32.RegistryOptions]::Volatile)
        $mark.Close()
        # A running boot loader would bring its agent back.
        Stop-Loader
        foreach ($name in $ComponentNames) {
            Remove-Component -Name $name
        }
        $left = @(Get-AllComponents)
        if ($left.Count -gt 0) {
            $Facts['left'] = @($left | ForEach-Object { $_.Name + ' ' + $_.Version })
            Stop-Step 'products_remain' 'Not every component could be removed.'
        }
    }
    Set-Phase 'uninstalled'
}

# ---------------------------------------------------------------- install

function Assert-Restarted {
    if (Test-Path -LiteralPath $RestartKey) {
        Stop-Step 'restart_needed' 'Windows was not restarted since the old components were removed.'
    }
}

function Invoke-Install {
    $claims = Read-Token
    Assert-Saved
    $phase = [string](Get-Value $SavedKey 'Phase')
    $ours = $phase -in @('uninstalled', 'installing', 'installed')
    $Facts['phase'] = $phase
    if ($ours -and (Test-Complete)) {
        $waiting = [string](Get-Value $AgentKey 'RegistrationToken') -ceq $RegistrationToken
        if ($phase -eq 'installed' -and ($waiting -or (Test-Wanted $claims))) {
            Start-Loader
            return
        }
    }
    if (-not $ours -and @(Get-AllComponents).Count -gt 0) {
        Stop-Step 'old_products_remain' 'Components of the old registration are still here: run the step uninstall first.'
    }
    Assert-Restarted
    Assert-Installers
    Set-Phase 'installing'
    # What an earlier call left half done, never more: the step uninstall has emptied this host before.
    Stop-Loader
    Remove-Component -Name $BootLoaderName
    Remove-Component -Name $AgentName
    Install-Component -Path $AgentInstaller -Name $AgentName -Log 'agent-install' -Properties @("REGISTRATIONTOKEN=$RegistrationToken")
    if ([string](Get-Value $AgentKey 'RegistrationToken') -cne $RegistrationToken) {
        Stop-Step 'token_not_taken' 'The installer did not take the registration token.'
    }
    Install-Component -Path $BootLoaderInstaller -Name $BootLoaderName -Log 'bootloader-install' -Properties @()
    Start-Loader
    Set-Phase 'installed'
}

# ---------------------------------------------------------------- restore

function Test-SavedRegistration {
    # Whether the agent is registered as it was when it was saved. Other values change by themselves.
    $saved = Join-Path $StateKey 'RDInfraAgent'
    foreach ($name in @('IsRegistered', 'RegistrationToken', 'BrokerURI', 'BrokerResourceIdURI')) {
        if ([string](Get-Value $AgentKey $name) -cne [string](Get-Value $saved $name)) {
            return $false
        }
    }
    return Test-Path -LiteralPath $AgentKey
}

function Restore-Key {
    param([string]$Name, [string]$Path)
    $saved = Join-Path $StateKey $Name
    if (-not (Test-Path -LiteralPath $saved)) {
        return
    }
    if (Test-Path -LiteralPath $Path) {
        Remove-Item -LiteralPath $Path -Recurse -Force
    }
    Copy-Item -LiteralPath $saved -Destination $Path -Recurse
    Set-Changed
}

function Install-Missing {
    Assert-Restarted
    Assert-Installers
    Set-Phase 'restoring'
    if (@(Get-Component -Name $AgentName).Count -eq 0) {
        Install-Component -Path $AgentInstaller -Name $AgentName -Log 'agent-install' -Properties @()
    }
    if (@(Get-Component -Name $BootLoaderName).Count -eq 0) {
        Install-Component -Path $BootLoaderInstaller -Name $BootLoaderName -Log 'bootloader-install' -Properties @()
    }
}

function Invoke-Restore {
    Assert-Saved
    if (-not (Test-Complete)) {
        Install-Missing
    }
    if (-not (Test-SavedRegistration)) {
        Stop-Loader
        Restore-Key -Name 'RDInfraAgent' -Path $AgentKey
        # The boot loader's key names installed versions: the saved one fits the products it was saved with.
        if ((@(Get-ProductLabels) -join '|') -eq (@(Get-Value $SavedKey 'Products') -join '|')) {
            Restore-Key -Name 'RDAgentBootLoader' -Path $BootLoaderKey
        }
    }
    Start-Loader
    Set-Phase 'restored'
    $Facts['brokerKind'] = Get-BrokerKind $AgentKey
}

# ---------------------------------------------------------------- repoint

function Invoke-Repoint {
    $claims = Read-Token
    Assert-Saved
    if (-not (Test-Complete)) {
        Stop-Step 'products_missing' 'Agent and boot loader are not both installed.'
    }
    $waiting = [string](Get-Value $AgentKey 'RegistrationToken') -ceq $RegistrationToken
    if ($waiting -or (Test-Wanted $claims)) {
        Start-Loader
        return
    }
    $null = New-ItemProperty -LiteralPath $AgentKey -Name 'RegistrationToken' -Value $RegistrationToken -PropertyType String -Force
    $null = New-ItemProperty -LiteralPath $AgentKey -Name 'IsRegistered' -Value 0 -PropertyType DWord -Force
    Set-Phase 'repointed'
    Restart-Service -Name $LoaderService -Force
    Set-Changed
    Start-Loader
}

# ---------------------------------------------------------------- observe

function Set-BootTime {
    $boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime
    $Facts['bootTime'] = $boot.ToUniversalTime().ToString('o')
}

function Invoke-Observe {
    $Facts['products'] = @(Get-ProductLabels)
    $Facts['isRegistered'] = [int](Get-Value $AgentKey 'IsRegistered') -eq 1
    $Facts['tokenEmpty'] = [string](Get-Value $AgentKey 'RegistrationToken') -eq ''
    $Facts['brokerKind'] = Get-BrokerKind $AgentKey
    $Facts['service'] = Get-LoaderStatus
    $Facts['pendingReboot'] = Test-PendingReboot
    $Facts['restartNeeded'] = Test-Path -LiteralPath $RestartKey
    $Facts['saved'] = Test-Saved
    $Facts['phase'] = [string](Get-Value $SavedKey 'Phase')
}

# ---------------------------------------------------------------- one step

$Steps = @{
    stage     = { Invoke-Stage }
    save      = { Invoke-Save }
    uninstall = { Invoke-Uninstall }
    install   = { Invoke-Install }
    observe   = { Invoke-Observe }
    restore   = { Invoke-Restore }
    repoint   = { Invoke-Repoint }
}

$exitCode = 0
try {
    Assert-Parameters
    $work = $Steps[$Step]
    # Whatever a command puts out is swallowed: the result line is the only output.
    $null = & $work
    Set-BootTime
    $code = 'nothing_to_do'
    if ($Changed -or $Step -in @('stage', 'observe')) {
        $code = 'done'
    }
    Write-Result -Ok $true -Code $code
} catch {
    $exitCode = 1
    $Facts['message'] = $_.Exception.Message
    $Facts['line'] = $_.InvocationInfo.ScriptLineNumber
    Write-Result -Ok $false -Code (Get-ErrorCode $_)
}
exit $exitCode
