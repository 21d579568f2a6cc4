"""Where the embedded store keeps its files, and the text of its configuration."""

from pathlib import Path
from string import Template

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.files import write_private

#: Swift's account and user; S3 clients see them joined as the access key.
_ACCOUNT = "outrider"
_USER = "control"
ACCESS_KEY = f"{_ACCOUNT}:{_USER}"

#: The name of the one disk in the rings and below `devices`.
DEVICE = "disk"
#: 2 to this power folders spread the objects of the one disk; fixed once data is there.
PART_POWER = 8
BACKENDS = ("account", "container", "object")
PROXY = "proxy"

_SWIFT = """\
[swift-hash]
swift_hash_path_suffix = $hash_suffix

[storage-policy:0]
name = local
default = yes
"""

_COMMON = """\
[DEFAULT]
swift_dir = $folder
devices = $folder/devices
bind_ip = $host
user = $user
workers = 0
mount_check = false
disable_fallocate = true
log_level = WARNING
log_custom_handlers = deploy.local.swift.logs.to_stderr
"""

# Devices check each byte of what they fetch against a signed digest. One download in ten is checked here, too, so that
# content which rots on the disk is set aside, and the next upload of its package puts it right.
_BACKEND = (
    _COMMON
    + """
[pipeline:main]
pipeline = $kind-server

[app:$kind-server]
use = egg:swift#$kind
recon_cache_path = $folder/recon
container_update_timeout = 10
log_requests = false
etag_validate_pct = 10
"""
)

# `slo` carries S3's multipart uploads; `catch_errors` and `gatekeeper` must come first. There is no
# `proxy-logging`: its line for each request would be below our level of logs, and costs a twelfth of an answer.
# Accounts and containers change through this process alone, which then forgets what it kept of them: it holds for long,
# for once it is over all who download at that moment ask.
_PROXY = (
    _COMMON
    + """
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck memory listing_formats s3api tempauth slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = false
recheck_account_existence = 3600
recheck_container_existence = 3600
conn_timeout = 5
node_timeout = 30

[filter:tempauth]
use = egg:swift#tempauth
user_${account}_${user_name} = $secret_key .admin

[filter:s3api]
use = egg:swift#s3api
location = $region
dns_compliant_bucket_names = true

[filter:slo]
use = egg:swift#slo
rate_limit_after_segment = 1000

[filter:memory]
paste.filter_factory = deploy.local.swift.cache:filter_factory

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:gatekeeper]
use = egg:swift#gatekeeper

[filter:healthcheck]
use = egg:swift#healthcheck

[filter:listing_formats]
use = egg:swift#listing_formats
"""
)


class SwiftSettings(BaseModel):
    """What one embedded store needs to know.

    Attributes:
        folder: Holds its configuration, rings and data.
        host: The address to listen on.
        port: Where the S3 API answers; the inner servers take free ports of their own.
        user: The operating system's user it runs as.
        region: What requests must be signed for.
        secret_key: The one user's key; its access key is `ACCESS_KEY`.
        hash_suffix: Random text mixed into all path hashes; fixed once data is there.
    """

    model_config = ConfigDict(frozen=True)

    folder: Path
    host: str
    port: int
    user: str
    region: str
    secret_key: str = Field(repr=False)
    hash_suffix: str = Field(repr=False)


def write_configuration(settings: SwiftSettings) -> None:
    """Write all of Swift's configuration files; they hold the key, so only the owner may read them."""
    values = {
        **{name: str(value) for name, value in settings},
        "account": _ACCOUNT,
        "user_name": _USER,
    }
    texts = {"swift.conf": _SWIFT, conf_name(PROXY): _PROXY}
    settings.folder.mkdir(parents=True, exist_ok=True)
    (settings.folder / "devices" / DEVICE).mkdir(parents=True, exist_ok=True)
    (settings.folder / "recon").mkdir(exist_ok=True)
    for name, text in texts.items():
        write_private(settings.folder / name, Template(text).substitute(values))
    for kind in BACKENDS:
        write_private(settings.folder / conf_name(kind), Template(_BACKEND).substitute(values, kind=kind))


def conf_name(kind: str) -> str:
    """The configuration file of one of the four servers."""
    return f"{kind}-server.conf"
