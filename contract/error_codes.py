"""The table of errors: one code, one meaning, one phase (behaviour 1.9, settled by 1.12; part 3 row 3).

Codes of the original keep their numbers. What the original lumps together under one number has a number of its own
here, from `OWN_CODES` up. Errors that never reach a device's report have no number, only their name.
"""

from enum import Enum

from contract.phases import Phase

#: Numbers from here on are this project's; the original uses none of them.
OWN_CODES = 0x87D3E000

#: HRESULT_FROM_WIN32: facility 7, severity error (behaviour 2.7).
_WIN32_FACILITY = 0x80070000
_WIN32_CODE_MASK = 0xFFFF
_SIGN_BIT = 1 << 31
_WORD = 1 << 32


class ErrorCode(Enum):
    """Every error the system reports.

    Attributes:
        number: The unsigned 32-bit code, or None where no device reports it.
        phase: The phase it belongs to; None where any phase can meet it, or where no job is involved.
        sentence: What happened.
        hint: What to do about it.
        retry_helps: Whether doing the same again can succeed.
    """

    # --- retrieving metadata ---------------------------------------------------------------------------------------
    CONTENT_INFO_FAILED = (
        0x87D30065,
        Phase.DOWNLOAD,
        "The content information of the app could not be retrieved.",
        "Check that the device reaches the control plane and that the revision's content is still published.",
        True,
    )
    POLICY_UNAVAILABLE = (
        OWN_CODES + 0x01,
        Phase.METADATA,
        "The policy of the app could not be retrieved.",
        "Check that the device reaches the control plane; the phase is tried again by itself.",
        True,
    )
    POLICY_UNTRUSTED = (
        OWN_CODES + 0x02,
        Phase.METADATA,
        "The policy is not signed by a key this device trusts.",
        "Its key is unknown or was revoked. Compare it with `outrider-control keys show`; someone may be tampering.",
        False,
    )
    POLICY_EXPIRED = (
        OWN_CODES + 0x03,
        Phase.METADATA,
        "The policy has expired.",
        "Check the device's clock and that the control plane signs fresh policies.",
        True,
    )
    POLICY_ROLLED_BACK = (
        OWN_CODES + 0x04,
        Phase.METADATA,
        "The policy is older than one this device has already seen for the app.",
        "To go back to older content, publish it as a new revision.",
        False,
    )
    POLICY_MISMATCH = (
        OWN_CODES + 0x05,
        Phase.METADATA,
        "The policy is not the one this job asks for.",
        "Someone may be tampering. The control plane answered with the policy of another job.",
        False,
    )
    POLICY_UNSIGNED = (
        OWN_CODES + 0x06,
        Phase.METADATA,
        "The policy is not signed.",
        "Someone may be tampering. The control plane signs every policy; look at what stands on its way.",
        False,
    )
    POLICY_TAMPERED = (
        OWN_CODES + 0x07,
        Phase.METADATA,
        "The policy is not what its key signed.",
        "Someone may be tampering. The policy was changed after it was signed; look at what stands on its way.",
        False,
    )
    TRUSTED_KEYS_EXPIRED = (
        OWN_CODES + 0x08,
        Phase.METADATA,
        "The list of trusted keys that this device knows has expired.",
        "Check the device's clock; sign a newer list with `outrider-control keys renew`.",
        True,
    )
    TRUSTED_KEYS_REFUSED = (
        OWN_CODES + 0x09,
        Phase.METADATA,
        "The list of trusted keys is not signed by the root keys, or is not the next one.",
        "Someone may be tampering. Compare the control plane's root keys with those the device enrolled with.",
        False,
    )

    # --- judging ---------------------------------------------------------------------------------------------------
    RULE_EVALUATION_FAILED = (
        0x87D30000,
        None,
        "A rule could not be evaluated.",
        "Correct the rule named here; a broken rule never counts as 'not detected'.",
        True,
    )
    DETECTION_RULE_INVALID = (
        0x87D30004,
        Phase.DETECT,
        "The detection rule is invalid or cannot be parsed.",
        "Correct the detection rule and publish a new revision.",
        False,
    )

    # --- content ---------------------------------------------------------------------------------------------------
    DOWNLOAD_FAILED = (
        0x87D30068,
        Phase.DOWNLOAD,
        "The content could not be downloaded.",
        "Check that the device reaches the content store; the download resumes where it stopped.",
        True,
    )
    DOWNLOAD_TIMEOUT = (
        0x87D3006A,
        Phase.DOWNLOAD,
        "The content store did not answer in time.",
        "Check proxy, firewall and the store's load; the download resumes where it stopped.",
        True,
    )
    DISK_EXHAUSTED = (
        0x8007013A,
        Phase.DOWNLOAD,
        "The disk has no room for the content.",
        "Free disk space; set a minimum free disk space as requirement.",
        True,
    )
    UNZIP_FAILED = (
        0x87D30067,
        Phase.UNPACK,
        "The content could not be unzipped.",
        "Look for names this system cannot hold or paths that are too long, and package again.",
        False,
    )
    CONTENT_CORRUPT = (
        OWN_CODES + 0x10,
        Phase.UNPACK,
        "The content failed its integrity check.",
        "What was downloaded is not what was published; it has been deleted and is fetched again.",
        True,
    )
    CONTENT_KEY_REFUSED = (
        OWN_CODES + 0x11,
        Phase.DOWNLOAD,
        "The content key could not be opened with this device's key.",
        "Enrol the device again if its keys were replaced.",
        False,
    )
    CONTENT_VANISHED = (
        OWN_CODES + 0x12,
        Phase.INSTALL,
        "Files of the unpacked content are missing or changed.",
        "Security software may have removed them: exclude the agent's content folders. The content is fetched again.",
        True,
    )

    # --- installing ------------------------------------------------------------------------------------------------
    INSTALLER_FAILED = (
        0x80070000,
        Phase.INSTALL,
        "The installer ended with an exit code that means failure.",
        "Look the raw exit code up in the installer's own documentation and read the end of its output.",
        True,
    )
    INSTALLER_INCORRECT_FUNCTION = (
        0x80070001,
        Phase.INSTALL,
        "The installer ended with exit code 1 (ERROR_INVALID_FUNCTION).",
        "Most installers use 1 for 'something failed': read the end of its output.",
        True,
    )
    INSTALLER_FILE_NOT_FOUND = (
        0x80070002,
        Phase.INSTALL,
        "The installer ended with exit code 2 (ERROR_FILE_NOT_FOUND).",
        "Check the names in the command line and whether security software removes files of the package.",
        True,
    )
    INSTALLER_EXIT_4 = (
        0x80070004,
        Phase.INSTALL,
        "The installer ended with exit code 4.",
        "The meaning of 4 is the installer's own: read the end of its output.",
        True,
    )
    INSTALLER_ACCESS_DENIED = (
        0x80070005,
        Phase.INSTALL,
        "The installer was denied access (ERROR_ACCESS_DENIED).",
        "A user-context app may need rights the user does not have; deploy it in system context.",
        True,
    )
    INSTALLER_EXIT_619 = (
        0x8007026B,
        Phase.INSTALL,
        "The installer ended with exit code 619.",
        "The meaning of 619 is the installer's own: read the end of its output.",
        True,
    )
    INSTALLER_SCRIPT_ERROR = (
        0x8007EA61,
        Phase.INSTALL,
        "The installer ended with exit code 60001: its deployment script failed (PSAppDeployToolkit).",
        "Read the deployment script's own log.",
        True,
    )
    INSTALLER_SCRIPT_NOT_LOADED = (
        0x8007EA68,
        Phase.INSTALL,
        "The installer ended with exit code 60008: its main script could not be loaded (PSAppDeployToolkit).",
        "Check that the package holds the whole toolkit folder.",
        True,
    )
    INSTALLER_NOT_STARTED = (
        OWN_CODES + 0x20,
        Phase.INSTALL,
        "The install command could not be started.",
        "Check the command line: the program must be in the package, in the search path, or given with its full path.",
        False,
    )
    INSTALLER_TIMEOUT = (
        OWN_CODES + 0x21,
        Phase.INSTALL,
        "The installer ran longer than allowed and was ended with all its processes.",
        "It may be waiting for input; use its silent switches or raise the time limit.",
        True,
    )
    INSTALLER_INTERRUPTED = (
        OWN_CODES + 0x22,
        Phase.INSTALL,
        "The installer was cut off together with the device or the agent.",
        "Nothing to do: detection judges what it left, and the next attempt starts by itself.",
        True,
    )
    INSTALLER_BUSY = (
        OWN_CODES + 0x23,
        Phase.INSTALL,
        "The installer asked to be run again later.",
        "Another installation is in progress on the device; the next attempt starts by itself.",
        True,
    )
    INSTALLER_STOPPED = (
        OWN_CODES + 0x24,
        Phase.INSTALL,
        "An operator stopped the job; the installer was ended with all its processes.",
        "What it left is unknown. Send the job anew when the app is wanted.",
        False,
    )
    SECRET_UNAVAILABLE = (
        OWN_CODES + 0x25,
        Phase.INSTALL,
        "A secret that the command needs could not be given to it.",
        "Check with `outrider secret list` that the secret is there, and that the device reaches the control plane.",
        True,
    )
    SECRET_REFUSED = (
        OWN_CODES + 0x26,
        Phase.INSTALL,
        "A secret could not be opened with this device's key.",
        "Enrol the device again if its keys were replaced.",
        False,
    )
    UNMONITORED_PROCESS = (
        0x87D300C9,
        Phase.INSTALL,
        "An unmonitored process is in progress and may time out.",
        "Have the installer wait for the processes it starts.",
        True,
    )
    CLIENT_ERROR = (
        0x87D300CA,
        None,
        "The agent itself failed.",
        "Read the agent's log on the device; please report what you find.",
        True,
    )
    USER_LOGGED_OFF = (
        0x87D300CD,
        Phase.INSTALL,
        "The user logged off while the app was being processed.",
        "Nothing to do: the app is processed again after the next log-on.",
        True,
    )

    # --- judging the result ----------------------------------------------------------------------------------------
    NOT_DETECTED_AFTER_INSTALL = (
        0x87D1041C,
        Phase.CONFIRM,
        "The installer reported success but the app is not detected.",
        "Compare the detection rules with what the installer really leaves behind.",
        True,
    )
    STILL_DETECTED_AFTER_UNINSTALL = (
        OWN_CODES + 0x30,
        Phase.CONFIRM,
        "The uninstaller reported success but the app is still detected.",
        "Compare the detection rules with what the uninstaller really removes.",
        True,
    )
    SESSION_CHANGED = (
        OWN_CODES + 0x31,
        Phase.COMPLIANCE,
        "The user's session changed while the result was being set.",
        "Nothing to do: the app is judged again at the next evaluation.",
        True,
    )
    REPORT_UNDELIVERED = (
        OWN_CODES + 0x32,
        Phase.REPORT,
        "The report could not be delivered yet.",
        "Nothing to do: it waits in the device's outbox until the control plane has it.",
        True,
    )
    TOKEN_UNAVAILABLE = (
        0xCAA10001,
        Phase.POLL,
        "No sign-in token could be had without the user.",
        "Have the user sign in; device-targeted apps do not need it.",
        True,
    )

    # --- documents and trust ---------------------------------------------------------------------------------------
    DOCUMENT_INVALID = (None, None, "The document is not valid.", "Correct the field named here and try again.", False)
    LEDGER_UNAVAILABLE = (
        None,
        None,
        "The device's ledger cannot be read or written now.",
        "Free disk space, and check the rights of the state folder and who else holds the file.",
        True,
    )
    LEDGER_CORRUPT = (
        None,
        None,
        "The device's ledger is damaged.",
        "Stop the agent, move the file away and start it again: the control plane sends anew what is due.",
        False,
    )
    DOCUMENT_TOO_NEW = (
        None,
        None,
        "The document is written in a newer schema than this side knows.",
        "Update this side first.",
        False,
    )
    SIGNER_UNAVAILABLE = (
        None,
        None,
        "The policy signer does not answer, or holds none of the keys that devices trust.",
        "Check OUTRIDER_POLICY_SIGNER_COMMAND and what it reaches; compare its keys with `outrider-control keys show`.",
        True,
    )
    NO_TRUSTED_KEYS = (
        None,
        None,
        "The control plane has no list of trusted keys yet.",
        "Run `outrider-control init`.",
        False,
    )
    KEY_CHANGE_INVALID = (
        None,
        None,
        "The trusted keys cannot be changed like this.",
        "Look at `outrider-control keys show` and name keys that are in use.",
        False,
    )
    SEAL_BROKEN = (
        None,
        None,
        "A sealed value could not be opened.",
        "It was sealed for another key or was changed.",
        False,
    )

    # --- packages --------------------------------------------------------------------------------------------------
    PACKAGE_NOT_A_PACKAGE = (
        None,
        None,
        "This is not an .intunewin package.",
        "Build one with `outrider package build SOURCE --setup FILE --output DIR`.",
        False,
    )
    PACKAGE_CORRUPT = (
        None,
        None,
        "The package is damaged: its content does not match its own metadata.",
        "Build it again from its source, or copy it again from where it came.",
        False,
    )
    PACKAGE_UNSAFE = (
        None,
        None,
        "The package holds something that could harm the machine it is unpacked on.",
        "Do not use it; find out who made it.",
        False,
    )
    PACKAGE_SOURCE_MISSING = (
        None,
        None,
        "The source folder or the setup file is not there.",
        "Check both paths; the setup file must lie inside the source folder.",
        False,
    )
    PACKAGE_SOURCE_UNUSABLE = (
        None,
        None,
        "The source folder holds something that a package cannot hold.",
        "Remove or rename it, or leave it out with a line in .outriderignore.",
        False,
    )
    PACKAGE_SOURCE_CHANGED = (
        None,
        None,
        "A file changed or vanished while it was being packed.",
        "Close the programs that write to the source folder and build again.",
        True,
    )
    PACKAGE_WRITE_FAILED = (
        None,
        None,
        "The output could not be written.",
        "Check the free space and the rights of the output folder.",
        True,
    )

    # --- operating -------------------------------------------------------------------------------------------------
    UNKNOWN_APP = (None, None, "There is no such app.", "List the apps with `outrider app list`.", False)
    APP_NOT_AVAILABLE = (
        None,
        None,
        "This device is not offered such an app.",
        "`outrider-agent apps` lists those that it is offered; an operator assigns more of them as available.",
        False,
    )
    APP_NOT_REQUESTED = (
        None,
        None,
        "The app was not installed because somebody at this device asked for it.",
        "Only what was asked for with `outrider-agent install` can be uninstalled here; ask an operator.",
        False,
    )
    UNKNOWN_GROUP = (None, None, "There is no such group.", "List the groups with `outrider group list`.", False)
    UNKNOWN_DEVICE = (None, None, "There is no such device.", "List the devices with `outrider device list`.", False)
    UNKNOWN_FILTER = (None, None, "There is no such filter.", "List the filters with `outrider filter list`.", False)
    UNKNOWN_ASSIGNMENT = (
        None,
        None,
        "The app is not assigned to this group.",
        "List the assignments with `outrider assignment list`.",
        False,
    )
    FILTER_INVALID = (
        None,
        None,
        "The rule of a filter cannot be understood.",
        "Correct the place named here; `outrider filter properties` lists what a rule can ask for.",
        False,
    )
    ASSIGNMENT_IMPOSSIBLE = (
        None,
        None,
        "The parts of the assignment contradict each other.",
        "Leave out one of the parts named here.",
        False,
    )
    GROUP_DYNAMIC = (
        None,
        None,
        "The members of this group are those that match its rule.",
        "Change the rule with `outrider group set-rule`, or the facts it asks for.",
        False,
    )
    GROUP_STATIC = (
        None,
        None,
        "This group has no rule: operators choose its members.",
        "Give it a rule with `outrider group set-rule`.",
        False,
    )
    EXPORT_EXISTS = (
        None,
        None,
        "Files of an earlier export are there.",
        "Write to another folder, or replace them with `--force`.",
        False,
    )
    CONFIRMATION_MISSING = (
        None,
        None,
        "This is done only when someone says so.",
        "Look at the plan with `outrider diff`, then say `--yes`.",
        False,
    )
    STILL_IN_USE = (
        None,
        None,
        "Something else still refers to it.",
        "Remove what is named here first.",
        False,
    )
    DESIRED_STATE_INVALID = (
        None,
        None,
        "The files of the desired state cannot be understood.",
        "Correct the place named here; `outrider schema KIND` prints what a document may hold.",
        False,
    )
    UNKNOWN_JOB = (None, None, "There is no such job.", "List the jobs with `outrider status`.", False)
    JOB_ENDED = (
        None,
        None,
        "The job has ended already.",
        "Nothing to do; `outrider retry --force` carries it out again all the same.",
        False,
    )
    JOB_UNDER_WAY = (
        None,
        None,
        "The job is being carried out right now.",
        "Wait for its report, cancel it, or start it over with `outrider retry --force`.",
        False,
    )
    JOB_REPLACED = (
        None,
        None,
        "Another job has taken this one's place, or nobody wants it any more.",
        "Look for the newer one with `outrider device show DEVICE`.",
        False,
    )
    UNKNOWN_REVISION = (None, None, "The app has no such revision.", "List them with `outrider app show APP`.", False)
    UNKNOWN_ROLLOUT = (
        None,
        None,
        "There is no such rollout.",
        "List the rollouts with `outrider rollout list`.",
        False,
    )
    UNKNOWN_RING = (None, None, "The rollout has no such ring.", "Its status names its rings.", False)
    ROLLOUT_INVALID = (
        None,
        None,
        "The rollout cannot be made like this.",
        "Correct what is named; `outrider rollout plan` tries it out and changes nothing.",
        False,
    )
    ROLLOUT_ACTIVE = (
        None,
        None,
        "The app has a rollout under way already.",
        "End that one first: `outrider rollout status`, then let it finish, cancel it or roll it back.",
        False,
    )
    ROLLOUT_STATE_WRONG = (
        None,
        None,
        "The rollout is in a state in which this cannot be done.",
        "Look at it with `outrider rollout status NAME`.",
        False,
    )
    AUDIT_BROKEN = (
        None,
        None,
        "The audit log is not as it was written.",
        "Someone changed the database past the control plane. Compare it with a backup.",
        False,
    )
    UNKNOWN_TOKEN = (
        None,
        None,
        "There is no such token.",
        "List the tokens with `outrider token list` or `outrider enrollment list`.",
        False,
    )
    UNKNOWN_SECRET = (None, None, "There is no such secret.", "List the secrets with `outrider secret list`.", False)
    SECRET_IN_USE = (
        None,
        None,
        "An app still asks for the secret.",
        "Publish the app without it first; `--force` deletes it all the same, and the app's jobs fail from then on.",
        False,
    )
    UNKNOWN_PACKAGE = (
        None,
        None,
        "There is no such package.",
        "Upload the package before the app that uses it.",
        False,
    )
    MANIFEST_INVALID = (
        None,
        None,
        "The app's manifest is not valid.",
        "Correct the field named here; docs/manifest.md lists them all.",
        False,
    )
    RELATION_CYCLE = (
        None,
        None,
        "The apps would depend on each other, or take each other's place, in a circle.",
        "Take one of the relations on the path named here out of its app's manifest.",
        False,
    )
    RELATION_LIMIT = (
        None,
        None,
        "Too many apps are related to each other.",
        "Put several of the apps named in the manifests into one package, or take relations out.",
        False,
    )
    USER_CONTEXT_IMPOSSIBLE = (
        None,
        None,
        "No agent on these systems can run the app's commands in a user's name.",
        "Set `installExperience.runAsAccount` to `system`, or name an operating system whose agents can.",
        False,
    )
    SETTINGS_INVALID = (
        None,
        None,
        "The settings of this program are not complete or not valid.",
        "Set the environment variables named here.",
        False,
    )
    KEY_FILE_UNUSABLE = (
        None,
        None,
        "A key file of the control plane cannot be used.",
        "Check the file and OUTRIDER_STATE_DIR; a lost key file must come back from its backup.",
        False,
    )
    PACKAGE_TOO_LARGE = (
        None,
        None,
        "The package is larger than this control plane takes.",
        "Raise OUTRIDER_MAX_PACKAGE_BYTES or split the app.",
        False,
    )
    FORBIDDEN = (
        None,
        None,
        "The token's role does not allow this.",
        "Ask an administrator for a token with a higher role.",
        False,
    )
    UNKNOWN_ROUTE = (
        None,
        None,
        "The control plane has no such address.",
        "Check the address; one side may be older than the other.",
        False,
    )
    UNKNOWN_TARGET = (
        None,
        None,
        "No app, rollout, group or device has this name.",
        "Look for it with `outrider app list`, `outrider group list` or `outrider device list`.",
        False,
    )
    TARGET_AMBIGUOUS = (
        None,
        None,
        "The name could mean several things.",
        "Say which with --app, --rollout, --group or --device.",
        False,
    )
    CURSOR_INVALID = (
        None,
        None,
        "The cursor is not one that this list has given.",
        "Begin without a cursor, and go on with the `next_cursor` of each answer.",
        False,
    )
    PRECONDITION_FAILED = (
        None,
        None,
        "It is no longer what `If-Match` says.",
        "Look at it again, and decide anew.",
        False,
    )
    IDEMPOTENCY_KEY_REUSED = (
        None,
        None,
        "The idempotency key belongs to another request.",
        "Send a new key with each new request, and the same one only with the very same request.",
        False,
    )
    IDEMPOTENCY_KEY_BUSY = (
        None,
        None,
        "The first request with this idempotency key is still being carried out.",
        "Send the same again a little later.",
        True,
    )
    REQUEST_TOO_SLOW = (None, None, "The request came too slowly.", "Check the connection and send it again.", True)
    RATE_LIMITED = (None, None, "Too many requests in a short time.", "Wait as long as the answer says.", True)
    CLOCK_SKEWED = (
        None,
        None,
        "The request was signed by a clock that is too far off.",
        "Set the device's clock; the agent corrects its signatures by the answer's time meanwhile.",
        True,
    )
    REQUEST_REPLAYED = (
        None,
        None,
        "The request was sent before.",
        "Someone may have recorded it, or two agents share one identity.",
        False,
    )
    REQUEST_TOO_LARGE = (None, None, "The request is larger than allowed.", "Send less at once.", False)
    DEFINITION_INVALID = (
        None,
        None,
        "The app definition cannot be understood.",
        "Correct the place named here, or export the app again from where it came.",
        False,
    )
    RULE_WITHOUT_COUNTERPART = (
        None,
        None,
        "The format to export to has no rule that says the same.",
        "Say it with a file, registry, product code or script rule; left out, it would change what is detected.",
        False,
    )
    NAME_TAKEN = (None, None, "The name is already in use.", "Choose another name.", False)
    TOKEN_REFUSED = (
        None,
        None,
        "The token is unknown, used up or expired.",
        "Ask for a new one.",
        False,
    )
    SIGNATURE_REFUSED = (
        None,
        None,
        "The request is not signed by an enrolled device.",
        "Enrol the device again if its keys were replaced.",
        False,
    )
    ALREADY_ENROLLED = (
        None,
        None,
        "This device is already enrolled.",
        "Remove its state folder first if it is to be enrolled anew.",
        False,
    )
    NOT_ENROLLED = (None, None, "This device is not enrolled.", "Run `outrider-agent enroll URL` first.", False)
    STATE_FOLDER_UNUSABLE = (
        None,
        None,
        "The agent's state folder cannot be used.",
        "Become the account that the agent runs under, or name a folder of your own with OUTRIDER_AGENT_STATE_DIR.",
        False,
    )
    RESTART_NOT_PENDING = (
        None,
        None,
        "No restart with a deadline is pending on this device.",
        "`outrider-agent restart status` shows what is pending.",
        False,
    )
    RESTART_IMMINENT = (
        None,
        None,
        "The restart can no longer be put off.",
        "Save your work; the device restarts at its deadline.",
        False,
    )
    ALREADY_RUNNING = (None, None, "Another agent is already running for this device.", "Stop it first.", False)
    URL_INVALID = (
        None,
        None,
        "This is no address of a control plane.",
        "Write it in full, such as https://outrider.example.",
        False,
    )
    TIME_INVALID = (
        None,
        None,
        "This is no time that can be understood.",
        "Write how long ago, such as 90s, 10m, 2h or 3d, or a date such as 2026-03-01 or 2026-03-01T12:00:00Z.",
        False,
    )
    ADDRESS_INSECURE = (
        None,
        None,
        "The address is not encrypted, and the way to it is not this machine's own.",
        "Use https:// or rediss:// with a certificate this machine trusts (SSL_CERT_FILE names another authority).",
        False,
    )
    NOT_LOGGED_IN = (
        None,
        None,
        "No control plane is known to this command.",
        "Run `outrider login URL`, or set OUTRIDER_URL and OUTRIDER_TOKEN.",
        False,
    )
    API_UNAVAILABLE = (
        None,
        None,
        "The control plane does not answer.",
        "Check its address and that it runs.",
        True,
    )
    API_OVERLOADED = (
        None,
        None,
        "The control plane has more to do than it can take on.",
        "Nothing to do: the same is asked again after the time it named.",
        True,
    )
    API_ERROR = (None, None, "The control plane failed to do this.", "Its log says more.", True)
    STORE_UNAVAILABLE = (
        None,
        None,
        "The content store does not answer.",
        "Check its address and that it runs; nothing was published.",
        True,
    )
    STORE_REFUSED = (
        None,
        None,
        "The content store refused the request.",
        "Check the access key, its rights and the bucket's name.",
        False,
    )
    OBJECT_MISSING = (None, None, "The object is not in the content store.", "Publish it again.", False)
    CONTENT_SIZE_WRONG = (
        None,
        None,
        "The content does not have the size it was announced with.",
        "The file changed while it was being uploaded, or was cut off: publish it again.",
        True,
    )
    RANGE_UNSATISFIABLE = (None, None, "The object has no such bytes.", "Ask for a range within its size.", False)
    BROKER_UNAVAILABLE = (None, None, "The broker does not answer.", "Check its address and that it runs.", True)
    DATABASE_UNAVAILABLE = (None, None, "The database does not answer.", "Check its address and that it runs.", True)
    STACK_FAILED = (
        None,
        None,
        "A part of the local stack did not start.",
        "The end of its log is shown here.",
        True,
    )
    STACK_BUSY = (
        None,
        None,
        "Another command is already working on this stack.",
        "Wait until it has ended, or name another folder.",
        True,
    )
    STACK_FOLDER_UNSUITABLE = (
        None,
        None,
        "The stack's folder cannot hold the embedded content store.",
        "Choose a folder on a file system with user extended attributes (ext4, xfs, btrfs), or set S3_ENDPOINT.",
        False,
    )

    def __init__(self, number: int | None, phase: Phase | None, sentence: str, hint: str, retry_helps: bool) -> None:
        self.number = number
        self.phase = phase
        self.sentence = sentence
        self.hint = hint
        self.retry_helps = retry_helps

    @property
    def slug(self) -> str:
        """The name people and scripts see, such as `download-failed`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def from_slug(cls, slug: str) -> "ErrorCode":
        """The error of that name.

        Raises:
            KeyError: There is none.
        """
        return cls[slug.upper().replace("-", "_")]

    @classmethod
    def from_number(cls, number: int) -> "ErrorCode | None":
        """The error with that code, signed or unsigned; None where it is unknown.

        The nine-digit misprint of the download timeout is accepted on input (C-04).
        """
        return _BY_NUMBER.get(_CODE_ALIASES.get(number, number % _WORD))


#: A misprint in circulation and what it means (behaviour C-04).
_CODE_ALIASES = {0x87D33006A: ErrorCode.DOWNLOAD_TIMEOUT.number or 0}

_BY_NUMBER: dict[int, ErrorCode] = {code.number: code for code in ErrorCode if code.number is not None}


def signed(number: int) -> int:
    """The code as the signed 32-bit number that logs and portals show (behaviour 1.9)."""
    return number - _WORD if number & _SIGN_BIT else number


def hresult_from_exit_code(exit_code: int) -> int:
    """HRESULT_FROM_WIN32 of an installer's exit code, unsigned (behaviour 2.7): 60001 -> 0x8007EA61."""
    return _WIN32_FACILITY | (exit_code & _WIN32_CODE_MASK)


def installer_error(exit_code: int) -> ErrorCode:
    """The row that explains a failing exit code: its own where there is one, else the general one (behaviour 2.7)."""
    code = ErrorCode.from_number(hresult_from_exit_code(exit_code))
    return code if code is not None and code.phase is Phase.INSTALL else ErrorCode.INSTALLER_FAILED
