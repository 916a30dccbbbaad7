"""CFX messages: the names of the standard, the values of the run, marked as simulated, the same every time."""
from __future__ import annotations

import json
import types
import typing
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

import numpy as np
import pytest
from events_run import line, outcomes, run
from pydantic import BaseModel, ValidationError

from generators.events import cfx, cfx_models, cfx_structures
from generators.events.cfx_models import Message
from generators.events.cfx_names import Clock, Ids, handle, span
from generators.events.cfx_teller import SCALES
from generators.events.channels import ArrayReadings
from generators.events.outcomes import Call, Outcomes, calls_of, judges
from generators.events.replay import Scenery
from scenes import family
from scenes.errors import DatasetError, InputError, InvariantError
from scenes.line.model import Event, Line, Sensor, State, StationFlow
from scenes.line.quantities import UNITS

START = datetime(2026, 3, 2, 6, tzinfo=UTC)

# The table of the domain reference, 7.2, taken from the SDK's source. It shortens MaintenanceJobCode to "JobCode".
REFERENCE = {
    "Message": "MessageName Version TimeStamp UniqueID Source Target RequestID MessageBody",
    "UnitsInspected": "TransactionId InspectionMethod SamplingInformation Inspector RecipeName RecipeRevision InspectedUnits "
                      "InspectedPanel",
    "SamplingInformation": "SamplingMethod LotSize SampleSize",
    "InspectedUnit": "UnitIdentifier UnitPositionNumber OverallResult Inspections Verification TotalInspectionCount",
    "Inspection": "UniqueIdentifier InspectionName InspectionStartTime InspectionEndTime TestProcedure Comments Result "
                  "Verification VerificationDetail Error DefectsFound Symptoms Measurements RefNo",
    "Defect": "UniqueIdentifier DefectCode DefectCategory Description Comments ComponentOfInterest RegionOfInterest DefectImages "
              "Priority ConfidenceLevel RelatedMeasurements RelatedSymptoms Verification",
    "ComponentDesignator": "ReferenceDesignator UnitPosition PartNumber",
    "Region": "StartPointX StartPointY RegionSegments",
    "Image": "MimeType ImageData",
    "SolderPasteMeasurement": "X EX Y EY Z EZ DX DY Vol EVol A EA PX PY RXY AR Image",
    "OffsetMeasurement": "DX DY DZ RXY RZX RZY",
    "WorkStarted": "PrimaryIdentifier HermesIdentifier TransactionID Lane UnitCount Units RecipeName",
    "WorkCompleted": "PrimaryIdentifier HermesIdentifier TransactionID UnitCount Units Result",
    "UnitsProcessed": "TransactionId OverallResult CommonProcessData UnitProcessData",
    "ReflowProcessData": "ConveyorSpeed ConveyorSpeedSetpoint ZoneData",
    "ReflowZoneData": "Zone Setpoints Readings",
    "ReflowZone": "ReflowZoneType",
    "ReflowSetpoint": "SubZone",
    "SolderPastePrintingPCBProcessData": "Strokes Separation PeriodicCleanings OffsetX OffsetY OffsetTheta CycleTime",
    "Stroke": "PrintPressure PrintSpeed",
    "StationStateChanged": "OldState OldStateDuration NewState RelatedFault",
    "FaultOccurred": "Fault",
    "Fault": "Cause Severity FaultCode FaultOccurrenceId Lane Stage",
    "MaintenancePerformed": "MaintenanceType MaintenanceOrderNumber MaintenanceJobCode ConsumedMaterials Tasks",
    "MaintenanceTask": "Task Operator ManHoursConsumed",
}
# Members of the SDK's classes that the table leaves out.
SDK = {
    "Message": "", "UnitPosition": "UnitIdentifier PositionNumber PositionName X Y Rotation FlipX FlipY",
    "_Measurement": "UniqueIdentifier MeasurementName TimeRecorded Sequence Result CRDs", "Segment": "X Y",
    "ReflowZone": "StageSequence StageName StageType", "ReflowSetpoint": "SetpointType Setpoint",
    "ReflowReading": "SubZone ReadingType ReadingValue", "Separation": "Name SeparationSpeed SeparationDistance SeparationDelay",
    "PeriodicCleaning": "CleanFrequency CleanMode", "SolderPastePrintingPCBProcessData": "RecipeName",
    "ProcessedUnit": "UnitIdentifier UnitPositionNumber UnitResult UnitProcessData",
    "Operator": "OperatorIdentifier ActorType LastName FirstName LoginName", "MaintenanceTask": "TaskId",
    "MaterialPackage": "UniqueIdentifier InternalPartNumber Quantity",
    "MaterialLocation": "LocationIdentifier LocationName MaterialPackage CarrierInformation",
    "ConsumedMaterial": "MaterialLocation QuantityUsed QuantitySpoiled RemainingQuantity",
    "ToolHolder": "LocationUniqueIdentifier LocationName BaseName",
    "SMTHeadAndNozzle": "UniqueIdentifier Name HeadId HeadNozzleNumber NozzleType", "Stencil": "UniqueIdentifier Name",
    "SMTPlacementFault": "PlacementFaultType ProgramStep Designator MaterialLocation HeadAndNozzle",
    "InstalledComponent": "ReferenceDesignator InstallationTime",
    "InstalledMaterial": "UnitIdentifier UnitPositionNumber QuantityInstalled Material CarrierLocation InstalledComponents",
    "MaterialsInstalled": "TransactionId InstalledMaterials", "MaterialsLoaded": "Materials",
    "StencilCleaned": "Stencil StencilCleanMode TimeSinceLastClean CyclesSinceLastClean StencilCleanCycles StencilCleanTime",
    "ToolChanged": "OldTool ReturnedToHolder NewTool LoadedFromHolder",
    "EnergyConsumed": "StartTime EndTime EnergyUsed PeakPower MinimumPower MeanPower",
}
NAMES = {  # full names of classes in the SDK's source
    "WorkStarted": "CFX.Production.WorkStarted", "WorkCompleted": "CFX.Production.WorkCompleted",
    "UnitsInspected": "CFX.Production.TestAndInspection.UnitsInspected",
    "UnitsProcessed": "CFX.Production.Processing.UnitsProcessed",
    "MaterialsInstalled": "CFX.Production.Assembly.MaterialsInstalled",
    "MaterialsLoaded": "CFX.Materials.Storage.MaterialsLoaded",
    "StationStateChanged": "CFX.ResourcePerformance.StationStateChanged",
    "FaultOccurred": "CFX.ResourcePerformance.FaultOccurred",
    "MaintenancePerformed": "CFX.ResourcePerformance.MaintenancePerformed",
    "StencilCleaned": "CFX.ResourcePerformance.SolderPastePrinting.StencilCleaned",
    "ToolChanged": "CFX.ResourcePerformance.ToolChanged", "EnergyConsumed": "CFX.ResourcePerformance.EnergyConsumed",
}


