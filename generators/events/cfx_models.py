"""cfx_models: the messages of IPC-2591 CFX that a line sends, and their envelope.

``Message.model_dump_json()`` is one line as it goes out; ``Message.model_validate_json()`` reads it back, and what it does not
know it refuses. Units are those of CFX, see ``cfx_structures``.
"""
from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from generators.events.cfx_structures import (
    AnyFault,
    Cfx,
    ConsumedMaterial,
    Guid,
    InspectedUnit,
    InstalledMaterial,
    Instant,
    MaintenanceTask,
    MaterialLocation,
    Method,
    Person,
    PlainStencil,
    ProcessData,
    ProcessedUnit,
    ProcessingResult,
    ResourceState,
    Samples,
    Span,
    Text,
    Tool,
    ToolHolder,
    UnitPosition,
    WorkResult,
    type_of,
)

VERSION = "2.1"                                # of the standard


class WorkStarted(Cfx):
    """A station begins to work on a unit."""
    type_: Literal["CFX.Production.WorkStarted, CFX"] = type_of("CFX.Production.WorkStarted")
    PrimaryIdentifier: Text | None = None
    HermesIdentifier: Text | None = None
    TransactionID: Guid
    Lane: int | None = None
    UnitCount: int = 0
    Units: tuple[UnitPosition, ...] = ()
    RecipeName: Text | None = None


class WorkCompleted(Cfx):
    """It is done with it."""
    type_: Literal["CFX.Production.WorkCompleted, CFX"] = type_of("CFX.Production.WorkCompleted")
    TransactionID: Guid
    Result: WorkResult = "Completed"
    PrimaryIdentifier: Text | None = None
    HermesIdentifier: Text | None = None
    UnitCount: int = 0
    Units: tuple[UnitPosition, ...] = ()


class UnitsInspected(Cfx):
    """What an inspection machine found."""
    type_: Literal["CFX.Production.TestAndInspection.UnitsInspected, CFX"] = type_of(
        "CFX.Production.TestAndInspection.UnitsInspected")
    TransactionId: Guid
    InspectionMethod: Method
    SamplingInformation: Samples
    Inspector: Person | None = None
    RecipeName: Text | None = None
    RecipeRevision: Text | None = None
    InspectedUnits: tuple[InspectedUnit, ...] = ()
    InspectedPanel: None = None


class UnitsProcessed(Cfx):
    """What a process station did to a unit."""
    type_: Literal["CFX.Production.Processing.UnitsProcessed, CFX"] = type_of("CFX.Production.Processing.UnitsProcessed")
    TransactionId: Guid
    OverallResult: ProcessingResult = "Succeeded"
    CommonProcessData: ProcessData | None = None
    UnitProcessData: tuple[ProcessedUnit, ...] = ()


class MaterialsInstalled(Cfx):
    """Materials went onto a unit."""
    type_: Literal["CFX.Production.Assembly.MaterialsInstalled, CFX"] = type_of("CFX.Production.Assembly.MaterialsInstalled")
    TransactionId: Guid
    InstalledMaterials: tuple[InstalledMaterial, ...] = ()


class MaterialsLoaded(Cfx):
    """A package was put on a machine."""
    type_: Literal["CFX.Materials.Storage.MaterialsLoaded, CFX"] = type_of("CFX.Materials.Storage.MaterialsLoaded")
    Materials: tuple[MaterialLocation, ...] = ()


class StationStateChanged(Cfx):
    """From one state of SEMI E10 to another."""
    type_: Literal["CFX.ResourcePerformance.StationStateChanged, CFX"] = type_of("CFX.ResourcePerformance.StationStateChanged")
    OldState: ResourceState
    OldStateDuration: Span
    NewState: ResourceState
    RelatedFault: AnyFault | None = None


class FaultOccurred(Cfx):
    type_: Literal["CFX.ResourcePerformance.FaultOccurred, CFX"] = type_of("CFX.ResourcePerformance.FaultOccurred")
    Fault: AnyFault


class MaintenancePerformed(Cfx):
    """Somebody repaired or renewed something. (The SDK spells the job code ``MaintenanceJobCode``.)"""
    type_: Literal["CFX.ResourcePerformance.MaintenancePerformed, CFX"] = type_of("CFX.ResourcePerformance.MaintenancePerformed")
    MaintenanceType: Literal["Preventive", "Inspection", "Repair", "Test"]
    MaintenanceOrderNumber: Text
    MaintenanceJobCode: Text
    ConsumedMaterials: tuple[ConsumedMaterial, ...] = ()
    Tasks: tuple[MaintenanceTask, ...] = ()


class StencilCleaned(Cfx):
    type_: Literal["CFX.ResourcePerformance.SolderPastePrinting.StencilCleaned, CFX"] = type_of(
        "CFX.ResourcePerformance.SolderPastePrinting.StencilCleaned")
    Stencil: PlainStencil
    StencilCleanMode: Literal["W", "V", "D"]   # wet, vacuum, dry
    TimeSinceLastClean: Span
    CyclesSinceLastClean: int
    StencilCleanCycles: int
    StencilCleanTime: Span


class ToolChanged(Cfx):
    type_: Literal["CFX.ResourcePerformance.ToolChanged, CFX"] = type_of("CFX.ResourcePerformance.ToolChanged")
    OldTool: Tool | None = None
    ReturnedToHolder: ToolHolder | None = None
    NewTool: Tool | None = None
    LoadedFromHolder: ToolHolder | None = None


class EnergyConsumed(Cfx):
    """Over an hour."""
    type_: Literal["CFX.ResourcePerformance.EnergyConsumed, CFX"] = type_of("CFX.ResourcePerformance.EnergyConsumed")
    StartTime: Instant
    EndTime: Instant
    EnergyUsed: float                          # [kWh]
    PeakPower: float                           # [W]
    MinimumPower: float
    MeanPower: float


Body = Annotated[
    UnitsInspected | UnitsProcessed | WorkStarted | WorkCompleted | MaterialsInstalled | MaterialsLoaded | StationStateChanged
    | FaultOccurred | MaintenancePerformed | StencilCleaned | ToolChanged | EnergyConsumed, Field(discriminator="type_")]


class Message(Cfx):
    """The envelope. ``Source`` is the CFX handle of the sender; ours begin with "SIMULATED."."""
    MessageName: Text
    Version: Text = VERSION
    TimeStamp: Instant
    UniqueID: Guid
    Source: Annotated[str, StringConstraints(pattern=r"^SIMULATED\.", max_length=512)]
    Target: Text | None = None
    RequestID: Text | None = None
    MessageBody: Body

    @model_validator(mode="after")
    def _named_after_body(self) -> Message:
        if self.MessageBody.type_ != f"{self.MessageName}, CFX":
            raise ValueError(f"MessageName {self.MessageName} but the body is a {self.MessageBody.type_}")
        return self


__all__ = [
    "VERSION",
    "Body",
    "EnergyConsumed",
    "FaultOccurred",
    "MaintenancePerformed",
    "MaterialsInstalled",
    "MaterialsLoaded",
    "Message",
    "StationStateChanged",
    "StencilCleaned",
    "ToolChanged",
    "UnitsInspected",
    "UnitsProcessed",
    "WorkCompleted",
    "WorkStarted",
]
