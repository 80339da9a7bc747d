# A cluster, from the "cluster" of the same JSON file.

$told = ConvertFrom-Json -InputObject (Get-Content -LiteralPath $env:SNAPAUDIT_STUB -Raw)

function Get-Cluster { $told.cluster }

function Get-ClusterNode { $told.cluster.nodes }

function Get-ClusterSharedVolume { $told.cluster.volumes }

Export-ModuleMember -Function 'Get-Cluster', 'Get-ClusterNode', 'Get-ClusterSharedVolume'
