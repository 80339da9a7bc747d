# One short look at one machine after a removal; it changes nothing. The argument:
#   vm           its id
#   checkpoints  ids that should be gone
#   files        paths that should be gone
#   since        a time: merge events from then on

$wish = Read-Argument

# A checkpoint is gone when a list that was read in full does not hold it.
function Write-GoneCheckpoints($Machine) {
    try {
        $left = @(Hyper-V\Get-VMSnapshot -VM $Machine | ForEach-Object { Get-Id $_ 'Id' })
        foreach ($one in @(Get-List $wish 'checkpoints')) {
            $id = ([guid][string]$one).ToString('d')
            if ($left -notcontains $id) { Write-Row ([ordered]@{ k = 'gone'; id = $id }) }
        }
    } catch { Write-Failure 'cp' $null $_ }
}

# A file is gone only when its folder is there: a lost volume or a refused share proves nothing.
function Write-Files {
    foreach ($one in @(Get-List $wish 'files')) {
        $path = [string]$one
        try {
            $file = New-Object IO.FileInfo($path)
            [void][IO.File]::GetAttributes($path)
            Write-Row ([ordered]@{
                k = 'file'; path = $path; len = [long]$file.Length; mtime = Format-Time $file.LastWriteTimeUtc
            })
        } catch {
            if ($_.Exception.GetBaseException() -is [IO.FileNotFoundException]) {
                Write-Row ([ordered]@{ k = 'gone'; path = $path })
            } else { Write-Failure 'file' $path $_ }
        }
    }
}

Write-HostRow @{ name = $null; id = $null; nodes = @() }
Import-HyperV
if (-not $state.ready) { return }
$id = ([guid](Get-Text $wish 'vm')).ToString('d')
try {
    $vm = Hyper-V\Get-VM -Id ([guid]$id)
    $merging = $null
    try { $merging = Read-Merging } catch { Write-Failure 'merge' $id $_ }
    Write-Row (New-MachineRow $vm $merging)
    Write-GoneCheckpoints $vm
} catch { Write-Failure 'vm' $id $_ }
Write-Files
$since = Get-Moment $wish 'since'
if ($null -ne $since) { Write-MergeEvents $since }
Write-Volumes
$cluster = Read-Cluster
if ($null -ne $cluster.failure) { Write-Failure 'cluster' $null $cluster.failure }
if ($null -ne $cluster.name) { Write-ClusterVolumes }
Write-End