def models() -> dict[str, type[BaseModel]]:
    every = [c for m in (cfx_structures, cfx_models) for c in vars(m).values()]
    found = [c for c in every if isinstance(c, type) and issubclass(c, BaseModel)]
    return {c.__name__: c for c in found if c.__name__ not in ("BaseModel", "Cfx", "Typed")}


def own(model: type[BaseModel]) -> set[str]:
    return {n for n in model.model_fields if n != "type_"}


def readings(duration: float = 500.0) -> ArrayReadings:
    times = np.arange(0.0, duration)
    levels = [-79e3, -80e3, 111.0, 247.0, 0.7 / 60, 52.5, 0.04, 1500.0]   # the line's sensors, in order
    return ArrayReadings([s.channel for s in line().sensors], times, np.tile(levels, (len(times), 1)))


def said(**more) -> list[Message]:
    return list(cfx.messages(run(), outcomes(), START, **more))


def of(kind: str, messages=None) -> list[typing.Any]:
    return [m.MessageBody for m in (said() if messages is None else messages) if m.MessageName.endswith("." + kind)]


def test_field_names_are_those_of_the_reference():
    known = models()
    for name, listed in REFERENCE.items():
        assert set(listed.split()) <= own(known[name]), name
    for name, model in known.items():
        allowed: set[str] = set()
        for parent in model.__mro__:
            allowed |= set(REFERENCE.get(parent.__name__, "").split()) | set(SDK.get(parent.__name__, "").split())
            if parent.__name__ == "_Fault":
                allowed |= set(REFERENCE["Fault"].split())
        assert own(model) == allowed, name


