"""What Graph says about the fields of win32LobApp (package 4.1 to 4.7): types, values, versions."""

APP_TYPE = "#microsoft.graph.win32LobApp"

BOOLEANS = frozenset(
    {
        "isFeatured",
        "check32BitOn64System",
        "enforceSignatureCheck",
        "runAs32Bit",
        "requiresReboot",
        "requiresLogon",
        "allowAvailableUninstall",
        "useLocalTime",
        "isAssigned",
    }
)

#: Flags of minimumSupportedOperatingSystem start like this.
RELEASE_FLAG_PREFIX = "v"

INTEGERS = frozenset(
    {
        "returnCode",
        "minimumFreeDiskSpaceInMB",
        "minimumMemoryInMB",
        "minimumNumberOfProcessors",
        "minimumCpuSpeedInMHz",
        "maxRunTimeInMinutes",
        "gracePeriodInMinutes",
        "countdownDisplayBeforeRestartInMinutes",
        "restartNotificationSnoozeDurationInMinutes",
        "countdownMinutes",
        "minutesBetweenDeferrals",
        "numberOfDeferrals",
        "maximumRetries",
        "retryIntervalInMinutes",
    }
)

_OPERATORS = (
    "notConfigured",
    "equal",
    "notEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "lessThan",
    "lessThanOrEqual",
)
_OPERATIONS = (
    "notConfigured",
    "exists",
    "doesNotExist",
    "modifiedDate",
    "createdDate",
    "version",
    "sizeInMB",
    "sizeInBytes",
    "appVersion",
    "string",
    "integer",
    "dateTime",
    "float",
    "boolean",
)

#: Enumerations by field; capitals occur in the wild.
VALUES: dict[str, tuple[str, ...]] = {
    "operator": _OPERATORS,
    "productVersionOperator": _OPERATORS,
    "operationType": _OPERATIONS,
    "detectionType": _OPERATIONS,
    "ruleType": ("detection", "requirement"),
    "runAsAccount": ("system", "user"),
    "deviceRestartBehavior": ("basedOnReturnCode", "allow", "suppress", "force"),
    "packageType": ("perMachine", "perUser", "dualPurpose"),
    "intent": ("available", "required", "uninstall", "availableWithoutEnrollment"),
    "notifications": ("showAll", "showReboot", "hideAll"),
    "deliveryOptimizationPriority": ("notConfigured", "foreground"),
    "deviceAndAppManagementAssignmentFilterType": ("none", "include", "exclude"),
    "dependencyType": ("autoInstall", "detect"),
    "supersedenceType": ("update", "replace"),
    "autoUpdateSupersededAppsState": ("notConfigured", "enabled"),
    "source": ("direct", "policySets"),
}

#: The same for `type` inside returnCodes; elsewhere `type` is free text.
RETURN_CODE_TYPES = ("failed", "success", "softReboot", "hardReboot", "retry")

#: Fields that hold text, and those that hold one object or a list of them; any other may hold anything.
TEXTS = frozenset(
    {
        "displayName",
        "displayVersion",
        "publisher",
        "description",
        "installCommandLine",
        "uninstallCommandLine",
        "setupFilePath",
        "fileName",
        "minimumSupportedWindowsRelease",
        "path",
        "fileOrFolderName",
        "keyPath",
        "valueName",
        "productCode",
        "productVersion",
        "comparisonValue",
        "detectionValue",
        "scriptContent",
    }
)
OBJECTS = frozenset(
    {"installExperience", "largeIcon", "msiInformation", "minimumSupportedOperatingSystem", "target", "settings"}
)
OBJECT_LISTS = frozenset({"returnCodes", "assignments", "relationships", "categories"})

#: Lists in one string, such as `x86, x64`.
LISTS = frozenset({"applicableArchitectures", "allowedArchitectures"})

#: Fields that only Graph sets.
READ_ONLY = frozenset(
    {
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "publishingState",
        "size",
        "committedContentVersion",
        "uploadState",
        "isAssigned",
        "dependentAppCount",
        "supersedingAppCount",
        "supersededAppCount",
    }
)

#: Fields that version 1.0 of Graph does not know.
BETA_ONLY = frozenset(
    {
        "roleScopeTagIds",
        "minimumSupportedOperatingSystem",
        "detectionRules",
        "requirementRules",
        "displayVersion",
        "allowAvailableUninstall",
        "activeInstallScript",
        "activeUninstallScript",
        "uploadState",
        "isAssigned",
        "dependentAppCount",
        "supersedingAppCount",
        "supersededAppCount",
        "runAs32Bit",
        "installLanguage",
    }
)

#: The fields of installExperience that version 1.0 of Graph knows.
V1_INSTALL_EXPERIENCE = frozenset({"@odata.type", "runAsAccount", "deviceRestartBehavior"})

#: What tells an app that states no type.
APP_MARKS = frozenset({"installCommandLine", "uninstallCommandLine", "setupFilePath", "detectionRules"})
