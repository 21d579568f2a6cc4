"""A platform of dictionaries: what rules are tried against where the real thing is not to be had."""

from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from contract.rules import PackageManager, Rule
from worker.platform.generic import GenericPlatform
from worker.platform.port import PackageFacts, RegistryKey, RegistryValue, View


@dataclass
class Contents:
    """What the platform holds.

    Attributes:
        registry: Keys with their values by name; the unnamed value's name is empty.
        products: Versions of MSI products by product code.
        packages: By name.
        processes: Names of what runs.
        unanswerable: Why each type of rule cannot be answered.
        broken: What every reading of the registry, of products, packages and processes raises.
        untrusted: Why no script's signature holds; empty where all do.
    """

    registry: dict[RegistryKey, dict[str, RegistryValue]] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    packages: dict[str, tuple[PackageFacts, ...]] = field(default_factory=dict)
    processes: frozenset[str] = frozenset()
    unanswerable: dict[str, str] = field(default_factory=dict)
    broken: OSError | None = None
    untrusted: str = ""


class MemoryPlatform(GenericPlatform):
    """Answers every rule; files, variables and scripts are those of the machine it runs on."""

    def __init__(self, state_dir: Path, contents: Contents, *, os_name: str = "windows") -> None:
        super().__init__(os_name, state_dir)
        self.contents = contents

    @override
    def why_unanswerable(self, rule: Rule) -> str:
        """See `Platform.why_unanswerable`."""
        return self.contents.unanswerable.get(rule.type, "")

    @override
    def has_registry_key(self, key: RegistryKey) -> bool:
        """See `Platform.has_registry_key`."""
        self._fail_if_broken()
        return key in self.contents.registry

    @override
    def registry_value(self, key: RegistryKey, name: str) -> RegistryValue | None:
        """See `Platform.registry_value`."""
        self._fail_if_broken()
        return self.contents.registry.get(key, {}).get(name)

    @override
    def product_version(self, product_code: str) -> str | None:
        """See `Platform.product_version`."""
        self._fail_if_broken()
        return self.contents.products.get(product_code)

    @override
    def packages(self, name: str, manager: PackageManager) -> tuple[PackageFacts, ...]:
        """See `Platform.packages`."""
        self._fail_if_broken()
        found = self.contents.packages.get(name, ())
        return tuple(facts for facts in found if manager in {PackageManager.ANY, facts.manager})

    @override
    def process_names(self) -> frozenset[str]:
        """See `Platform.process_names`."""
        self._fail_if_broken()
        return self.contents.processes

    @override
    def script_interpreter(self, view: View = View.NATIVE) -> tuple[str, ...]:
        """See `Platform.script_interpreter`; a 32-bit script sees that it is one."""
        if view is View.BITS_32:
            return ("/usr/bin/env", "BITS=32", *super().script_interpreter())
        return super().script_interpreter()

    @override
    def why_untrusted(self, script: Path) -> str:
        """See `Platform.why_untrusted`."""
        return self.contents.untrusted if script.is_file() else f"there is no {script}"

    def _fail_if_broken(self) -> None:
        if self.contents.broken is not None:
            raise self.contents.broken
