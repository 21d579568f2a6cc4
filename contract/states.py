"""Every enumeration of the app flow with its numbers (behaviour 2.5).

The numbers are facts that tools and people know by heart; they are stored, sent and shown as they are.
"""

from enum import IntEnum, StrEnum


class Intent(IntEnum):
    """What is wanted of an app on a device (behaviour 2.5, N-07)."""

    NOT_TARGETED = 0
    AVAILABLE = 1
    REQUIRED = 3
    UNINSTALL = 4


class TargetType(IntEnum):
    """Whom an assignment targets (behaviour 2.5, C-20)."""

    NONE = 0
    USER = 1
    DEVICE = 2
    BOTH = 3


class TargetingMethod(IntEnum):
    """Why an app is on the device's list (behaviour 2.5)."""

    TARGETED = 0
    DEPENDENCY = 1


class InstallContext(IntEnum):
    """In whose session the command runs (behaviour 2.5)."""

    USER = 1
    SYSTEM = 2


class DesiredState(IntEnum):
    """What the device is to converge to (behaviour 2.5)."""

    NONE = 0
    NOT_PRESENT = 1
    PRESENT = 2
    UNKNOWN = 3
    AVAILABLE = 4


class DetectionState(IntEnum):
    """What the detection rules said (behaviour 2.5)."""

    DETECTED = 1
    NOT_DETECTED = 2
    UNKNOWN = 3


class ComplianceState(IntEnum):
    """Whether the device is as desired (behaviour 2.5)."""

    INSTALLED = 1
    NOT_INSTALLED = 2
    ERROR = 4
    UNKNOWN = 5
    CLEANUP = 100


class NotificationLevel(IntEnum):
    """Which notices the person at the device sees; ToastState in the policy (behaviour 2.5)."""

    SHOW_ALL = 0
    SHOW_REBOOT = 1
    HIDE_ALL = 2


class DeviceRestartBehavior(IntEnum):
    """What may restart the device after an install (behaviour 2.5, L-10)."""

    BASED_ON_RETURN_CODE = 0
    ALLOW = 1
    SUPPRESS = 2
    FORCE = 3


class ReturnCodeType(IntEnum):
    """What an installer's exit code means (behaviour 2.5, 2.7)."""

    FAILED = 0
    SUCCESS = 1
    SOFT_REBOOT = 2
    HARD_REBOOT = 3
    RETRY = 4


class HealthPolicyType(IntEnum):
    """The kinds of health scripts (behaviour 2.5)."""

    REMEDIATION = 6
    CUSTOM_COMPLIANCE = 8


class DetectionRuleType(IntEnum):
    """The kinds of detection rules (behaviour 2.5)."""

    REGISTRY = 0
    MSI = 1
    FILE = 2
    SCRIPT = 3


class RegistryDetectionType(IntEnum):
    """What a registry rule looks at (behaviour 2.5)."""

    NOT_CONFIGURED = 0
    EXISTS = 1
    DOES_NOT_EXIST = 2
    STRING = 3
    INTEGER = 4
    VERSION = 5


class FileDetectionType(IntEnum):
    """What a file rule looks at (behaviour 2.5)."""

    NOT_CONFIGURED = 0
    EXISTS = 1
    MODIFIED_DATE = 2
    CREATED_DATE = 3
    VERSION = 4
    SIZE_IN_MB = 5
    DOES_NOT_EXIST = 6


class RuleOperator(IntEnum):
    """How a rule compares (behaviour 2.5; 6 and 7 are not used)."""

    NONE = 0
    EQUAL = 1
    NOT_EQUAL = 2
    GREATER_THAN = 4
    GREATER_OR_EQUAL = 5
    LESS_THAN = 8
    LESS_OR_EQUAL = 9


class Applicability(IntEnum):
    """Whether an app can be installed on a device, and which requirement says no (behaviour 2.5)."""

    APPLICABLE = 0
    REQUIREMENTS_NOT_MET = 1
    HOST_PLATFORM_NOT_APPLICABLE = 3
    PROCESSOR_ARCHITECTURE_NOT_APPLICABLE = 1000
    FREE_DISK_SPACE_NOT_MET = 1001
    OS_VERSION_NOT_MET = 1002
    MEMORY_NOT_MET = 1003
    LOGICAL_PROCESSORS_NOT_MET = 1004
    CPU_SPEED_NOT_MET = 1005
    FILE_RULE_NOT_MET = 1006
    REGISTRY_RULE_NOT_MET = 1007
    SCRIPT_RULE_NOT_MET = 1008
    SUPERSEDING_APPS_NOT_APPLICABLE = 1009
    ASSIGNMENT_FILTER_NOT_MET = 1010
    USER_CONTEXT_UNSUPPORTED = 1011
    USER_CONTEXT_IN_DEVICE_CHECK_IN = 1012
    COSU_2000 = 2000
    COSU_2001 = 2001
    COSU_2002 = 2002
    COSU_2003 = 2003