def test_message_names_are_those_of_the_sdk():
    assert dict(cfx.KINDS) == NAMES


def test_states_are_codes_that_cfx_knows():
    codes = typing.get_args(cfx_structures.ResourceState)
    assert {int(s) for s in State} <= set(codes)


def test_enumerations_of_the_reference():
    faults = typing.get_args(cfx_structures.SMTPlacementFaultType)
    assert {"VacuumError", "XAxisError", "PickupError", "PlacementError", "NozzleError", "ComponentDropped", "PartsExhaust",
            "FiducialError", "FeederError"} <= set(faults)
    assert set(typing.get_args(cfx_structures.ZoneType)) == {"PreHeat", "Soak", "Reflow", "Cool", "Prepare", "Vacuum"}
    assert set(typing.get_args(cfx_structures.Method)) == {"Human", "AOI", "SPI", "AXI"}


def test_json_to_model_to_json_is_identical(tmp_path):
    """F1 of the verification table."""
    messages = said(readings=readings(), setpoints={"reflow/zone7/temperature": 248.0})
    assert {m.MessageName for m in messages} >= set(NAMES.values()) - {"CFX.ResourcePerformance.EnergyConsumed"}
    assert cfx.write(tmp_path / "run.cfx.jsonl", messages) == len(messages)
    lines = (tmp_path / "run.cfx.jsonl").read_bytes().splitlines()
    for text, back in zip(lines, cfx.read(tmp_path / "run.cfx.jsonl"), strict=True):
        assert back.model_dump_json().encode() == text
        assert json.loads(text) == json.loads(back.model_dump_json())
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_type_comes_first():
    """.NET's reader wants $type to be the first member of an object."""
    def walk(value):
        if isinstance(value, dict):
            assert "$type" not in list(value)[1:], value
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for message in said(readings=readings()):
        body = json.loads(message.model_dump_json())["MessageBody"]
        assert body["$type"] == f"{message.MessageName}, CFX"
        walk(body)


def test_every_message_is_marked_as_simulated():
    for message in said():
        assert message.Source.startswith("SIMULATED.Demo.SMT.Line_3.")
        text = message.MessageBody.model_dump_json()
        for key in ("UnitIdentifier", "PrimaryIdentifier"):
            assert text.count(f'"{key}":"') == text.count(f'"{key}":"SIM-')
    good = json.loads(said()[0].model_dump_json())
    with pytest.raises(ValidationError, match="Source"):
        Message.model_validate(good | {"Source": "Demo.SMT.Line_3.printer"})


def test_what_the_standard_does_not_know_is_refused(tmp_path):
    message = json.loads(said()[0].model_dump_json())
    for change in ({"Simulated": True}, {"MessageBody": message["MessageBody"] | {"Colour": 1}},
                   {"MessageName": "CFX.Production.WorkStarted"}, {"TimeStamp": "yesterday"}, {"UniqueID": "1"},
                   {"MessageBody": {"$type": "CFX.Heartbeat, CFX"}}):
        with pytest.raises(ValidationError):
            Message.model_validate(message | change)
    (tmp_path / "x").write_text(json.dumps(message) + "\n" + json.dumps(message | {"Simulated": True}) + "\n")
    with pytest.raises(DatasetError, match=r"x:2: Simulated"):
        list(cfx.read(tmp_path / "x"))
    for junk in (b"\xff\n", b"[" * 100_000 + b"\n", b"{}\n", b"null\n", b"1e999\n", b" " * cfx.LONGEST_LINE + b"  \n"):
        (tmp_path / "x").write_bytes(junk)
        with pytest.raises(DatasetError, match=r"x:1: "):
            list(cfx.read(tmp_path / "x"))
    with pytest.raises(DatasetError, match="cannot be read"):
        list(cfx.read(tmp_path / "nothing"))


