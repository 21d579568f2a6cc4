"""The table of secrets."""

from collections.abc import Iterable

from rich.table import Table

from contract.printable import printable
from control.cli.tables import plain_table
from control.cli.words import time_word
from control.views.secrets import SecretView


def secret_table(secrets: Iterable[SecretView]) -> Table:
    """Secrets, without their values."""
    table = plain_table("name", "version", "made", "changed", "asked for by")
    for secret in secrets:
        apps = printable(", ".join(secret.used_by))
        times = (time_word(secret.created_at), time_word(secret.changed_at))
        table.add_row(printable(secret.name), str(secret.version), *times, apps)
    return table
