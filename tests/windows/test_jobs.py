"""Apps reach a real Windows API through the whole chain, and leave it."""

from pathlib import Path
from typing import Any

import pytest

from contract.states import Outcome
from deploy.local.polling import wait_until
from tests.windows.fleet import JOB_SECONDS, Fleet
from tests.windows.packages import MsiProduct, build_setup

#: The first test makes a Windows and a control plane; the very first fetches Windows' Python, too.
pytestmark = [pytest.mark.integration, pytest.mark.windows, pytest.mark.timeout(400)]


def msi_manifest(product: MsiProduct) -> dict[str, Any]:
    """How the app of an MSI is installed, removed and found."""
    key = f"HKEY_LOCAL_MACHINE\\SOFTWARE\\Example\\{product.name}"
    return {
        "installCommandLine": f'msiexec /i "{product.name}.msi" /qn',
        "uninstallCommandLine": f"msiexec /x {product.code} /qn",
        "detectionRules": [
            {
                "type": "productCode",
                "productCode": product.code,
                "productVersionOperator": "greaterThanOrEqual",
                "productVersion": "1.2",
            },
            {
                "type": "registry",
                "keyPath": key,
                "valueName": "Version",
                "operationType": "version",
                "operator": "equal",
                "comparisonValue": product.version,
            },
            {
                "type": "registry",
                "keyPath": key,
                "valueName": "Bits",
                "operationType": "integer",
                "operator": "equal",
                "comparisonValue": "32",
                "check32BitOn64System": True,
            },
        ],
    }


def setup_manifest(name: str) -> dict[str, Any]:
    """How the app of a `setup.exe` is installed and found."""
    rule = {"type": "registry", "keyPath": f"HKLM\\SOFTWARE\\Example\\{name}", "valueName": "Version"}
    return {
        "installCommandLine": "setup.exe",
        "uninstallCommandLine": "setup.exe",
        "detectionRules": [{**rule, "operationType": "exists"}],
    }


def runs(fleet: Fleet, name: str) -> list[str]:
    """What the app's installer noted of its runs."""
    path = fleet.device.wine.drive_c / "users" / "Public" / f"{name}.runs"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


@pytest.mark.behaviour(
    "B-50", "B-51", "B-53", "B-55", "2.8 MSI product code", "2.8 registry version", "2.8 registry view"
)
def test_an_msi_is_installed_and_found_by_product_code_and_in_both_views(fleet: Fleet, tmp_path: Path) -> None:
    product = MsiProduct("Editor")
    fleet.publish(product.build(tmp_path / "source"), "Editor", **msi_manifest(product))
    fleet.assign("Editor")
    job = fleet.finished("Editor")
    assert (job.outcome, job.raw_exit_code) == (Outcome.INSTALLED, 0)
    assert installed_file(fleet, product).is_file()


def test_an_msi_whose_absence_is_wanted_is_uninstalled(fleet: Fleet, tmp_path: Path) -> None:
    product = MsiProduct("Viewer")
    fleet.publish(product.build(tmp_path / "source"), "Viewer", **msi_manifest(product))
    fleet.assign("Viewer")
    assert fleet.finished("Viewer").outcome is Outcome.INSTALLED
    fleet.assign("Viewer", "uninstall")
    job = fleet.wait_for("Viewer", lambda job: job.outcome is Outcome.UNINSTALLED)
    assert job.raw_exit_code == 0
    assert not installed_file(fleet, product).exists()


@pytest.mark.behaviour("2.7 soft reboot", "B-53")
def test_a_program_that_wants_a_restart_later_is_installed_and_its_exit_code_shown(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.publish(build_setup(tmp_path / "source", "Driver", exit_code=3010), "Driver", **setup_manifest("Driver"))
    fleet.assign("Driver")
    job = fleet.finished("Driver")
    assert job.raw_exit_code == 3010
    assert job.outcome is Outcome.INSTALLED
    assert runs(fleet, "Driver") == ["begin", "end"]


@pytest.mark.behaviour("2.7 unmapped", "B-53", "B-58")
def test_an_msi_that_fails_shows_its_exit_code_beside_the_number_of_windows(fleet: Fleet, tmp_path: Path) -> None:
    product = MsiProduct("Broken", fails=True)
    fleet.publish(product.build(tmp_path / "source"), "Broken", attempts=1, **msi_manifest(product))
    fleet.assign("Broken")
    job = fleet.wait_for("Broken", lambda job: job.outcome is Outcome.FAILED)
    assert (job.raw_exit_code, job.error_number) == (1603, 0x80070643)
    assert not installed_file(fleet, product).exists()


def test_an_agent_killed_while_its_installer_runs_ends_installed_by_that_one_run(fleet: Fleet, tmp_path: Path) -> None:
    fleet.publish(build_setup(tmp_path / "source", "Slow", seconds=8), "Slow", **setup_manifest("Slow"))
    fleet.assign("Slow")
    assert wait_until(lambda: runs(fleet, "Slow") == ["begin"], seconds=JOB_SECONDS)
    fleet.kill_agent()
    fleet.start_agent()
    assert fleet.finished("Slow").outcome is Outcome.INSTALLED
    assert runs(fleet, "Slow") == ["begin", "end"]


def installed_file(fleet: Fleet, product: MsiProduct) -> Path:
    return fleet.device.wine.drive_c / "Program Files" / product.name / "readme.txt"