def test_messages_come_in_the_order_of_time_and_complete():
    messages = said()
    times = [datetime.fromisoformat(m.TimeStamp) for m in messages]
    assert times == sorted(times) and times[0] == START and all(t < START + timedelta(seconds=500) for t in times)
    count = Counter(m.MessageName.rsplit(".", 1)[-1] for m in messages)
    assert count["WorkStarted"] == np.isfinite(run().start).sum() == 13
    assert count["WorkCompleted"] == np.isfinite(run().finish).sum() == 12
    assert count["StationStateChanged"] == 6 and count["FaultOccurred"] == 3                     # one of them an alarm
    assert count["UnitsInspected"] == 2 + 2 + 1                                                  # SPI, AOI, AXI
    assert count["MaintenancePerformed"] == 1                     # zone 7's takes until after the end
    assert len({m.UniqueID for m in messages}) == len(messages)


def test_work_is_one_transaction_from_start_to_end():
    started, completed, found = of("WorkStarted"), of("WorkCompleted"), of("UnitsInspected")
    ids = {s.TransactionID for s in started}
    assert len(ids) == 13 and {c.TransactionID for c in completed} < ids and {f.TransactionId for f in found} < ids
    assert started[0].Units[0].UnitIdentifier == "SIM-Line_3-0000000" and started[0].UnitCount == 1


def test_ids_are_uuid5_of_run_and_place():
    space = cfx.namespace(run(), "week 12")
    assert all(Ids(space).of(n) == str(uuid5(space, n)) for n in ("", "work/spi/3", "ü" * 200))
    assert {m.UniqueID for m in said(name="week 12", kinds=["WorkStarted"], stations=["spi"])} == {
        str(uuid5(space, f"started/spi/{unit}")) for unit in range(3)}
    assert all(UUID(m.UniqueID).version == 5 for m in said())
    assert cfx.namespace(run()) == cfx.namespace(run()) != cfx.namespace(replace(run(), finish=run().finish + 1e-9))


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        cfx.write(tmp_path / name, cfx.messages(run(), outcomes(), START, readings=readings()))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("chosen", [{"stations": ["placement", "axi"]}, {"kinds": ["FaultOccurred", "StationStateChanged"]},
                                    {"between": (62.5, 190.0)}, {"between": (60.0, 400.0), "stations": ["reflow"]}])
def test_a_filter_leaves_out_and_changes_nothing(chosen):
    whole = {m.UniqueID: m for m in said()}
    part = said(**chosen)
    assert 0 < len(part) < len(whole) and all(whole[m.UniqueID] == m for m in part)
    low, high = chosen.get("between", (0.0, np.inf))
    wanted = [m for m in whole.values()
              if m.Source.rsplit(".", 1)[-1] in chosen.get("stations", [s.station for s in line().stations])
              and m.MessageName.rsplit(".", 1)[-1] in chosen.get("kinds", cfx.KINDS)
              and low <= (datetime.fromisoformat(m.TimeStamp) - START).total_seconds() < high]
    assert wanted == part


def test_messages_are_made_one_by_one():
    told = cfx.messages(run(), outcomes(), START)
    assert isinstance(told, types.GeneratorType)
    assert next(told).MessageName == "CFX.ResourcePerformance.StationStateChanged"


def test_states_say_how_long_they_lasted():
    changes = of("StationStateChanged", said(stations=["placement"]))
    assert [(c.OldState, c.NewState, c.OldStateDuration) for c in changes] == [
        (6000, 5000, "00:01:02.500000"), (5000, 5300, "00:00:02.500000"), (5300, 1000, "00:02:00.000000")]
    assert changes[0].RelatedFault.FaultCode == "nozzle_wear" and changes[1].RelatedFault == changes[0].RelatedFault
    assert changes[2].RelatedFault is None


