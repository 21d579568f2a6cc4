"""The rows of the behaviour in few words of our own: all of B-20 to B-68 and the entries of 2.5, 2.7 and 2.8."""

from enum import IntEnum
from typing import Final

from contract import states
from contract.states import Applicability, EnforcementState

FLOW: Final = {
    "B-20": "at its start the agent notes S mode, content folders, device and OS, endpoints",
    "B-21": "requests carry proof of who asks (the original: a user's token; here: the device's own key)",
    "B-22": "without such proof nothing is processed",
    "B-23": "the request for policies and the reply with the whole policy",
    "B-24": "the policy gives commands, detection and requirements",
    "B-25": "assignments are looked for again and again, required and available",
    "B-26": "what makes a device look at once",
    "B-27": "how much is logged can be changed",
    "B-29": "checks, content, command, checks, compliance, report",
    "B-30": "name, id and intent of the app are found out first",
    "B-31": "dependencies come before what needs them",
    "B-32": "kinds of detection rules: MSI, file, registry, script; ours: package, process",
    "B-33": "what is there is neither downloaded nor installed",
    "B-34": "not detected: applicability, then further requirements",
    "B-35": "a broken detection rule ends the processing",
    "B-36": "a requirement that cannot be evaluated is an error of its own",
    "B-37": "a requirement that is not met says which one",
    "B-38": "a script's exit code counts for a requirement",
    "B-40": "content is asked for with a proof of its own",
    "B-41": "the reply names where the content lies",
    "B-42": "the person at the device is told that a download begins",
    "B-43": "the download's end notes time and bytes",
    "B-44": "bytes by source are counted",
    "B-45": "hash verified, decrypted, unzipped, staging cleaned",
    "B-46": "anti-virus meddling is noticed and named",
    "B-50": "the command runs in the machine's or the user's name",
    "B-51": "an MSI command line for the machine's context",
    "B-52": "a command that runs too long is ended and has failed",
    "B-53": "the exit code decides first",
    "B-54": "the policy's restart behaviour is heeded",
    "B-55": "detection after the command must agree",
    "B-56": "attempts, their interval, detection before each, content kept",
    "B-57": "content is removed after success only",
    "B-58": "after all attempts the GRS wait, and a way to end it",
    "B-59": "compliance from exit code and detection; caches cleaned",
    "B-60": "enforcement state and the notice of the result",
    "B-61": "the report is kept, sent, and ends the session",
    "B-62": "a session that ends, sleep or a lost network after the command",
    "B-63": "a log-off before or while a user's command runs",
    "B-64": "a failed available app waits for somebody to ask; a required one is tried again",
    "B-65": "errors of the agent itself have their code",
    "B-66": "the agent's own health is looked at",
    "B-67": "an app of the user's runs with that user's rights",
    "B-68": "deep folders, long and foreign names unzip",
}

EXIT_CODES: Final = {
    "2.7 default map": "0 and 1707 success, 3010 soft reboot, 1641 hard reboot, 1618 retry",
    "2.7 custom map": "codes of the app's own",
    "2.7 soft reboot": "other apps go on",
    "2.7 hard reboot": "no app is processed before the restart",
    "2.7 retry": "tried again after the interval",
    "2.7 unmapped": "an error with the HRESULT of the code, the raw code beside it",
    "2.7 exit success and not detected": "an error of its own",
    "2.7 timeout": "the whole tree is ended; a code of its own",
}

RULES: Final = {
    "2.8 all detection rules": "all must hold",
    "2.8 evaluated three times": "before, right before the command, after",
    "2.8 detection before applicability": "also for apps that are not applicable",
    "2.8 file exists": "a file or folder is there",
    "2.8 file doesNotExist": "works here, unlike in the original",
    "2.8 file version": "compared part by part as numbers",
    "2.8 file size": "whole MiB, rounded down",
    "2.8 file date": "modified and created, as date-times",
    "2.8 check32BitOn64System": "which program folder and registry view a rule means",
    "2.8 registry exists": "key or value is there",
    "2.8 registry doesNotExist": "key or value is not there",
    "2.8 registry string": "case does not matter",
    "2.8 registry integer": "text that is a number counts",
    "2.8 registry version": "compared part by part as numbers",
    "2.8 registry view": "the 32-bit and the 64-bit one",
    "2.8 MSI product code": "looked for in both views",
    "2.8 MSI version": "compared part by part as numbers",
    "2.8 version comparison": "parts as numbers, missing ones 0",
    "2.8 string comparison": "case does not matter",
    "2.8 script detection": "exit 0, something on stdout, nothing on stderr",
    "2.8 script 32-bit": "64-bit unless the rule says otherwise",
    "2.8 script time limit": "a script that runs too long is ended and tells nothing",
    "2.8 script file deleted": "nothing of it stays",
    "2.8 script signature": "an unsigned one is an error here, never 'not detected'",
    "2.8 script encoding": "PowerShell gets a byte order mark",
    "2.8 requirement script": "whole output, less its last line break, by type",
    "2.8 requirement script as the user": "may run in the user's name",
    "2.8 user-context app assigned to devices": "refused early with its own number",
    "2.8 assignment filter": "include, exclude, its language",
    "2.8 exclusion": "an excluded group wins",
}

