"""Installers as vendors make them: MSIs by wixl, programs by NSIS."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

_WXS = """\
<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Name="{name}" Id="{code}" UpgradeCode="{upgrade}" Language="1033" Codepage="1252" Version="{version}"
           Manufacturer="Example">
    <Package Id="*" Keywords="Installer" InstallerVersion="200" Languages="1033" Compressed="yes" SummaryCodepage="1252"
             InstallScope="perMachine"/>
    <Media Id="1" Cabinet="app.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder" Name="PFiles">
        <Directory Id="INSTALLDIR" Name="{name}">
          <Component Id="Main" Guid="{component}" Win64="yes">
            <File Id="Readme" Name="readme.txt" Source="readme.txt" KeyPath="yes"/>
            <RegistryKey Root="HKLM" Key="SOFTWARE\\Example\\{name}">
              <RegistryValue Type="string" Name="Version" Value="{version}"/>
            </RegistryKey>
          </Component>
          <Component Id="Narrow" Guid="{narrow}">
            <RegistryKey Root="HKLM" Key="SOFTWARE\\Example\\{name}">
              <RegistryValue Type="integer" Name="Bits" Value="32" KeyPath="yes"/>
            </RegistryKey>
          </Component>
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="Complete" Level="1">
      <ComponentRef Id="Main"/>
      <ComponentRef Id="Narrow"/>
    </Feature>
{more}  </Product>
</Wix>
"""
#: A condition that never holds: Windows Installer ends with 1603.
_FAILS = '    <Condition Message="this product refuses to be installed">0</Condition>\n'

_NSI = """\
Unicode true
SilentInstall silent
RequestExecutionLevel admin
OutFile "setup.exe"
!macro Note LINE
  FileOpen $0 "C:\\users\\Public\\{name}.runs" a
  FileSeek $0 0 END
  FileWrite $0 "${{LINE}}$\\r$\\n"
  FileClose $0
!macroend
Section
  !insertmacro Note begin
  Sleep {milliseconds}
  SetRegView 64
  WriteRegStr HKLM "SOFTWARE\\Example\\{name}" "Version" "1.0"
  !insertmacro Note end
  SetErrorLevel {exit_code}
SectionEnd
"""


@dataclass(frozen=True)
class MsiProduct:
    """What an MSI says of itself."""

    name: str
    version: str = "1.2.3"
    fails: bool = False

    @property
    def code(self) -> str:
        """Its product code."""
        return _guid(self.name, "product")

    def build(self, folder: Path) -> Path:
        """Write `<name>.msi` into a folder of its own."""
        folder.mkdir(parents=True)
        (folder / "readme.txt").write_text("A program of the tests.\n", encoding="ascii")
        text = _WXS.format(
            name=self.name,
            version=self.version,
            code=self.code,
            upgrade=_guid(self.name, "upgrade"),
            component=_guid(self.name, "component"),
            narrow=_guid(self.name, "narrow"),
            more=_FAILS if self.fails else "",
        )
        (folder / "product.wxs").write_text(text, encoding="utf-8")
        _run("wixl", "-a", "x64", "-o", f"{self.name}.msi", "product.wxs", folder=folder)
        (folder / "product.wxs").unlink()
        return folder / f"{self.name}.msi"


def build_setup(folder: Path, name: str, *, exit_code: int = 0, seconds: float = 0) -> Path:
    """Write `setup.exe`: it notes each run in a file, takes its time, sets a value in the registry and ends.

    Args:
        folder: Made for it.
        name: Of the file of its runs and of its key.
        exit_code: What it ends with.
        seconds: How long it takes.
    """
    folder.mkdir(parents=True)
    text = _NSI.format(name=name, milliseconds=int(seconds * 1000), exit_code=exit_code)
    (folder / "setup.nsi").write_text(text, encoding="utf-8")
    _run("makensis", "-V1", "-XTarget amd64-unicode", "setup.nsi", folder=folder)
    (folder / "setup.nsi").unlink()
    return folder / "setup.exe"


def _guid(*words: str) -> str:
    return f"{{{uuid5(NAMESPACE_URL, '/'.join(words))}}}".upper()


def _run(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
