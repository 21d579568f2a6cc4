"""What all tables have in common: names of constraints, and the types behind annotations."""

from datetime import datetime
from typing import Annotated, ClassVar

from sqlalchemy import BigInteger, LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from contract.available_apps import AppRequestKind
from contract.jobs import JobState
from contract.phases import Phase
from contract.report import PhaseOutcome, WaitReason
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.database.types import NumberColumn, UtcDateTime, WordColumn
from control.relation_mode import RelationMode
from control.targeting import Mode, TimeBasis

#: A UUID in canonical lower case.
Id = Annotated[str, mapped_column(String(36))]
#: SHA-256 in lower-case hex.
Digest = Annotated[str, mapped_column(String(64))]
#: A name people chose.
NAME_LENGTH = 200
Name = Annotated[str, mapped_column(String(NAME_LENGTH))]
#: Numbers that come from devices, and so may be as large as a column can hold.
Count = Annotated[int, mapped_column(BigInteger)]
#: Text without a bound.
LongText = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    """The root of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        AppRequestKind: WordColumn(AppRequestKind),
        CancelReason: WordColumn(CancelReason),
        bytes: LargeBinary,
        datetime: UtcDateTime,
        EnforcementState: NumberColumn(EnforcementState),
        GenerationReason: WordColumn(GenerationReason),
        Intent: NumberColumn(Intent),
        JobState: WordColumn(JobState),
        Mode: WordColumn(Mode),
        OrderKind: WordColumn(OrderKind),
        Outcome: WordColumn(Outcome),
        Phase: WordColumn(Phase),
        PhaseOutcome: WordColumn(PhaseOutcome),
        RelationMode: WordColumn(RelationMode),
        TimeBasis: WordColumn(TimeBasis),
        WaitReason: WordColumn(WaitReason),
    }
