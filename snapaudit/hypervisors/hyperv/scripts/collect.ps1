# Reads the whole host and changes nothing. The argument may hold:
#   sizes    false: leave disk files alone, which takes most of the time (default true)
#   folders  false: do not look for loose files (default true)
#   vms      ids of machines: read the disk files of these alone
#   since    a time: merge events from then on
#   examine  true: tell who asks, and whether the service runs

$wish = Read-Argument
$wants = @{ sizes = (Get-Flag $wish 'sizes') -ne $false; folders = (Get-Flag $wish 'folders') -ne $false }
$chosen = @(Get-List $wish 'vms' | ForEach-Object { ([guid][string]$_).ToString('d') })
$anycase = [StringComparer]::OrdinalIgnoreCase
$known = New-Object -TypeName 'System.Collections.Generic.HashSet[string]' -ArgumentList $anycase
$queue = New-Object -TypeName 'System.Collections.Generic.Queue[string]'

# A disk file is asked for once, whoever names it.
function Add-Path([string] $Path) {
    if ($Path -ne '' -and $known.Add($Path)) { $queue.Enqueue($Path) }
}

function Add-Drives($Row, [string] $Machine) {
    if ($chosen.Count -gt 0 -and $chosen -notcontains $Machine) { return }
    foreach ($drive in $Row.drives) { Add-Path $drive.path }
}

# Each failure that did not end a listing; it may be of any object, so of none by name.
function Write-Failures([string] $Where, $Failures) {
    foreach ($failure in @($Failures)) { Write-Failure $Where $null $failure }
}

function Write-Machines($Machines, $Merging) {
    foreach ($vm in $Machines) {
        $id = $null
        try {
            $id = Get-Id $vm 'Id'
            $row = New-MachineRow $vm $Merging
            Write-Row $row
            Add-Drives $row $id
        } catch { Write-Failure 'vm' $id $_ }
    }
}

# One call for all machines: one for each would cost seconds.
function Write-Checkpoints($Machines) {
    $found = @()
    $failures = @()
    try {
        $found = @(Hyper-V\Get-VMSnapshot -VM $Machines -ErrorAction SilentlyContinue -ErrorVariable failures)
    } catch { Write-Failure 'cps' $null $_ }
    Write-Failures 'cp' $failures
    foreach ($checkpoint in $found) {
        $id = $null
        try {
            $id = Get-Id $checkpoint 'Id'
            $row = New-CheckpointRow $checkpoint
            Write-Row $row
            Add-Drives $row $row.vm
        } catch { Write-Failure 'cp' $id $_ }
    }
}

# Every chain to its end: a disk file names the one file it stands on.
function Write-Disks {
    while ($queue.Count -gt 0) {
        $path = $queue.Dequeue()
        try {
            $disk = Hyper-V\Get-VHD -Path $path
            $up = Get-Text $disk 'ParentPath'
            if ($up -eq '') { $up = $null }
            Write-Row ([ordered]@{
                k = 'disk'; path = $path
                type = Get-Number $disk 'VhdType'; fmt = Get-Number $disk 'VhdFormat'
                file = Get-Number $disk 'FileSize'; size = Get-Number $disk 'Size'
                min = Get-Number $disk 'MinimumSize'; up = $up; id = Get-Text $disk 'DiskIdentifier'
            })
            if ($null -ne $up) { Add-Path $up }
        } catch { Write-Failure 'disk' $path $_ }
    }
}

# Automatic files that no chain of this host contains, in the folders of the disks that it uses.
function Write-LooseFiles {
    $folders = New-Object -TypeName 'System.Collections.Generic.HashSet[string]' -ArgumentList $anycase
    foreach ($path in $known) {
        $folder = $path
        try {
            $folder = [IO.Path]::GetDirectoryName($path)
            if (-not $folders.Add($folder)) { continue }
            foreach ($file in (New-Object IO.DirectoryInfo($folder)).GetFiles('*.avhd*')) {
                $ours = '.avhd', '.avhdx' -contains $file.Extension
                if (-not $ours -or $known.Contains($file.FullName)) { continue }
                Write-Row ([ordered]@{
                    k = 'file'; path = $file.FullName; len = [long]$file.Length
                    mtime = Format-Time $file.LastWriteTimeUtc
                })
            }
        } catch { Write-Failure 'folder' $folder $_ }
    }
}

# Groups by their well-known ids, as their names are translated: Administrators, Hyper-V Administrators.
function Write-Self {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='vmms'"
    $module = @(Get-Module -Name Hyper-V)[0]
    $who = [Security.Principal.WindowsIdentity]::GetCurrent()
    $groups = @($who.Groups | ForEach-Object { [string]$_.Value })
    Write-Row ([ordered]@{
        k = 'self'; user = [string]$who.Name; vmms = Get-Flag $service 'Started'
        module = Get-Text $module 'Version'
        admin = $groups -contains 'S-1-5-32-544'; hyperv = $groups -contains 'S-1-5-32-578'
    })
}

$cluster = Read-Cluster
Write-HostRow $cluster
if ($null -ne $cluster.failure) { Write-Failure 'cluster' $null $cluster.failure }
Import-HyperV
if (-not $state.ready) { return }
if ((Get-Flag $wish 'examine') -eq $true) {
    try { Write-Self } catch { Write-Failure 'self' $null $_ }
}

$machines = @()
$failures = @()
try {
    $machines = @(Hyper-V\Get-VM -ErrorAction SilentlyContinue -ErrorVariable failures)
} catch { Write-Failure 'vms' $null $_ }
Write-Failures 'vm' $failures

$merging = $null
try { $merging = Read-Merging } catch { Write-Failure 'merge' $null $_ }
Write-Machines $machines $merging
if ($machines.Count -gt 0) { Write-Checkpoints $machines }
if ($wants.sizes) { Write-Disks }
if ($wants.sizes -and $wants.folders) { Write-LooseFiles }
Write-Volumes
if ($null -ne $cluster.name) { Write-ClusterVolumes }
$since = Get-Moment $wish 'since'
if ($null -ne $since) { Write-MergeEvents $since }
Write-End