BESIDES: Final = {
    "2.1 envelope": "the log's records, byte for byte",
    "2.1 rotation": "by size and count, names with the time",
    "2.6 ComplianceStateMessage": "its fields, names and numbers",
    "2.6 EnforcementStateMessage": "its fields, names and numbers",
    "2.6 GRS": "what it is kept under, and when it is over",
    "B-13": "notices are settled by app",
    "2.9 dependency": "the app that is needed comes first, without an assignment of its own",
    "2.9 detect-only child absent": "the app is not installed and says why",
    "2.9 dependency graph": "no circles, related apps in one graph, each device in its own order",
    "2.9 graph limit": "100 dependencies, 10 superseded apps",
    "2.9 supersedence": "update installs over the old app, replace removes it first",
    "2.9 conflicts of intent": "which of several intents for one app wins",
    "2.10 start time": "before it nothing is sent to the device",
    "2.10 local time": "times by the device's own clock",
    "2.10 restart grace": "how long a person may put a restart off",
    "2.10 countdown and snooze": "the last minutes before a restart",
    "2.10 earliest deadline": "of several restarts the earliest counts",
    "2.10 deadline": "when a command is run, in UTC or by the device's own clock",
    "C-11": "exit code and detection together",
    "C-12": "when caches are cleaned",
    "C-16": "Incoming, Staging, IMECache",
    "C-21": "processes as detection: ours",
    "Q-03": "how a new version is handled",
}


_APPLE: Final = "of iPhones and app stores, which are no devices here"
_MANAGED_INSTALLER: Final = "of AppLocker's managed installer, which only Intune's own agent can be"
_KIOSK: Final = "of Android's dedicated devices"
_ONE_AT_A_TIME: Final = (
    "a job under way is shown by its state, phase and what it waits for; a number is given at its end"
)

#: Rows that cannot come about here, and why.
NEVER: Final = {
    "B-66": "systemd, or Windows' service manager, restarts the agent; who is silent is shown as offline",
    "2.5 Applicability 1009": "an app that is not for the device takes nobody's place; the older one is planned alone",
    "2.5 Applicability 1012": "every check-in is the device's own; an app that cannot run for its user is 1011",
    "2.5 Applicability 2000": _KIOSK,
    "2.5 Applicability 2001": _KIOSK,
    "2.5 Applicability 2002": _KIOSK,
    "2.5 Applicability 2003": _KIOSK,
    "2.5 EnforcementState 1003": "a notice of the original's first set-up; every result is told at once here",
    "2.5 EnforcementState 1008": _APPLE,
    "2.5 EnforcementState 1009": _APPLE,
    "2.5 EnforcementState 1010": _APPLE,
    "2.5 EnforcementState 1015": "after an update nobody looks for the older app again; whether it stayed is not known",
    "2.5 EnforcementState 1017": _MANAGED_INSTALLER,
    "2.5 EnforcementState 2000": _ONE_AT_A_TIME,
    "2.5 EnforcementState 2008": f"{_ONE_AT_A_TIME}: `restart-pending`",
    "2.5 EnforcementState 2009": f"{_ONE_AT_A_TIME}: `window` or `deadline`",
    "2.5 EnforcementState 2011": "an uninstall that wants a restart has succeeded: 1011",
    "2.5 EnforcementState 2012": _MANAGED_INSTALLER,
    "2.5 EnforcementState 4000": "no report is made before its states are known",
    "2.5 EnforcementState 5015": _MANAGED_INSTALLER,
    "2.5 EnforcementState 6006": _APPLE,
    "2.5 EnforcementState 6007": _APPLE,
    "2.5 EnforcementState 6008": _APPLE,
    "2.5 EnforcementState 6011": "an app that nobody wants on the device is not looked for, so it takes nobody's place",
    "2.5 EnforcementState 6012": _MANAGED_INSTALLER,
}


def numbers() -> dict[str, str]:
    """The enumerations of 2.5, and each number of the two that say why and how far."""
    kinds = [kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, IntEnum)]
    kinds = [kind for kind in kinds if kind.__module__ == states.__name__]
    rows = {f"2.5 {kind.__name__}": str(kind.__doc__).partition(" (")[0].rstrip(".") for kind in kinds}
    for kind in (Applicability, EnforcementState):
        rows |= {f"2.5 {kind.__name__} {member.value}": _word(member) for member in kind}
    return rows | {"2.5 invalid detection rule 0x87D30004": "a rule that makes no sense has this code"}


def _word(member: IntEnum) -> str:
    return member.name.lower().replace("_", " ")


def sections() -> dict[str, dict[str, str]]:
    """All rows by the section they stand in."""
    return {
        "1.6 The flow": FLOW,
        "2.5 Numbers": numbers(),
        "2.7 Exit codes": EXIT_CODES,
        "2.8 Rules": RULES,
        "Others that tests name": BESIDES,
    }
