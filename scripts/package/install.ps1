# Installs janee @VERSION@ for one user: no administrator, no change to any profile or to PATH.
#
#   JANEE_INSTALL_DIR    where the executable goes (default: %LOCALAPPDATA%\Programs\janee)
#   JANEE_INSTALL_BASE   where the archives are taken from, such as a mirror
#
# The digests of the archives are in this script: whatever the server sends, nothing else is installed.
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

function Install-Janee {
    $version = '@VERSION@'
    $digests = @{
@DIGESTS@
    }
    $base = if ($env:JANEE_INSTALL_BASE) { $env:JANEE_INSTALL_BASE } else { '@DOWNLOADS@' }
    $directory = if ($env:JANEE_INSTALL_DIR) { $env:JANEE_INSTALL_DIR } else { Join-Path $env:LOCALAPPDATA 'Programs\janee' }

    # Of the machine, not of a process that is emulated on it.
    $machine = [System.Runtime.InteropServices.RuntimeInformation]::OSArchitecture.ToString()
    $arch = switch ($machine) {
        'X64' { 'x64' }
        'Arm64' { 'arm64' }
        default { throw "install: there is no build for $machine" }
    }
    $target = "windows-$arch"
    $archive = "janee-$version-$target.zip"

    New-Item -ItemType Directory -Force -Path $directory | Out-Null
    $work = Join-Path $directory (".janee-install-" + [System.Guid]::NewGuid().ToString('N'))
    New-Item -ItemType Directory -Path $work | Out-Null
    try {
        [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
        $file = Join-Path $work $archive
        Invoke-WebRequest -UseBasicParsing -Uri "$base/$archive" -OutFile $file
        $found = (Get-FileHash -Algorithm SHA256 -Path $file).Hash.ToLowerInvariant()
        if ($found -ne $digests[$target]) {
            throw "install: $archive is not the file of this release: expected sha256 $($digests[$target]), found $found"
        }
        Expand-Archive -Path $file -DestinationPath $work
        $executable = Join-Path $work "janee-$version-$target\janee.exe"
        $said = & $executable --version
        if ($LASTEXITCODE -ne 0 -or -not "$said".StartsWith("janee $version (")) {
            throw "install: expected janee $version, the executable says: $said"
        }
        Move-Item -Force -Path $executable -Destination (Join-Path $directory 'janee.exe')
    } finally {
        Remove-Item -Recurse -Force -Path $work
    }
    Write-Output "$said is in $(Join-Path $directory 'janee.exe')"
    if (($env:PATH -split ';') -notcontains $directory) {
        Write-Output "To find it by its name, add $directory to your PATH"
    }
}

# On the last line, so that half a script does nothing.
Install-Janee
