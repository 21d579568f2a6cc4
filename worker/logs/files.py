"""The names of the agent's log files, and which logger speaks into which."""

from typing import Final

#: Every event, for programs.
JSON_FILE: Final = "agent.jsonl"
#: Every event, in the envelope (behaviour L-01).
EXTENSION: Final = "ManagementExtension"
#: Scripts, in the envelope (behaviour L-02, C-06); also the name of the logger that speaks into it.
EXECUTOR: Final = "AgentExecutor"
