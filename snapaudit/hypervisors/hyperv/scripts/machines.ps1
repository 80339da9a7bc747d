# Machines, volumes and merge events as rows.

$guid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

# PowerCLI has a Get-VM too, so commands are called by module and name. $state.ready says whether it
# is there; if not, the answer is complete with that.
function Import-HyperV {
    try {
        Import-Module -Name Hyper-V -DisableNameChecking
        $state.ready = $true
    } catch {
        Write-Failure 'module' $null $_
        Write-End
    }
}

function Write-HostRow($Cluster) {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $product = Get-CimInstance -ClassName Win32_ComputerSystemProduct
    Write-Row ([ordered]@{
        k = 'host'; v = $version; name = [Environment]::MachineName
        os = Get-Text $system 'Version'
        ps = [string]$PSVersionTable.PSVersion
        lang = [string]$ExecutionContext.SessionState.LanguageMode
        now = Format-Time ([datetime]::UtcNow)
        culture = [Globalization.CultureInfo]::CurrentCulture.Name
        uuid = Get-Text $product 'UUID'
        cluster = $Cluster.name; cluster_id = $Cluster.id; nodes = [string[]]@($Cluster.nodes)
    })
}

# Slots and paths. The path of a passed-through disk is a description: it is told by its number.
function Get-Drives($Owner) {
    foreach ($drive in @(Get-List $Owner 'HardDrives')) {
        $path = Get-Text $drive 'Path'
        $disk = Get-Number $drive 'DiskNumber'
        if ($path -eq '' -or $null -ne $disk) { $path = $null }
        [ordered]@{
            ct = Get-Text $drive 'ControllerType'
            cn = Get-Number $drive 'ControllerNumber'
            cl = Get-Number $drive 'ControllerLocation'
            path = $path; disk = $disk
            shared = Get-Flag $drive 'SupportPersistentReservations'
        }
    }
}

function Get-Statuses($Machine) {
    foreach ($status in @(Get-List $Machine 'OperationalStatus')) { [long]$status }
}

function New-MachineRow($Machine, $Merging) {
    $id = Get-Id $Machine 'Id'
    $nomerge = $null
    if ($null -ne $Merging -and $Merging.ContainsKey($id)) { $nomerge = $Merging[$id] -eq 0 }
    return [ordered]@{
        k = 'vm'; id = $id; name = [string](Get-Text $Machine 'Name')
        state = Get-Number $Machine 'State'
        ops = [long[]]@(Get-Statuses $Machine)
        parent = Get-Id $Machine 'ParentSnapshotId'
        ckpt = Get-Number $Machine 'CheckpointType'
        auto = Get-Flag $Machine 'AutomaticCheckpointsEnabled'
        repl = Get-Number $Machine 'ReplicationMode'
        clustered = Get-Flag $Machine 'IsClustered'
        ver = Get-Text $Machine 'Version'
        notes = [string](Get-Text $Machine 'Notes')
        nomerge = $nomerge
        drives = [object[]]@(Get-Drives $Machine)
    }
}

function New-CheckpointRow($Checkpoint) {
    return [ordered]@{
        k = 'cp'; id = Get-Id $Checkpoint 'Id'; vm = Get-Id $Checkpoint 'VMId'
        name = [string](Get-Text $Checkpoint 'Name')
        type = Get-Text $Checkpoint 'SnapshotType'
        created = Get-Time $Checkpoint 'CreationTime'
        parent = Get-Id $Checkpoint 'ParentSnapshotId'
        auto = Get-Flag $Checkpoint 'IsAutomaticCheckpoint'
        state = Get-Number $Checkpoint 'State'
        sys = Get-Number $Checkpoint 'SizeOfSystemFiles'
        notes = [string](Get-Text $Checkpoint 'Notes')
        drives = [object[]]@(Get-Drives $Checkpoint)
    }
}

# Whether merging is on, by machine; a backup's export may have switched it off and left it so.
# Msvm_DiskMergeSettingData: 0 disabled for the moment, 1 enabled; the id holds the machine's GUID.
function Read-Merging {
    $found = @{}
    $class = @{ Namespace = 'root\virtualization\v2'; ClassName = 'Msvm_DiskMergeSettingData' }
    foreach ($setting in @(Get-CimInstance @class)) {
        $id = [string](Get-Text $setting 'InstanceID')
        if ($id -match $guid) { $found[$Matches[0].ToLowerInvariant()] = Get-Number $setting 'EnabledState' }
    }
    return $found
}