def test_a_state_that_is_logged_before_its_fault_still_names_it():
    events = (Event(5.0, "aoi", "state", "5000"), Event(5.0, "aoi", "fault", "camera"), Event(9.0, "aoi", "state", "1000"))
    change, _ = of("StationStateChanged", cfx.messages(replace(run(), events=events), None, START))
    assert change.RelatedFault.FaultCode == "camera" and change.RelatedFault.Cause == "ElectricalFailure"


def test_faults_stop_and_alarms_warn():
    nozzle, alarm, heater = (f.Fault for f in of("FaultOccurred"))
    assert (nozzle.PlacementFaultType, nozzle.Severity, nozzle.HeadAndNozzle.HeadNozzleNumber) == ("NozzleError", "Error", 3)
    assert (alarm.Severity, alarm.FaultCode) == ("Warning", "zone_heater")
    assert (heater.Severity, heater.Cause) == ("Error", "ElectricalFailure") and not hasattr(heater, "PlacementFaultType")


def test_maintenance_is_told_when_it_is_over_and_changes_the_nozzle():
    done = next(m for m in said() if m.MessageName.endswith("MaintenancePerformed"))
    assert done.TimeStamp == "2026-03-02T06:03:05.000000+00:00"                                  # 65 s + 120 s
    assert done.MessageBody.MaintenanceType == "Repair" and done.MessageBody.MaintenanceJobCode == "nozzle_wear"
    task, = done.MessageBody.Tasks
    assert task.Operator.OperatorIdentifier == "Kim" and task.ManHoursConsumed == pytest.approx(120 / 3600)
    tool, = of("ToolChanged")
    assert tool.OldTool.UniqueIdentifier == "SIM-placement-nozzle3-0"
    assert tool.NewTool.UniqueIdentifier == "SIM-placement-nozzle3-1"
    assert tool.NewTool.type_ == "CFX.Structures.SMTPlacement.SMTNozzle, CFX"


def test_a_wipe_counts_boards_and_time():
    wipe, = of("StencilCleaned")
    assert (wipe.CyclesSinceLastClean, wipe.StencilCleanCycles) == (2, 1)                        # boards done at 20 s and 44 s
    assert (wipe.TimeSinceLastClean, wipe.StencilCleanTime) == ("00:00:52.000000", "00:00:30.000000")


def test_packages_are_used_up_and_replaced():
    events = (Event(30.0, "printer", "material", "paste", duration=10.0), Event(31.0, "placement", "shift", "end"))
    messages = list(cfx.messages(replace(run(), events=events), None, START, stations=["printer"]))
    new, = of("MaterialsLoaded", messages)
    assert new.Materials[0].MaterialPackage.UniqueIdentifier == "SIM-printer-paste-1"
    assert new.Materials[0].MaterialPackage.Quantity == 400.0
    used = [i.InstalledMaterials[0].Material for i in of("MaterialsInstalled", messages)]
    assert [(m.UniqueIdentifier[-1], m.Quantity) for m in used] == [("0", 400.0), ("0", 399.0), ("1", 399.0)]   # 20, 44, 70 s


def test_inspection_tells_real_defects_from_false_calls():
    inspections = {(m.Source.rsplit(".", 1)[-1], u.UnitIdentifier[-1]): u for m in said(kinds=["UnitsInspected"])
                   for u in m.MessageBody.InspectedUnits}
    good = inspections["spi", "0"]
    assert (good.OverallResult, good.Verification) == ("Passed", "NotVerifiedYet")
    real, false = inspections["aoi", "0"], inspections["aoi", "1"]
    assert (real.OverallResult, real.Verification) == ("Failed", "DefectConfirmed")
    assert (false.OverallResult, false.Verification) == ("Failed", "DefectRejected")
    defect, = real.Inspections[0].DefectsFound
    assert (defect.DefectCode, defect.DefectCategory) == ("tombstone", "Tombstone")
    assert defect.ComponentOfInterest.ReferenceDesignator == "R7"
    assert "nan" not in defect.Description and "0.31" in inspections["axi", "1"].Inspections[0].DefectsFound[0].Description
    look = real.Inspections[0]
    assert (look.InspectionStartTime[11:19], look.InspectionEndTime[11:19]) == ("06:05:57", "06:06:15")
    methods = {m.Source.rsplit(".", 1)[-1]: m.MessageBody for m in said(kinds=["UnitsInspected"])}
    assert {k: v.InspectionMethod for k, v in methods.items()} == {"spi": "SPI", "aoi": "AOI", "axi": "AXI"}
    assert methods["axi"].SamplingInformation.SamplingMethod == "FixedSample"                    # takes a fifth of the units


