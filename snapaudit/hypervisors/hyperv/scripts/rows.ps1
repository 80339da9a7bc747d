# What every script begins with: the argument, rows as they are written, and objects as they are read.
# -Pipeline hands rows down the pipeline, for sessions without a console; else they go to standard
# output in large pieces. Runs on Windows PowerShell 4.0 and later.
param([string] $Argument, [switch] $Pipeline)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'

$version = 1
$invariant = [Globalization.CultureInfo]::InvariantCulture
$state = @{ rows = 0; out = $null; ready = $false }
if (-not $Pipeline) {
    $stdout = [Console]::OpenStandardOutput()
    $state.out = New-Object IO.StreamWriter($stdout, [Text.Encoding]::ASCII, 32768)
    $state.out.NewLine = "`n"
}

# One row as one line of printable ASCII. -cmatch, since without regard to case the Kelvin sign would
# count as a k. Only rows that need it are escaped, by one expression: loops over letters are slow.
function Write-Row($Row) {
    $text = ConvertTo-Json -InputObject $Row -Compress -Depth 4
    if ($text -cmatch '[^\x20-\x7e]') {
        $escape = { param($found) '\u{0:x4}' -f [int][char]$found.Value }
        $text = [regex]::Replace($text, '[^\x20-\x7e]', $escape)
    }
    if ($Pipeline) { $text } else { $state.out.WriteLine($text) }
    $state.rows += 1
}

# The last row: how many came before it. Without it the answer counts as cut.
function Write-End {
    Write-Row ([ordered]@{ k = 'end'; rows = $state.rows })
    if (-not $Pipeline) { $state.out.Flush() }
}

# What could not be read: $Where names the kind of thing, $Id the thing, $null for all of the kind.
# CIM has its number in the error's id and a general one in the exception.
function Write-Failure([string] $Where, $Id, $Failure) {
    $exception = $Failure
    $named = $null
    if ($Failure -is [Management.Automation.ErrorRecord]) {
        $exception = $Failure.Exception
        $named = [string]$Failure.FullyQualifiedErrorId
    }
    $number = Get-Number $exception 'HResult'
    if ($named -match '^HRESULT (0x[0-9a-f]{8})') { $number = [long]$Matches[1] }
    Write-Row ([ordered]@{
        k = 'err'; where = $Where; id = $Id; fqid = $named
        hr = $number; msg = [string](Get-Text $exception 'Message')
    })
}

function Read-Argument {
    $json = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Argument))
    ConvertFrom-Json -InputObject $json
}

# The readers below look a property up in the object's table, since sets differ by Windows version.
# Each but the last returns exactly one value: "nothing" from a function would not become null.
function Get-Value($From, [string] $Name) {
    if ($null -eq $From) { return $null }
    $property = $From.PSObject.Properties[$Name]
    if ($null -eq $property) { return $null }
    return $property.Value
}

function Get-Text($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($null -eq $value) { return $null }
    return [string]$value
}

# Enums too: what they are called is translated or varies, their numbers do not.
function Get-Number($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($null -eq $value) { return $null }
    return [long]$value
}

function Get-Flag($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($null -eq $value) { return $null }
    return [bool]$value
}

# A GUID in lower case without braces.
function Get-Id($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($null -eq $value -or [string]$value -eq '') { return $null }
    return ([guid][string]$value).ToString('d')
}

function Get-Time($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($null -eq $value) { return $null }
    return Format-Time ([datetime]$value)
}

# A time of the argument as it was written: PowerShell 7 turns such texts into times by itself.
function Get-Moment($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($value -is [datetime]) { return Format-Time $value }
    if ($null -eq $value) { return $null }
    return [string]$value
}

# UTC as text: the JSON cmdlet of 5.1 writes a DateTime in a form of its own, or as a map.
function Format-Time([datetime] $Time) {
    return $Time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", $invariant)
}

# The elements of a property, none where it is missing or null.
function Get-List($From, [string] $Name) {
    $value = Get-Value $From $Name
    if ($null -ne $value) { $value }
}