# Every place where a local volume is mounted: a path belongs to the longest one it begins with.
function Write-Volumes {
    try {
        $places = Read-MountPoints
        foreach ($volume in @(Get-CimInstance -ClassName Win32_Volume -Filter 'DriveType = 3')) {
            $own = [string](Get-Text $volume 'Name')
            $paths = @($own) + @($places[[string](Get-Text $volume 'DeviceID')])
            foreach ($path in @($paths | Where-Object { $_ } | Sort-Object -Unique)) {
                Write-Row ([ordered]@{
                    k = 'vol'; path = [string]$path
                    cap = Get-Number $volume 'Capacity'; free = Get-Number $volume 'FreeSpace'
                    label = [string](Get-Text $volume 'Label')
                    fs = [string](Get-Text $volume 'FileSystem')
                })
            }
        }
    } catch { Write-Failure 'vol' $null $_ }
}

# Mount points by their volume's device id, each with the backslash at its end.
function Read-MountPoints {
    $found = @{}
    foreach ($point in @(Get-CimInstance -ClassName Win32_MountPoint)) {
        $device = [string](Get-Text $point.Volume 'DeviceID')
        $folder = ([string](Get-Text $point.Directory 'Name')).TrimEnd('\') + '\'
        $found[$device] = @($found[$device]) + @($folder)
    }
    return $found
}

function Write-ClusterVolumes {
    try {
        foreach ($volume in @(FailoverClusters\Get-ClusterSharedVolume)) {
            foreach ($info in @(Get-List $volume 'SharedVolumeInfo')) {
                $part = Get-Value $info 'Partition'
                Write-Row ([ordered]@{
                    k = 'csv'; path = [string](Get-Text $info 'FriendlyVolumeName')
                    cap = Get-Number $part 'Size'; free = Get-Number $part 'FreeSpace'
                    name = [string](Get-Text $volume 'Name')
                    owner = Get-Text (Get-Value $volume 'OwnerNode') 'Name'
                    fault = Get-Number $info 'FaultState'
                    maint = Get-Flag $info 'MaintenanceMode'
                })
            }
        }
    } catch { Write-Failure 'csv' $null $_ }
}

# The cluster of this host, if it has one: the service is there and was not left disabled.
function Read-Cluster {
    $found = @{ name = $null; id = $null; nodes = @(); failure = $null }
    try {
        $service = Get-CimInstance -ClassName Win32_Service -Filter "Name = 'ClusSvc'"
        if ($null -eq $service -or (Get-Text $service 'StartMode') -eq 'Disabled') { return $found }
        Import-Module -Name FailoverClusters -DisableNameChecking
        $cluster = FailoverClusters\Get-Cluster
        $nodes = @(FailoverClusters\Get-ClusterNode | ForEach-Object { Get-Text $_ 'Name' })
        $found.name = Get-Text $cluster 'Name'
        $found.id = Get-Text $cluster 'Id'
        $found.nodes = $nodes
    } catch { $found.failure = $_ }
    return $found
}

# What the management service said of merges since then: 19080 done, 19100 failed, and their kin.
function Write-MergeEvents([string] $Since) {
    try {
        $style = [Globalization.DateTimeStyles]::RoundtripKind
        $from = [datetime]::Parse($Since, $invariant, $style).ToLocalTime()
        $wanted = @{
            LogName = 'Microsoft-Windows-Hyper-V-VMMS-Admin'
            Id = 19070, 19080, 19090, 19100; StartTime = $from
        }
        $events = @(Get-WinEvent -FilterHashtable $wanted -ErrorAction SilentlyContinue -ErrorVariable failures)
        foreach ($failure in @($failures)) {
            if ([string](Get-Text $failure 'FullyQualifiedErrorId') -notmatch '^NoMatchingEventsFound') {
                Write-Failure 'event' $null $failure
            }
        }
        foreach ($found in $events) {
            Write-Row ([ordered]@{
                k = 'event'; id = Get-Number $found 'Id'; at = Get-Time $found 'TimeCreated'
                data = [string[]]@(Get-List $found 'Properties' | ForEach-Object { Get-Text $_ 'Value' })
            })
        }
    } catch { Write-Failure 'event' $null $_ }
}