def test_paste_is_told_in_the_units_of_cfx():
    paste, = of("UnitsInspected", said(stations=["spi"]))[0].InspectedUnits[0].Inspections[0].Measurements
    assert (paste.Z, paste.EZ) == pytest.approx((0.110, 0.120))           # 110 µm in mm
    assert (paste.Vol, paste.EVol) == pytest.approx((21e-6, 24e-6))       # 21e-12 m³ = 0.021 mm³ = 21e-6 ml
    assert (paste.A, paste.EA) == pytest.approx((0.19, 0.2))              # mm²
    assert paste.DX == pytest.approx(0.005) and paste.DY == pytest.approx(-0.003) and paste.AR == 0.72 and paste.CRDs == "R7.1"


def test_where_calls_are_not_known_nobody_says_passed():
    for unknown in (None, Outcomes(defects=np.array([1, 1, 0], np.int32))):
        assert not of("UnitsInspected", cfx.messages(run(), unknown, START))
    passed = of("UnitsInspected", cfx.messages(run(), Outcomes(calls=()), START))
    assert len(passed) == 5 and {p.InspectedUnits[0].OverallResult for p in passed} == {"Passed"}


@pytest.mark.parametrize("call", [Call(0, "axi", "bga_void", "U1", 0.3), Call(0, "placement", "shift", "R1", 0.0),
                                  Call(3, "aoi", "shift", "R1", 0.0), Call(0, "xyz", "shift", "R1", 0.0)])
def test_a_call_on_a_unit_that_was_never_looked_at_is_a_bug(call):
    with pytest.raises(InvariantError, match="was never inspected"):
        next(cfx.messages(run(), Outcomes((call,)), START))


def test_verdicts_of_a_family_become_calls_and_escapes_do_not():
    verdicts = (family.Call("shift", "C3", (), True, True, True, 1e-4),
                family.Call("bridge", "U1", ("1", "2"), False, True, True, 0.0),
                family.Call("polarity", "D1", (), True, False, True, float("nan")))
    hit, false = calls_of(1, "aoi", verdicts)
    assert hit == Call(1, "aoi", "shift", "C3", 1e-4, True) and (false.defect, false.real) == ("polarity", False)


def test_the_oven_and_the_printer_tell_their_readings():
    messages = said(readings=readings(), setpoints={"reflow/zone7/temperature": 248.0, "reflow/conveyor/speed": 0.75 / 60})
    oven = of("UnitsProcessed", [m for m in messages if m.Source.endswith("reflow")])[0].CommonProcessData
    assert oven.ConveyorSpeed == pytest.approx(70.0) and oven.ConveyorSpeedSetpoint == pytest.approx(75.0)   # cm/min
    first, seventh = oven.ZoneData
    assert (first.Zone.ReflowZoneType, first.Zone.StageName, first.Setpoints) == ("PreHeat", "zone1", ())
    assert seventh.Zone.ReflowZoneType == "Reflow"
    assert (seventh.Setpoints[0].Setpoint, seventh.Readings[0].ReadingValue) == (248.0, 247.0)
    board = of("UnitsProcessed", [m for m in messages if m.Source.endswith("printer")])[0].CommonProcessData
    assert board.Strokes[0].PrintPressure == 52.5 and board.Strokes[0].PrintSpeed == pytest.approx(40.0)     # N, mm/s
    assert (board.CycleTime, board.PeriodicCleanings[0].CleanFrequency) == ("00:00:20.000000", 10)
    odd = ArrayReadings(["printer/squeegee/force"], np.array([0.0]), np.array([[78.7]]))         # not a float32
    assert '"PrintPressure":78.7,' in of("UnitsProcessed", said(readings=odd, stations=["printer"]))[0].model_dump_json()
    lost = ArrayReadings(["reflow/conveyor/speed"], np.array([0.0]), np.array([[np.nan]]))
    assert of("UnitsProcessed", said(readings=lost, stations=["reflow"]))[0].CommonProcessData is None


