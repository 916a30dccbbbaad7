"""cfx_structures: the parts that CFX messages are made of, with the names of the public SDK (version 2.1 of the standard).

Field names are those of CFX, so they are not in the house's style. Lengths are millimetres, volumes millilitres, belt speeds
cm/min, temperatures °C and energies kWh, because CFX says so. ``$type`` names the class where a field may hold several. Times
and durations are strings, as on the wire, so that a message read and written again is the same message. Where a field is called
like its class, the class has a second name (``Person = Operator``): inside a class's body the field hides it.
"""
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Instant = Annotated[str, StringConstraints(
    pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?(Z|[+-]\d{2}:\d{2})$")]                      # ISO 8601
Span = Annotated[str, StringConstraints(pattern=r"^(\d{1,8}\.)?([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?$")]   # d.hh:mm:ss.f
Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Text = Annotated[str, StringConstraints(max_length=4096)]

ResourceState = Literal[                       # SEMI E10 with the SDK's sub-states
    1000, 1100, 1200, 1300, 1400, 2000, 2100, 2200, 2201, 2202, 2300, 2400, 2500, 3000, 3100, 3200,
    4000, 4100, 4200, 4300, 4400, 4500, 4600, 4700, 5000, 5100, 5200, 5300, 5400, 5500, 5600, 6000, 6100, 6200, 6300, 6400, 6500]
TestResult = Literal["Passed", "Failed", "Error", "Aborted", "Skipped"]
ProcessingResult = Literal["Succeeded", "Failed", "Error", "Aborted"]
WorkResult = Literal["Completed", "Failed", "Aborted"]
VerificationResult = Literal["NotVerifiedYet", "DefectConfirmed", "DefectRejected", "DefectAccepted"]
FaultCause = Literal[
    "LoadError", "UnloadError", "AutoSafetyStop", "SafetyStop", "QualityCheck", "RemoteStop", "MechanicalFailure",
    "SoftwareFailure", "PowerFailure", "MissingDocumentation", "Refill", "MsdExpired", "MaterialExpired",
    "MissingComponent", "ElectricalFailure", "ServicesFailure"]
SMTPlacementFaultType = Literal[
    "VacuumError", "XAxisError", "YAxisError", "ZAxisError", "RecognitionError", "PickupError", "PlacementError", "LightingError",
    "HeadError", "NozzleError", "ComponentDropped", "PartsExhaust", "FiducialError", "PartsPartiallyExhaust", "LowQuantity",
    "FeederError"]
FaultLevel = Literal["Information", "Warning", "Error", "Alarm"]
Method = Literal["Human", "AOI", "SPI", "AXI"]
ZoneType = Literal["PreHeat", "Soak", "Reflow", "Cool", "Prepare", "Vacuum"]
Sampling = Literal["NoSampling", "ANSI_Z14", "MIL_STD_105", "MIL_STD_1916", "Squeglia", "FixedSample"]


class Cfx(BaseModel):
    """What CFX does not know is refused."""
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


def type_of(name: str) -> Any:
    """The ``$type`` of a class, as .NET writes it: full name and assembly."""
    return Field(default=f"{name}, CFX", alias="$type")


class Typed(Cfx):
    """Last of a class's parents: readers in .NET want ``$type`` to be an object's first member."""
    type_: str = type_of("")


class Operator(Cfx):
    """Somebody who does something."""
    OperatorIdentifier: Text | None = None
    ActorType: Literal["Human", "Robot", "RemoteSystem"] = "Human"
    LastName: Text | None = None
    FirstName: Text | None = None
    LoginName: Text | None = None


Person = Operator


class ComponentDesignator(Cfx):
    """A part on a unit, or a pin of it: "R12", "U2.11"."""
    ReferenceDesignator: Text | None = None
    UnitPosition: None = None
    PartNumber: Text | None = None


class MaterialPackage(Cfx):
    """A reel, a jar, a roll."""
    UniqueIdentifier: Text | None = None
    InternalPartNumber: Text | None = None
    Quantity: float = 0.0


Package = MaterialPackage


class MaterialLocation(Cfx):
    """A package in its place on a machine."""
    LocationIdentifier: Text | None = None
    LocationName: Text | None = None
    MaterialPackage: Package | None = None
    CarrierInformation: None = None


Location = MaterialLocation


class ConsumedMaterial(Cfx):
    MaterialLocation: Location | None = None
    QuantityUsed: float = 0.0
    QuantitySpoiled: float = 0.0
    RemainingQuantity: float = 0.0


class ToolHolder(Cfx):
    LocationUniqueIdentifier: Text | None = None
    LocationName: Text | None = None
    BaseName: Text | None = None


class SMTHeadAndNozzle(Cfx):
    """A nozzle on a head."""
    UniqueIdentifier: Text | None = None
    Name: Text | None = None
    HeadId: Text | None = None
    HeadNozzleNumber: int | None = None
    NozzleType: Text | None = None


class SMTNozzle(SMTHeadAndNozzle, Typed):
    """A nozzle as a tool."""
    type_: Literal["CFX.Structures.SMTPlacement.SMTNozzle, CFX"] = type_of("CFX.Structures.SMTPlacement.SMTNozzle")


class Stencil(Cfx):
    """A stencil where nothing else can be meant."""
    UniqueIdentifier: Text | None = None
    Name: Text | None = None


PlainStencil = Stencil


class SMTStencil(Stencil, Typed):
    """A stencil as a tool."""
    type_: Literal["CFX.Structures.SolderPastePrinting.SMTStencil, CFX"] = type_of(
        "CFX.Structures.SolderPastePrinting.SMTStencil")


class SMTSqueegee(Stencil, Typed):
    """A squeegee blade as a tool."""
    type_: Literal["CFX.Structures.SolderPastePrinting.SMTSqueegee, CFX"] = type_of(
        "CFX.Structures.SolderPastePrinting.SMTSqueegee")


Tool = Annotated[SMTNozzle | SMTStencil | SMTSqueegee, Field(discriminator="type_")]


class UnitPosition(Cfx):
    """A unit within what is processed at once."""
    UnitIdentifier: Text
    PositionNumber: int = 1
    PositionName: Text | None = None
    X: float = 0.0                             # [mm]
    Y: float = 0.0                             # [mm]
    Rotation: float = 0.0                      # [°]
    FlipX: bool = False
    FlipY: bool = False


class SamplingInformation(Cfx):
    SamplingMethod: Sampling = "NoSampling"
    LotSize: float | None = None
    SampleSize: float | None = None


Samples = SamplingInformation


class Image(Cfx):
    MimeType: Text | None = None
    ImageData: str | None = None               # base64


Picture = Image


class Segment(Cfx):
    X: float = 0.0                             # [mm]
    Y: float = 0.0                             # [mm]


class Region(Cfx):
    """A polygon on the unit."""
    StartPointX: float = 0.0                   # [mm]
    StartPointY: float = 0.0                   # [mm]
    RegionSegments: tuple[Segment, ...] = ()


class _Measurement(Cfx):
    UniqueIdentifier: Text | None = None
    MeasurementName: Text | None = None
    TimeRecorded: Instant | None = None
    Sequence: int = 0
    Result: TestResult = "Passed"
    CRDs: Text | None = None                   # components and pins, "R1.1"


class SolderPasteMeasurement(_Measurement, Typed):
    """One paste deposit; a name that begins with E is the expected value."""
    type_: Literal["CFX.Structures.SolderPasteInspection.SolderPasteMeasurement, CFX"] = type_of(
        "CFX.Structures.SolderPasteInspection.SolderPasteMeasurement")
    X: float = 0.0                             # [mm] length
    EX: float = 0.0
    Y: float = 0.0                             # [mm] width
    EY: float = 0.0
    Z: float = 0.0                             # [mm] height
    EZ: float = 0.0
    DX: float = 0.0                            # [mm] from the centre of the pad
    DY: float = 0.0
    Vol: float = 0.0                           # [ml]
    EVol: float = 0.0
    A: float = 0.0                             # [mm²]
    EA: float = 0.0
    PX: float = 0.0                            # [mm] place on the unit
    PY: float = 0.0
    RXY: float | None = None                   # [°]
    AR: float = 0.0                            # [1] area ratio of the aperture
    Image: Picture | None = None


class OffsetMeasurement(_Measurement, Typed):
    """How far a part is off."""
    type_: Literal["CFX.Structures.PCBInspection.OffsetMeasurement, CFX"] = type_of(
        "CFX.Structures.PCBInspection.OffsetMeasurement")
    DX: float = 0.0                            # [mm]
    DY: float = 0.0
    DZ: float = 0.0
    RXY: float = 0.0                           # [°]
    RZX: float = 0.0
    RZY: float = 0.0


Measurement = Annotated[SolderPasteMeasurement | OffsetMeasurement, Field(discriminator="type_")]


class Defect(Cfx):
    """A defect that was called. ``Verification`` tells false calls."""
    UniqueIdentifier: Text
    DefectCode: Text
    DefectCategory: Text | None = None
    Description: Text | None = None
    Comments: Text | None = None
    ComponentOfInterest: ComponentDesignator | None = None
    RegionOfInterest: Region | None = None
    DefectImages: tuple[Image, ...] = ()
    Priority: int | None = None
    ConfidenceLevel: float | None = None
    RelatedMeasurements: tuple[Measurement, ...] = ()
    RelatedSymptoms: tuple[()] = ()
    Verification: VerificationResult = "NotVerifiedYet"


class Inspection(Cfx):
    """One step of looking at a unit."""
    UniqueIdentifier: Text
    InspectionName: Text | None = None
    InspectionStartTime: Instant | None = None
    InspectionEndTime: Instant | None = None
    TestProcedure: Text | None = None
    Comments: Text | None = None
    Result: TestResult = "Passed"
    Verification: VerificationResult = "NotVerifiedYet"
    VerificationDetail: Text | None = None
    Error: Text | None = None
    DefectsFound: tuple[Defect, ...] = ()
    Symptoms: tuple[()] = ()
    Measurements: tuple[Measurement, ...] = ()
    RefNo: int | None = None


class InspectedUnit(Cfx):
    UnitIdentifier: Text
    UnitPositionNumber: int | None = 1
    OverallResult: TestResult = "Passed"
    Inspections: tuple[Inspection, ...] = ()
    Verification: VerificationResult = "NotVerifiedYet"
    TotalInspectionCount: int | None = None


class ReflowZone(Cfx):
    ReflowZoneType: ZoneType
    StageSequence: int
    StageName: Text
    StageType: Literal["Work", "Buffer"] = "Work"


class ReflowSetpoint(Cfx):
    SubZone: Literal["Top", "Bottom", "WholeZone"]
    SetpointType: Literal["Temperature", "O2", "Vacuum", "VacuumHoldTime"]
    Setpoint: float


class ReflowReading(Cfx):
    SubZone: Literal["Top", "Bottom", "WholeZone"]
    ReadingType: Literal["Temperature", "O2", "Power", "PowerLevel", "Vacuum", "VacuumHoldTime", "ConvectionRate"]
    ReadingValue: float                        # °C, ppm, W, %, Pa, s, Pa


class ReflowZoneData(Cfx):
    Zone: ReflowZone
    Setpoints: tuple[ReflowSetpoint, ...] = ()
    Readings: tuple[ReflowReading, ...] = ()


class ReflowProcessData(Cfx):
    """The oven while a unit went through."""
    type_: Literal["CFX.Structures.SolderReflow.ReflowProcessData, CFX"] = type_of(
        "CFX.Structures.SolderReflow.ReflowProcessData")
    ConveyorSpeed: float                       # [cm/min]
    ConveyorSpeedSetpoint: float               # [cm/min]
    ZoneData: tuple[ReflowZoneData, ...] = ()


class Stroke(Cfx):
    PrintPressure: float | None = None         # CFX names no unit; ours is newton
    PrintSpeed: float | None = None            # CFX names no unit; ours is mm/s


class Separation(Cfx):
    Name: Text | None = None
    SeparationSpeed: float | None = None
    SeparationDistance: float | None = None
    SeparationDelay: float | None = None


Parting = Separation


class PeriodicCleaning(Cfx):
    CleanFrequency: int | None = None          # boards
    CleanMode: Text | None = None


class SolderPastePrintingPCBProcessData(Cfx):
    """How one board was printed."""
    type_: Literal["CFX.Structures.SolderPastePrinting.SolderPastePrintingPCBProcessData, CFX"] = type_of(
        "CFX.Structures.SolderPastePrinting.SolderPastePrintingPCBProcessData")
    Strokes: tuple[Stroke, ...] = ()
    Separation: Parting | None = None
    PeriodicCleanings: tuple[PeriodicCleaning, ...] = ()
    RecipeName: Text | None = None
    OffsetX: float | None = None
    OffsetY: float | None = None
    OffsetTheta: float | None = None
    CycleTime: Span


ProcessData = Annotated[ReflowProcessData | SolderPastePrintingPCBProcessData, Field(discriminator="type_")]


class ProcessedUnit(Cfx):
    UnitIdentifier: Text
    UnitPositionNumber: int | None = 1
    UnitResult: ProcessingResult = "Succeeded"
    UnitProcessData: ProcessData | None = None


class InstalledComponent(Cfx):
    ReferenceDesignator: Text
    InstallationTime: Instant | None = None


class InstalledMaterial(Cfx):
    """What went onto one unit from one package."""
    UnitIdentifier: Text
    UnitPositionNumber: int | None = 1
    QuantityInstalled: float = 0.0
    Material: Package | None = None
    CarrierLocation: None = None
    InstalledComponents: tuple[InstalledComponent, ...] = ()


class _Fault(Cfx):
    Cause: FaultCause
    Severity: FaultLevel
    FaultCode: Text
    FaultOccurrenceId: Guid
    Lane: int | None = None
    Stage: None = None


class Fault(_Fault):
    """Something is wrong; "Error" stops the machine, "Warning" does not."""


class SMTPlacementFault(_Fault, Typed):
    """Something is wrong on a placement machine."""
    type_: Literal["CFX.Structures.SMTPlacement.SMTPlacementFault, CFX"] = type_of(
        "CFX.Structures.SMTPlacement.SMTPlacementFault")
    PlacementFaultType: SMTPlacementFaultType
    ProgramStep: int | None = None
    Designator: ComponentDesignator | None = None
    MaterialLocation: Location | None = None
    HeadAndNozzle: SMTHeadAndNozzle | None = None


AnyFault = SMTPlacementFault | Fault


class MaintenanceTask(Cfx):
    Task: Text
    TaskId: Text | None = None
    Operator: Person | None = None
    ManHoursConsumed: float = 0.0              # [h]


__all__ = [
    "AnyFault", "Cfx", "ComponentDesignator", "ConsumedMaterial", "Defect", "Fault", "FaultCause", "FaultLevel", "Guid",
    "Image", "InspectedUnit", "Inspection", "InstalledComponent", "InstalledMaterial", "Instant", "Location", "MaintenanceTask",
    "MaterialLocation", "MaterialPackage", "Measurement", "Method", "OffsetMeasurement", "Operator", "Package", "Parting",
    "PeriodicCleaning", "Person", "Picture", "PlainStencil", "ProcessData", "ProcessedUnit", "ProcessingResult",
    "ReflowProcessData", "ReflowReading", "ReflowSetpoint", "ReflowZone", "ReflowZoneData", "Region", "ResourceState",
    "SMTHeadAndNozzle", "SMTNozzle", "SMTPlacementFault", "SMTPlacementFaultType", "SMTSqueegee", "SMTStencil", "Samples",
    "Sampling", "SamplingInformation", "Segment", "Separation", "SolderPasteMeasurement", "SolderPastePrintingPCBProcessData",
    "Span", "Stencil", "Stroke", "TestResult", "Text", "Tool", "ToolHolder", "Typed", "UnitPosition", "VerificationResult",
    "WorkResult", "ZoneType", "type_of",
]
