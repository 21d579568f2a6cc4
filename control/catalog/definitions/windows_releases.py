"""The names of Windows releases and the numbers a device compares (package 4.2)."""

_BUILDS = {
    "1607": 14393,
    "1703": 15063,
    "1709": 16299,
    "1803": 17134,
    "1809": 17763,
    "1903": 18362,
    "1909": 18363,
    "2004": 19041,
    "2H20": 19042,
    "21H1": 19043,
    "Windows10_21H2": 19044,
    "Windows10_22H2": 19045,
    "Windows11_21H2": 22000,
    "Windows11_22H2": 22621,
    "Windows11_23H2": 22631,
    "Windows11_24H2": 26100,
    "Windows11_25H2": 26200,
}
_NAMES = {build: name for name, build in _BUILDS.items()}

#: packagefactory's and IntuneWin32App's names that Graph spells in its own way.
_OTHER_NAMES = {"20H2": "2H20", "W10_20H2": "2H20", "W10_21H1": "21H1"}

#: Names before 21H2 stand alone in Graph; later ones carry the Windows they belong to.
_PREFIXES = {"W10_": "Windows10_", "W11_": "Windows11_"}

_WINDOWS = "10.0."


def release_number(name: str) -> str | None:
    """The version of that release, such as `10.0.17763` for 1809; None for an unknown name."""
    build = _BUILDS.get(name)
    return None if build is None else f"{_WINDOWS}{build}"


def release_name(number: str) -> str | None:
    """Graph's name of the release with that version; None where it has none."""
    build = number.removeprefix(_WINDOWS)
    return _NAMES.get(int(build)) if build.isdecimal() else None


def graph_release(name: str) -> str:
    """Graph's name for a release as other tools name it: `W10_1809` is 1809, `W11_22H2` is Windows11_22H2."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    for prefix, replacement in _PREFIXES.items():
        if name.startswith(prefix):
            bare = name.removeprefix(prefix)
            return bare if bare in _BUILDS else replacement + bare
    return name