class EnforcementBand(IntEnum):
    """The thousands of an enforcement state (behaviour 2.5)."""

    SUCCESS = 1
    IN_PROGRESS = 2
    REQUIREMENTS = 3
    UNKNOWN = 4
    ERROR = 5
    NOT_ATTEMPTED = 6


class EnforcementState(IntEnum):
    """What came of bringing an app to its desired state (behaviour 2.5)."""

    SUCCESS = 1000
    SUCCESS_FAST_NOTIFY = 1003
    SUCCESS_BUT_DEPENDENCY_FAILED_TO_INSTALL = 1004
    SUCCESS_BUT_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET = 1005
    SUCCESS_BUT_DEPENDENCY_PENDING_REBOOT = 1006
    SUCCESS_BUT_DEPENDENCY_WITH_AUTO_INSTALL_OFF = 1007
    SUCCESS_BUT_IOS_UPDATE_FAILED = 1008
    SUCCESS_VPP_UPDATE = 1009
    SUCCESS_USER_REJECTED_UPDATE = 1010
    SUCCESS_UNINSTALL_PENDING_REBOOT = 1011
    SUCCESS_SUPERSEDED_APP_UNINSTALL_FAILED = 1012
    SUCCESS_SUPERSEDED_APP_UNINSTALL_PENDING_REBOOT = 1013
    SUCCESS_SUPERSEDING_APPS_DETECTED = 1014
    SUCCESS_SUPERSEDED_APPS_DETECTED = 1015
    SUCCESS_APP_REMOVED_BY_SUPERSEDENCE = 1016
    SUCCESS_DEPENDENCY_BLOCKED_BY_MANAGED_INSTALLER = 1017
    SUCCESS_UNINSTALLING_SUPERSEDED_APPS = 1018
    IN_PROGRESS = 2000
    IN_PROGRESS_DEPENDENCY_INSTALLING = 2007
    IN_PROGRESS_PENDING_REBOOT = 2008
    IN_PROGRESS_DOWNLOAD_COMPLETED = 2009
    IN_PROGRESS_PENDING_UNINSTALL_OF_SUPERSEDED_APPS = 2010
    IN_PROGRESS_UNINSTALL_PENDING_REBOOT = 2011
    IN_PROGRESS_PENDING_MANAGED_INSTALLER = 2012
    REQUIREMENTS_NOT_MET = 3000
    UNKNOWN = 4000
    ERROR = 5000
    ERROR_DOWNLOADING_CONTENT = 5003
    ERROR_CONFLICTS_PREVENT_INSTALLATION = 5006
    ERROR_MANAGED_INSTALLER_APPLOCKER_POLICY_NOT_APPLIED = 5015
    ERROR_WITH_IMMEDIATE_RETRY = 5999
    NOT_ATTEMPTED = 6000
    NOT_ATTEMPTED_DEPENDENCY_WITH_FAILURE = 6001
    NOT_ATTEMPTED_PENDING_REBOOT = 6002
    NOT_ATTEMPTED_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET = 6003
    NOT_ATTEMPTED_AUTO_INSTALL_OFF = 6004
    NOT_ATTEMPTED_DEPENDENCY_WITH_AUTO_INSTALL_OFF = 6005
    NOT_ATTEMPTED_MANAGED_APP_NO_LONGER_PRESENT = 6006
    NOT_ATTEMPTED_USER_REJECTED_INSTALL = 6007
    NOT_ATTEMPTED_USER_NOT_LOGGED_INTO_APP_STORE = 6008
    NOT_ATTEMPTED_SUPERSEDED_APP_UNINSTALL_FAILED = 6009
    NOT_ATTEMPTED_SUPERSEDED_APP_UNINSTALL_PENDING_REBOOT = 6010
    NOT_ATTEMPTED_UNTARGETED_SUPERSEDING_APPS_DETECTED = 6011
    NOT_ATTEMPTED_DEPENDENCY_BLOCKED_BY_MANAGED_INSTALLER = 6012
    NOT_ATTEMPTED_UNSUPPORTED_OR_INDETERMINATE_SUPERSEDED_APP = 6013

    @property
    def band(self) -> EnforcementBand:
        """Success, in progress, requirements, unknown, error or not attempted."""
        return EnforcementBand(self.value // 1000)


class ResultantAppState(IntEnum):
    """The operator's word for an app on a device (behaviour 2.5)."""

    NOT_APPLICABLE = -1
    INSTALLED = 1
    FAILED = 2
    NOT_INSTALLED = 3
    UNINSTALL_FAILED = 4
    PENDING_INSTALL = 5
    UNKNOWN = 99


class ResultantAppStateDetail(IntEnum):
    """The reason beside the operator's word (behaviour 2.5)."""

    NONE = 0
    DEPENDENCY_FAILED_TO_INSTALL = 1
    DEPENDENCY_WITH_REQUIREMENTS_NOT_MET = 2
    DEPENDENCY_PENDING_REBOOT = 3
    DEPENDENCY_WITH_AUTO_INSTALL_OFF = 4
    SUPERSEDED_APP_UNINSTALL_FAILED = 5
    SUPERSEDED_APP_UNINSTALL_PENDING_REBOOT = 6
    REMOVING_SUPERSEDED_APPS = 7
    IOS_UPDATE_FAILED = 1000
    VPP_UPDATE = 1001
    USER_REJECTED_UPDATE = 1002
    UNINSTALL_PENDING_REBOOT = 1003
    SUPERSEDING_APPS_DETECTED = 1004
    SUPERSEDED_APPS_DETECTED = 1005
    SEE_INSTALL_ERROR_CODE = 2000
    AUTO_INSTALL_DISABLED = 3000
    MANAGED_APP_NO_LONGER_PRESENT = 3001
    USER_REJECTED_INSTALL = 3002
    USER_NOT_LOGGED_INTO_APP_STORE = 3003
    UNTARGETED_SUPERSEDING_APPS_DETECTED = 3004
    APP_REMOVED_BY_SUPERSEDENCE = 3005
    SEE_UNINSTALL_ERROR_CODE = 4000
    PENDING_REBOOT = 5000
    INSTALLING_DEPENDENCIES = 5001
    CONTENT_DOWNLOADED = 5002
    PROCESSOR_ARCHITECTURE_NOT_APPLICABLE = -1000
    FREE_DISK_SPACE_NOT_MET = -1001
    OS_VERSION_NOT_MET = -1002
    MEMORY_NOT_MET = -1003
    LOGICAL_PROCESSORS_NOT_MET = -1004
    CPU_SPEED_NOT_MET = -1005
    PLATFORM_NOT_APPLICABLE = -1006
    FILE_RULE_NOT_MET = -1011
    REGISTRY_RULE_NOT_MET = -1012
    SCRIPT_RULE_NOT_MET = -1013
    SUPERSEDING_APPS_NOT_APPLICABLE = -1016


class EspPhase(IntEnum):
    """Where the device is in its first set-up (behaviour 2.5; the source names the phases, not their numbers)."""

    NOT_IN_ESP = 0
    DEVICE_PREPARATION = 1
    DEVICE_SETUP = 2
    ACCOUNT_SETUP = 3


class EspInstallationState(IntEnum):
    """An app's state during first set-up (behaviour 2.5)."""

    NOT_INSTALLED = 1
    IN_PROGRESS = 2
    COMPLETED = 3
    ERROR = 4


class AppInstallStatus(IntEnum):
    """What the status service tells the person at the device (behaviour 2.5); 2xxx means not applicable."""

    INSTALLED = 1000
    INSTALLING = 1001
    NOT_APPLICABLE = 2000
    FAILED = 3000


class ReportingClassification(IntEnum):
    """How a relation touched an app (behaviour 2.5)."""

    BLOCKED = 1
    ENFORCE = 2
    SUPERSEDED = 3


class ConflictReason(IntEnum):
    """Why a relation blocked an app (behaviour 2.5; not a full list)."""

    NONE = 0
    DEPENDENCY_NOT_AUTO_INSTALLED = 2


class RemediationStatus(IntEnum):
    """What the registry keeps of a remediation (behaviour 2.5)."""

    FIXED = 1
    RECURRED = 2
    REMEDIATION_FAILED = 3
    WITHOUT_ISSUES = 4


class RemediationResult(IntEnum):
    """What a remediation uploads (behaviour 2.5)."""

    NO_ISSUE = 3
    ISSUE_FOUND = 4
    DETECTION_SCRIPT_FAILED = 5


class Outcome(StrEnum):
    """How an attempt ended, in one word that an operator can act on."""

    INSTALLED = "installed"
    ALREADY_INSTALLED = "already-installed"
    UNINSTALLED = "uninstalled"
    ALREADY_ABSENT = "already-absent"
    NOT_APPLICABLE = "not-applicable"
    REQUIREMENTS_NOT_MET = "requirements-not-met"
    FAILED = "failed"
    #: The app is not there and could be installed; the job was to look, not to install.
    EVALUATED = "evaluated"
    #: An operator cancelled it before it had a result.
    CANCELLED = "cancelled"

    @property
    def as_desired(self) -> bool:
        """Whether the device is now as the assignment wants it."""
        return self in _AS_DESIRED


_AS_DESIRED = frozenset({Outcome.INSTALLED, Outcome.ALREADY_INSTALLED, Outcome.UNINSTALLED, Outcome.ALREADY_ABSENT})
