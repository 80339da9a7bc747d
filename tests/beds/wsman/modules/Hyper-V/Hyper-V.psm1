# The cmdlets of Hyper-V over a JSON file that SNAPAUDIT_STUB names: machines, checkpoints, disks, and
# under "throws" the commands that fail. Removals are written to the file that "log" names.

$told = ConvertFrom-Json -InputObject (Get-Content -LiteralPath $env:SNAPAUDIT_STUB -Raw)

function Assert-Works([string] $Name) {
    if (@($told.throws) -contains $Name) { throw "$Name is broken" }
}

function Get-VM {
    [CmdletBinding()]
    param([guid] $Id = [guid]::Empty)
    Assert-Works 'Get-VM'
    $found = @($told.machines)
    if ($Id -ne [guid]::Empty) {
        $found = @($found | Where-Object { [guid]$_.Id -eq $Id })
        if ($found.Count -eq 0) { throw "there is no machine $Id" }
    }
    foreach ($machine in $found) {
        if ($machine.PSObject.Properties['broken']) { Write-Error "a machine is broken"; continue }
        $machine
    }
}

function Get-VMSnapshot {
    [CmdletBinding()]
    param([object[]] $VM)
    Assert-Works 'Get-VMSnapshot'
    $ids = @($VM | ForEach-Object { [string]$_.Id })
    foreach ($checkpoint in @($told.checkpoints)) {
        if ($ids -contains [string]$checkpoint.VMId) { $checkpoint }
    }
}

function Get-VHD {
    [CmdletBinding()]
    param([string] $Path)
    Assert-Works 'Get-VHD'
    $found = @($told.disks | Where-Object { $_.Path -eq $Path })
    if ($found.Count -eq 0) { throw "there is no disk $Path" }
    $found[0]
}

function Remove-VMSnapshot {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([object] $VMSnapshot)
    Assert-Works 'Remove-VMSnapshot'
    Add-Content -LiteralPath $told.log -Value ([string]$VMSnapshot.Id)
}

Export-ModuleMember -Function 'Get-VM', 'Get-VMSnapshot', 'Get-VHD', 'Remove-VMSnapshot'