def test_zones_are_named_as_the_reference_oven_uses_them():
    """Domain reference 3.4: eight heated zones, two that cool."""
    levels = (110.0, 140.0, 160.0, 175.0, 190.0, 225.0, 248.0, 252.0, 130.0, 60.0)
    values = {f"reflow/zone{i}/temperature": v for i, v in enumerate(levels, 1)} | {"reflow/conveyor/speed": 0.01}
    from generators.events.cfx_bodies import reflowed
    assert [z.Zone.ReflowZoneType for z in reflowed("reflow", values, {}).ZoneData] == (
        ["PreHeat"] * 2 + ["Soak"] * 3 + ["Reflow"] * 3 + ["Cool"] * 2)


def in_units(units: dict[str, str]) -> tuple[Line, ArrayReadings]:
    """The line with sensors in these units, and what they read where it is 110 and 247 °C, a duty of 58.34 %, 0.70 m/min, 40 mm/s
    and 3.3 kW."""
    own = {"reflow/zone1/temperature": (110.0, "°C"), "reflow/zone7/temperature": (247.0, "°C"),
           "reflow/zone7/duty": (0.5834, "1"), "reflow/conveyor/speed": (0.70 / 60, "m/s"),
           "printer/squeegee/speed": (0.04, "m/s"), "placement/power": (3300.0, "W")}
    known = {"K": (1.0, 273.15), "%": (100.0, 0.0), "m/min": (60.0, 0.0), "mm/s": (1e3, 0.0), "kW": (1e-3, 0.0)}   # by hand
    sensors, values = [], []
    for channel, (value, unit) in own.items():
        scale, offset = known[units[unit]] if unit in units else (1.0, 0.0)
        sensors.append(Sensor(channel, channel.split("/")[0], channel.rsplit("/", 1)[1], units.get(unit, unit)))
        values.append(value * scale + offset)
    times = np.arange(0.0, 3700.0)
    return replace(line(), sensors=tuple(sensors)), ArrayReadings(list(own), times, np.tile(values, (len(times), 1)))


@pytest.mark.parametrize("units", [{}, {"°C": "K", "1": "%", "m/s": "m/min", "W": "kW"}, {"m/s": "mm/s"}])
def test_whatever_unit_a_sensor_has_messages_say_the_same(units):
    the, read = in_units(units)
    long = replace(run(), line=the, duration=3700.0)
    messages = list(cfx.messages(long, None, START, readings=read, setpoints={"reflow/zone7/temperature": 248.0,
                                                                              "reflow/conveyor/speed": 0.75 / 60}))
    oven = of("UnitsProcessed", [m for m in messages if m.Source.endswith("reflow")])[0].CommonProcessData
    assert (oven.ConveyorSpeed, oven.ConveyorSpeedSetpoint) == pytest.approx((70.0, 75.0))                   # cm/min
    first, seventh = oven.ZoneData
    assert (first.Zone.ReflowZoneType, seventh.Zone.ReflowZoneType) == ("PreHeat", "Reflow")
    assert [r.ReadingValue for z in oven.ZoneData for r in z.Readings] == pytest.approx([110.0, 247.0, 58.34])
    assert seventh.Setpoints[0].Setpoint == 248.0
    board = of("UnitsProcessed", [m for m in messages if m.Source.endswith("printer")])[0].CommonProcessData
    assert board.Strokes[0].PrintSpeed == pytest.approx(40.0)                                                # mm/s
    energy, = of("EnergyConsumed", messages)
    assert (energy.EnergyUsed, energy.MeanPower, energy.PeakPower) == pytest.approx((3.3, 3300.0, 3300.0))


