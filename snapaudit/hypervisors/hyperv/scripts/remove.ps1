# Removes checkpoints that are still exactly what was planned, one after the other, without those that
# stand on them. Files are never touched: merging is the management service's own work. The argument:
#   dry      false: really remove; anything else goes the whole way and stops one line before
#   targets  each with vm, checkpoint, created, type, parent, name, notes, children (ids of checkpoints),
#            files (what it holds, by path) and disks (label and paths of each chain, base first)
# Whatever differs from what is found now, or cannot be read, is a reason to leave a target alone. An
# error of 'remove' came before the removal was tried, one of 'removal' from then on: only looking
# again can tell what that came to.

$wish = Read-Argument
$dry = (Get-Flag $wish 'dry') -ne $false
$removable = 'Standard', 'Recovery'
$ok = 2
$steady = 2, 3
$unreplicated = 0, 1

function Test-Same([string] $What, $Planned, $Found) {
    if ([string]$Planned -cne [string]$Found) { "$What differs: planned '$Planned', found '$Found'" }
}

# Lists without regard to order, paths without regard to case.
function Test-SameList([string] $What, $Planned, $Found) {
    $ours = @($Planned | ForEach-Object { ([string]$_).ToUpperInvariant() } | Sort-Object) -join '|'
    $theirs = @($Found | ForEach-Object { ([string]$_).ToUpperInvariant() } | Sort-Object) -join '|'
    if ($ours -cne $theirs) { "$What differ: planned '$ours', found '$theirs'" }
}

# A file and all below it, base first. $Parents keeps what each file stands on.
function Get-Chain([string] $Path, $Parents) {
    $line = @()
    while ($Path -ne '') {
        if ($line -contains $Path) { throw "the chain of $Path runs in a circle" }
        $line = @($Path) + $line
        if (-not $Parents.ContainsKey($Path)) {
            $Parents[$Path] = [string](Get-Text (Hyper-V\Get-VHD -Path $Path) 'ParentPath')
        }
        $Path = $Parents[$Path]
    }
    return $line
}

# The chains of a machine's drives as 'SCSI 0:0>base>top'.
function Get-Chains($Row, $Parents) {
    foreach ($drive in @($Row.drives | Where-Object { $_.path })) {
        $label = "$($drive.ct) $($drive.cn):$($drive.cl)"
        (@($label) + @(Get-Chain $drive.path $Parents)) -join '>'
    }
}

# Whatever the plan says, none of this is safe. Numbers, since their texts are translated.
function Get-Hindrances($Machine, $Row) {
    if ($removable -cnotcontains $Row.type) { "its type is $($Row.type)" }
    if ($Row.auto) { 'it is automatic' }
    if ($Machine.ops.Count -ne 1 -or $Machine.ops[0] -ne $ok) { "its machine's status is $($Machine.ops -join ' ')" }
    if ($steady -notcontains $Machine.state) { "its machine's state is $($Machine.state)" }
    if ($unreplicated -notcontains $Machine.repl) { "its machine's replication mode is $($Machine.repl)" }
    if (@($Machine.drives | Where-Object { $_.shared }).Count -gt 0) { 'its machine has a shared disk' }
}

# Files that stand on what it holds: with more than one, merging would wait for ever.
function Get-Branches($Row, $Parents) {
    foreach ($held in @($Row.drives | ForEach-Object { $_.path } | Where-Object { $_ })) {
        $on = @($Parents.Keys | Where-Object { $Parents[$_] -eq $held })
        if ($on.Count -gt 1) { "$($on.Count) files stand on $held" }
    }
}

function Get-Differences($Target, $Machine, $Row, $Children, $Chains) {
    Test-Same 'machine' ([guid]$Target.vm).ToString('d') $Row.vm
    Test-Same 'creation' (Get-Moment $Target 'created') $Row.created
    Test-Same 'type' $Target.type $Row.type
    Test-Same 'parent' (Get-Id $Target 'parent') $Row.parent
    Test-Same 'name' $Target.name $Row.name
    Test-Same 'notes' $Target.notes $Row.notes
    Test-SameList 'children' $Target.children $Children
    Test-SameList 'files' $Target.files @($Row.drives | ForEach-Object { $_.path } | Where-Object { $_ })
    Test-SameList 'disks' @($Target.disks | ForEach-Object { (@($_.label) + @($_.paths)) -join '>' }) $Chains
}

# Everything that speaks against it now, as sentences; nothing at all means that it may go.
function Get-Objections($Target, $Vm, $Found, $All) {
    $machine = New-MachineRow $Vm $null
    $row = New-CheckpointRow $Found
    $on = @($All | Where-Object { (Get-Id $_ 'ParentSnapshotId') -eq $row.id })
    $children = @($on | ForEach-Object { Get-Id $_ 'Id' })
    $parents = @{}
    $chains = @(Get-Chains $machine $parents)
    foreach ($one in $All) { [void]@(Get-Chains (New-CheckpointRow $one) $parents) }
    Get-Hindrances $machine $row
    Get-Branches $row $parents
    Get-Differences $Target $machine $row $children $chains
}

# By GUID alone: names may hold quotes and wildcards, and may be given twice.
function Resolve-Target($Target) {
    $id = ([guid][string]$Target.checkpoint).ToString('d')
    $vm = Hyper-V\Get-VM -Id ([guid][string]$Target.vm)
    $all = @(Hyper-V\Get-VMSnapshot -VM $vm)
    $found = @($all | Where-Object { (Get-Id $_ 'Id') -eq $id })
    if ($found.Count -ne 1) {
        Write-Row ([ordered]@{ k = 'skip'; id = $id; why = "there are $($found.Count) checkpoints of this id" })
        return
    }
    $objections = @(Get-Objections $Target $vm $found[0] $all)
    if ($objections.Count -gt 0) {
        Write-Row ([ordered]@{ k = 'skip'; id = $id; why = $objections -join '; ' })
        return
    }
    if ($dry) { Write-Row ([ordered]@{ k = 'would'; id = $id; ops = [long[]]@(Get-Statuses $vm) }); return }
    $state.tried = $true
    Hyper-V\Remove-VMSnapshot -VMSnapshot $found[0] -Confirm:$false
    Write-Row ([ordered]@{ k = 'removed'; id = $id; ops = [long[]]@(Get-Statuses $vm) })
}

Write-HostRow @{ name = $null; id = $null; nodes = @() }
Import-HyperV
if (-not $state.ready) { return }
foreach ($target in @(Get-List $wish 'targets')) {
    $state.tried = $false
    try { Resolve-Target $target } catch {
        $where = if ($state.tried) { 'removal' } else { 'remove' }
        Write-Failure $where (Get-Text $target 'checkpoint') $_
    }
}
Write-End
