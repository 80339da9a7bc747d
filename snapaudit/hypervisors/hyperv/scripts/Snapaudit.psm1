# The scripts as functions, for a JEA endpoint, which takes no script text from outside. Install this
# file and the .ps1 files beside it as a module named Snapaudit, and make visible in one role
# Invoke-SnapauditCollect and Invoke-SnapauditWatch, and in another Invoke-SnapauditRemove besides.

# Runs the files of a script as one text, which is what is sent where text is taken.
function Start-Part([string[]] $Names, [string] $Argument) {
    $texts = foreach ($name in $Names) { Get-Content -LiteralPath "$PSScriptRoot\$name.ps1" -Raw }
    & ([ScriptBlock]::Create($texts -join "`n")) $Argument -Pipeline
}

function Invoke-SnapauditCollect([string] $Argument) {
    Start-Part -Names 'rows', 'machines', 'collect' -Argument $Argument
}

function Invoke-SnapauditWatch([string] $Argument) {
    Start-Part -Names 'rows', 'machines', 'watch' -Argument $Argument
}

function Invoke-SnapauditRemove([string] $Argument) {
    Start-Part -Names 'rows', 'machines', 'remove' -Argument $Argument
}

Export-ModuleMember -Function 'Invoke-SnapauditCollect', 'Invoke-SnapauditWatch', 'Invoke-SnapauditRemove'