def test_a_unit_means_the_same_for_every_quantity():
    """So the sensor's unit alone says how to go back."""
    assert len(SCALES) == sum(len(units) for units in UNITS.values())


def test_a_unit_that_nobody_knows_is_refused():
    the, read = in_units({})
    odd = replace(the, sensors=(replace(the.sensors[0], unit="°R"), *the.sensors[1:]))
    with pytest.raises(InputError, match=r"sensors\.reflow/zone1/temperature\.unit: '°R' is not known"):
        next(cfx.messages(replace(run(), line=odd), None, START, readings=read))


def test_an_aoi_before_the_oven_says_nothing_of_units():
    """Nobody judges there; who is behind the oven is told by the ways of units, not by their order in the file."""
    early = replace(line(), stations=tuple(replace(s, kind="aoi") if s.station == "spi" else s for s in line().stations))
    assert [s.station for s in judges(line())] == ["spi", "aoi", "axi"]
    assert [s.station for s in judges(early)] == ["aoi", "axi"]
    told = list(cfx.messages(replace(run(), line=early), Outcomes(()), START, kinds=["UnitsInspected"]))
    assert {m.Source.rsplit(".", 1)[-1] for m in told} == {"aoi", "axi"}
    assert Scenery(replace(run(), line=early), None, Outcomes(())).judges == {"aoi", "axi"}
    assert not Scenery(run(), None, Outcomes()).judges                    # where nobody was asked
    kinds = {"load": ("placement", ()), "oven": ("reflow", ("load",)), "look": ("aoi", ("load",)), "end": ("aoi", ("oven",))}
    stations = tuple(StationFlow(n, kind, n, after, 1.0) for n, (kind, after) in kinds.items())
    fork = replace(line(), stations=stations, sensors=(), drifts=())
    assert [s.station for s in judges(fork)] == ["end"]


def test_energy_of_an_hour():
    """1500 W for an hour are 1.5 kWh."""
    long = replace(run(), duration=7300.0)
    first, second = of("EnergyConsumed", cfx.messages(long, None, START, readings=readings(7300.0)))
    assert first.EnergyUsed == pytest.approx(1.5) and first.PeakPower == first.MinimumPower == first.MeanPower == 1500.0
    assert (second.StartTime[11:19], second.EndTime[11:19]) == ("07:00:00", "08:00:00")


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00:00.000000"), (85.5, "00:01:25.500000"),
                                               (86399.9999996, "1.00:00:00.000000"), (2 * 86400 + 3661, "2.01:01:01.000000"),
                                               (-1e-9, "00:00:00.000000")])
def test_durations_as_dotnet_writes_them(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize("start", [START, datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=9))),
                                   datetime(2024, 2, 28, 12, tzinfo=timezone(-timedelta(hours=3, minutes=30)))])
def test_moments_as_python_writes_them(start):
    for seconds in (0.0, 1e-6, 0.9999995, 59.5, 3600.0, 86400.0, 7 * 86400 + 0.123456):
        exact = start + timedelta(microseconds=round(seconds * 1e6))
        assert Clock(start).at(seconds) == exact.isoformat(timespec="microseconds")


def test_senders_are_handles():
    assert handle("Demo/SMT/Line 3/placement") == "SIMULATED.Demo.SMT.Line_3.placement"


def test_wrong_questions_are_refused():
    with pytest.raises(InputError, match="time zone"):
        next(cfx.messages(run(), None, datetime(2026, 1, 1)))
    with pytest.raises(InputError, match="stations: 'oven' is not known; known: printer, spi"):
        said(stations=["oven"])
    with pytest.raises(InputError, match="kinds: 'Heartbeat'"):
        said(kinds=["Heartbeat"])
