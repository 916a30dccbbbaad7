"""cfx_bodies: what each message says, from a run, its outcomes and its readings. SI goes in, CFX units come out."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from generators.events.cfx_models import MaterialsInstalled, MaterialsLoaded, UnitsInspected, UnitsProcessed
from generators.events.cfx_names import span
from generators.events.cfx_structures import (
    AnyFault,
    ComponentDesignator,
    Defect,
    Fault,
    FaultCause,
    FaultLevel,
    InspectedUnit,
    Inspection,
    InstalledMaterial,
    MaterialLocation,
    MaterialPackage,
    Method,
    PeriodicCleaning,
    ProcessData,
    ProcessedUnit,
    ReflowProcessData,
    ReflowReading,
    ReflowSetpoint,
    ReflowZone,
    ReflowZoneData,
    SamplingInformation,
    SMTHeadAndNozzle,
    SMTNozzle,
    SMTPlacementFault,
    SMTPlacementFaultType,
    SMTSqueegee,
    SMTStencil,
    SolderPasteMeasurement,
    SolderPastePrintingPCBProcessData,
    Stroke,
    TestResult,
    VerificationResult,
    ZoneType,
)
from generators.events.outcomes import Call, Paste
from scenes.line.model import Event, StationFlow

METHODS: Mapping[str, Method] = {"spi": "SPI", "aoi": "AOI", "axi": "AXI"}      # station kind: CFX InspectionMethod
LIQUIDUS, SOAK = 217.0, 150.0                  # [°C] of SAC305; where soaking begins (domain reference 3.3)

_CAUSES: Mapping[str, FaultCause] = {          # event code: cause; the others are mechanical
    "zone_heater": "ElectricalFailure", "tube_ageing": "ElectricalFailure", "lamp_ageing": "ElectricalFailure",
    "camera": "ElectricalFailure", "probe": "ElectricalFailure", "air_leak": "ServicesFailure", "stencil_clog": "QualityCheck",
    "camera_focus": "QualityCheck", "paste": "Refill", "reels": "Refill", "jam": "LoadError"}
_PLACEMENT: Mapping[str, SMTPlacementFaultType] = {
    "nozzle_wear": "NozzleError", "feeder_pitch": "FeederError", "feeder": "FeederError", "air_leak": "VacuumError",
    "pick": "PickupError", "reels": "PartsExhaust", "camera": "RecognitionError", "jam": "HeadError"}
_CATEGORIES: Mapping[str, str] = {             # taxonomy: what the SDK suggests
    "missing": "ComponentMissing", "shift": "ComponentShifted", "rotation": "ComponentRotated", "tombstone": "Tombstone",
    "billboard": "ComponentTilted", "flipped": "FaceDownComponent", "polarity": "WrongPolarity", "wrong_part": "WrongComponent",
    "bridge": "Short", "insufficient": "InsufficientSolder", "excess": "ExcessiveSolder", "cold_joint": "SolderDefect",
    "head_in_pillow": "SolderDefect", "bga_void": "SolderDefect", "lifted_lead": "LiftedLead", "solder_ball": "Solderball",
    "residue": "Contamination"}
_TOOLS: Mapping[str, type[SMTNozzle] | type[SMTStencil] | type[SMTSqueegee]] = {
    "nozzle_wear": SMTNozzle, "stencil_clog": SMTStencil, "squeegee_wear": SMTSqueegee}


def fault_of(event: Event, station: StationFlow, identity: str, module: str) -> AnyFault:
    """What is wrong. An alarm is a warning; a fault stops the machine. ``module`` is the part that wears, "" where none does."""
    code = event.code
    severity: FaultLevel = "Error" if event.kind == "fault" else "Warning"
    cause = _CAUSES.get(code, "MechanicalFailure")
    if station.kind != "placement":
        return Fault(Cause=cause, Severity=severity, FaultCode=code, FaultOccurrenceId=identity)
    number = re.fullmatch(r"nozzle(\d+)", module)
    nozzle = SMTHeadAndNozzle(Name=module, HeadId="1", HeadNozzleNumber=int(number[1])) if number else None
    place = MaterialLocation(LocationName=module) if module.startswith("feeder") else None
    return SMTPlacementFault(Cause=cause, Severity=severity, FaultCode=code, FaultOccurrenceId=identity,
                             PlacementFaultType=_PLACEMENT.get(code, "PlacementError"), MaterialLocation=place,
                             HeadAndNozzle=nozzle)


def tool_of(kind: str, station: str, module: str, number: int) -> SMTNozzle | SMTStencil | SMTSqueegee | None:
    """The ``number``-th tool of its kind in that place, or None where a drift is not about a tool."""
    tool = _TOOLS.get(kind)
    if tool is None:
        return None
    name = module or ("stencil" if tool is SMTStencil else "squeegee")
    return tool(UniqueIdentifier=f"SIM-{station}-{name}-{number}", Name=name)


def inspected(transaction: str, unit: str, station: StationFlow, calls: Sequence[Call], pastes: Sequence[Paste],
              times: tuple[str, str], identity: str) -> UnitsInspected:
    """What one inspection of one unit found. ``times`` are its beginning and end."""
    method = METHODS[station.kind]
    found = tuple(_defect(c, f"{identity}/{i}") for i, c in enumerate(calls))
    measured = tuple(_paste(p, f"{identity}/m{i}") for i, p in enumerate(pastes))
    result: TestResult = "Failed" if found else "Passed"
    verified: VerificationResult = "NotVerifiedYet"
    if calls:
        verified = "DefectConfirmed" if any(c.real for c in calls) else "DefectRejected"
    look = Inspection(UniqueIdentifier=identity, InspectionName=method, InspectionStartTime=times[0], InspectionEndTime=times[1],
                      Result=result, Verification=verified, DefectsFound=found, Measurements=measured)
    sampling = SamplingInformation() if station.share >= 1 else SamplingInformation(SamplingMethod="FixedSample")
    return UnitsInspected(
        TransactionId=transaction, InspectionMethod=method, SamplingInformation=sampling,
        InspectedUnits=(InspectedUnit(UnitIdentifier=unit, OverallResult=result, Inspections=(look,), Verification=verified,
                                      TotalInspectionCount=1),))


def _defect(call: Call, identity: str) -> Defect:
    size = "" if np.isnan(call.severity) else f", severity {call.severity:.4g}"
    where = f" at {call.component}" if call.component else ""
    return Defect(UniqueIdentifier=identity, DefectCode=call.defect, DefectCategory=_CATEGORIES.get(call.defect, "Miscellaneous"),
                  Description=f"{call.defect.replace('_', ' ')}{where}{size}",
                  ComponentOfInterest=ComponentDesignator(ReferenceDesignator=call.component or None),
                  Priority=1, Verification="DefectConfirmed" if call.real else "DefectRejected")


def _paste(paste: Paste, identity: str) -> SolderPasteMeasurement:
    return SolderPasteMeasurement(
        UniqueIdentifier=identity, MeasurementName=paste.pad, CRDs=paste.pad, Result="Passed" if paste.passed else "Failed",
        Z=paste.height * 1e3, EZ=paste.nominal_height * 1e3, DX=paste.dx * 1e3, DY=paste.dy * 1e3,
        Vol=paste.volume * 1e6, EVol=paste.nominal_volume * 1e6, A=paste.area * 1e6, EA=paste.nominal_area * 1e6,
        AR=paste.area_ratio)


def processed(transaction: str, unit: str, data: ProcessData | None) -> UnitsProcessed:
    """What a printer or an oven did to one unit."""
    units = (ProcessedUnit(UnitIdentifier=unit),)
    return UnitsProcessed(TransactionId=transaction, CommonProcessData=data, UnitProcessData=units)


def printed(station: StationFlow, seconds: float, readings: Mapping[str, float]) -> SolderPastePrintingPCBProcessData:
    """How a board was printed. ``readings`` by channel [N, m/s]."""
    force, speed = (readings.get(f"{station.station}/squeegee/{q}") for q in ("force", "speed"))
    strokes = () if force is None and speed is None else (
        Stroke(PrintPressure=force, PrintSpeed=None if speed is None else speed * 1e3),)
    wipes = tuple(PeriodicCleaning(CleanFrequency=s.units, CleanMode="W") for s in station.supplies if s.name == "wipe")
    return SolderPastePrintingPCBProcessData(Strokes=strokes, PeriodicCleanings=wipes, CycleTime=span(seconds))


def reflowed(station: str, readings: Mapping[str, float], setpoints: Mapping[str, float]) -> ReflowProcessData | None:
    """The oven's readings and setpoints, by channel [°C, m/s, 1]; None where the belt or every zone is without a reading.

    A zone is named after its setpoint (its reading, where no setpoint is known): below 150 °C it preheats, to 217 °C it soaks,
    above it reflows, and whatever is cooler again after the hottest zone cools.
    """
    belt = f"{station}/conveyor/speed"
    zones = sorted((int(m[1]), c) for c in readings if (m := re.fullmatch(rf"{re.escape(station)}/zone(\d+)/temperature", c)))
    if belt not in readings or not zones:
        return None
    levels = [setpoints.get(c, readings[c]) for _, c in zones]
    hottest = levels.index(max(levels))
    data = []
    for i, (number, channel) in enumerate(zones):
        level = levels[i]
        kind: ZoneType = "Reflow" if level >= LIQUIDUS else "Cool" if i > hottest else "Soak" if level >= SOAK else "PreHeat"
        values = [ReflowReading(SubZone="WholeZone", ReadingType="Temperature", ReadingValue=readings[channel])]
        duty = readings.get(f"{station}/zone{number}/duty")
        if duty is not None:
            values.append(ReflowReading(SubZone="WholeZone", ReadingType="PowerLevel", ReadingValue=duty * 100))
        wanted = [ReflowSetpoint(SubZone="WholeZone", SetpointType="Temperature", Setpoint=setpoints[c])
                  for c in (channel,) if c in setpoints]
        zone = ReflowZone(ReflowZoneType=kind, StageSequence=number, StageName=f"zone{number}")
        data.append(ReflowZoneData(Zone=zone, Setpoints=tuple(wanted), Readings=tuple(values)))
    per_minute = 6000.0                        # m/s → cm/min
    return ReflowProcessData(ConveyorSpeed=readings[belt] * per_minute,
                             ConveyorSpeedSetpoint=setpoints.get(belt, readings[belt]) * per_minute, ZoneData=tuple(data))


def package(station: str, supply: str, number: int, left: float) -> MaterialPackage:
    """The ``number``-th package of a supply on a station; quantities count boards' worths."""
    return MaterialPackage(UniqueIdentifier=f"SIM-{station}-{supply}-{number}", InternalPartNumber=supply, Quantity=left)


def installed(transaction: str, unit: str, packages: Sequence[MaterialPackage]) -> MaterialsInstalled:
    """One board's worth from each package that is mounted."""
    return MaterialsInstalled(TransactionId=transaction, InstalledMaterials=tuple(
        InstalledMaterial(UnitIdentifier=unit, QuantityInstalled=1.0, Material=p) for p in packages))


def loaded(location: str, new: MaterialPackage) -> MaterialsLoaded:
    return MaterialsLoaded(Materials=(MaterialLocation(LocationIdentifier=location, LocationName=new.InternalPartNumber,
                                                       MaterialPackage=new),))


__all__ = ["METHODS", "fault_of", "inspected", "installed", "loaded", "package", "printed", "processed", "reflowed", "tool_of"]
