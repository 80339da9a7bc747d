# The event log, from the "events" of the same JSON file; none is an error, as it is on Windows.

$told = ConvertFrom-Json -InputObject (Get-Content -LiteralPath $env:SNAPAUDIT_STUB -Raw)

function Get-WinEvent {
    [CmdletBinding()]
    param([hashtable] $FilterHashtable)
    $found = @($told.events)
    if ($found.Count -eq 0) {
        Write-Error -Message 'no events were found' -ErrorId 'NoMatchingEventsFound'
    }
    $found
}

Export-ModuleMember -Function 'Get-WinEvent'
