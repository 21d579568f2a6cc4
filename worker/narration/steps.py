"""The 32 steps of processing an app, in the order of an install (behaviour 1.7, 2.3).

The words are our own where the original's exact string is not itself what people and tools look for.
"""

from enum import Enum


class Step(Enum):
    """What happens, who does it, and how it is said.

    Attributes:
        number: The step's place, 1 to 32.
        part: The part of the agent that speaks; it stands in brackets before the sentence.
        template: The sentence, with the names of its facts.
    """

    AGENT_STARTED = (1, "Agent", "EMS Agent Started: version {version}, process {pid}")
    S_MODE_CHECKED = (2, "Agent", "S mode checked: {s_mode}")
    CONTENT_MANAGER_STARTED = (3, "ContentManager", "Starting content manager in {folder}, {free_bytes} bytes free")
    DEVICE_NOTED = (4, "Agent", "Device id {device_id} ({name}), OS version {os_name} {os_version}, {architecture}")
    ENDPOINTS_NOTED = (5, "Discovery", "Endpoints: control plane {control_plane}, broker {broker}")
    IDENTITY_CHOSEN = (6, "Identity", "No user is impersonated: requests are signed with the key of device {device_id}")
    POLICY_REQUESTED = (7, "Uplink", "Request sent for the policy of job {job_id}")
    POLICY_RECEIVED = (8, "Uplink", "Get policies = {policy}")
    APP_IDENTIFIED = (
        9,
        "ExecManager",
        "Processing app {app} {version} (id = {app_id}, revision {revision}) with intent={intent} ({intent_word})",
    )
    DEPENDENCIES_CHECKED = (
        10,
        "ExecManager",
        "Dependencies of {app_id} are put first by the control plane, which has released this app",
    )
    DETECTED = (11, "Detection", "Detection rules: {state}; {found}")
    APPLICABILITY_CHECKED = (12, "Applicability", "{check}: {found}")
    DOWNLOAD_BEGINS = (13, "Download", "Downloading and installing {app}; notifications: {notifications}")
    DOWNLOAD_JOB_CREATED = (
        14,
        "Download",
        "Download job for {digest} created, timer set: {bytes} bytes by {expires_at}",
    )
    CONTENT_ARRIVES = (15, "Download", "Downloading content into {path}")
    DOWNLOAD_JOB_ENDED = (
        16,
        "Download",
        "Download job finished in {duration_seconds:.3f} s, bytes downloaded {bytes}, job closed: {found}",
    )
    HASH_VERIFIED = (17, "Content", "Verifying the encrypted hash of {path}, then decrypting")
    UNZIPPING = (18, "Content", "Unzipping from {staging} to {cache}")
    STAGING_CLEANED = (19, "Content", "Organising staging content: {staging} is empty of this app; {found}")
    INSTALLER_BEGINS = (20, "Installer", "Execution starts: {intent_word} in {folder}")
    COMMAND_PREPARED = (21, "Installer", "Preparing the command line for {install_context} context")
    COMMAND = (22, "Installer", "{command_line}")
    INSTALLER_ENDED = (23, "Installer", "Execution is done in {duration_seconds:.3f} s, collecting results: {found}")
    EXIT_CODE_JUDGED = (24, "Installer", "lpExitCode {exit_code}: {meaning}")
    RESTART_BEHAVIOR_CHECKED = (25, "Installer", "DeviceRestartBehavior: {behavior} ({behavior_word}), handle closed")
    DETECTION_REPEATED = (26, "SideCarFileDetectionManager", "Detection rules after execution")
    DETECTED_AFTERWARDS = (27, "SideCarFileDetectionManager", "{found}, applicationDetected: {detected}")
    COMPLIANCE_SET = (28, "Compliance", "Set ComplianceStateMessage: {message}")
    ENFORCEMENT_SET = (29, "Compliance", "Set EnforcementStateMessage: {message}; outcome {outcome}")
    CONTENT_CLEANED = (30, "Content", "Organising staged content: {cache} is removed")
    REPORTING = (31, "Reporting", "Reporting the result of {app}")
    REPORTED = (32, "Reporting", "Results sent to service: {found}")

    def __init__(self, number: int, part: str, template: str) -> None:
        self.number = number
        self.part = part
        self.template = template
