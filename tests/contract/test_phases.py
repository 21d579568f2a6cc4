from contract.phases import EARLY_END_TARGET, PHASES, Phase
from contract.queues import ControlTask, phase_of_task, phase_task


def test_the_eleven_phases_stand_in_order() -> None:
    assert [phase.value for phase in PHASES] == [
        "poll",
        "metadata",
        "detect",
        "applicability",
        "requirements",
        "download",
        "unpack",
        "install",
        "confirm",
        "compliance",
        "report",
    ]


def test_each_phase_knows_its_follower_and_its_place() -> None:
    assert [phase.follower for phase in PHASES] == [*PHASES[1:], None]
    assert [phase.position for phase in PHASES] == list(range(1, 12))


def test_an_early_end_still_sets_and_reports() -> None:
    assert PHASES[-2:] == (EARLY_END_TARGET, Phase.REPORT)


def test_a_phase_and_its_task_name_each_other() -> None:
    assert [phase_of_task(phase_task(phase)) for phase in PHASES] == list(PHASES)


def test_no_task_of_the_control_plane_passes_for_a_phase() -> None:
    assert not {task.value for task in ControlTask} & {phase_task(phase) for phase in PHASES}
