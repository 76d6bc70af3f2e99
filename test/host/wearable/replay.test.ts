import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Quantity } from "../../../host/sealing/index.ts";
import {
  type ColumnMap,
  ONLY_PATIENT,
  parseColumnMap,
  type ReplayOptions,
  readVitalsCsv,
} from "../../../host/wearable/index.ts";
import { batchesOf, csvFile, rejection, START, samplesOf, temporaryFolder } from "./csv-files.ts";

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const file = (...lines: string[]) => csvFile(folder, lines);

describe("a wide file", () => {
  it("is replayed unchanged, gaps kept at their time", async () => {
    const path = await file(
      "rec,t_s,HR,PULSE,RESP,SpO2",
      "1,-0,94,93,25,97",
      "1,1,94.25,NaN,,97",
      "2,0.5,60,61,12.1276927,NA",
    );
    expect(await batchesOf(path)).toEqual([
      {
        patient: "1",
        columns: [
          { quantity: "heartRate", times: [START, START + 1000], values: [94, 94.25] },
          { quantity: "pulseRate", times: [START, START + 1000], values: [93, null] },
          { quantity: "respiratoryRate", times: [START, START + 1000], values: [25, null] },
          { quantity: "oxygenSaturation", times: [START, START + 1000], values: [97, 97] },
        ],
      },
      {
        patient: "2",
        columns: [
          { quantity: "heartRate", times: [START + 500], values: [60] },
          { quantity: "pulseRate", times: [START + 500], values: [61] },
          { quantity: "respiratoryRate", times: [START + 500], values: [12.1276927] },
          { quantity: "oxygenSaturation", times: [START + 500], values: [null] },
        ],
      },
    ]);
  });

  it.each(["", " ", "NaN", "nan", "NA", "n/a", "null", "None", "-", "--", "?"])(
    "%j is a gap",
    async (text) => {
      expect(await samplesOf(await file("t,hr,spo2", `0,${text},97`))).toContainEqual([
        ONLY_PATIENT,
        "heartRate",
        START,
        null,
      ]);
    },
  );

  it("copes with a byte order mark, CRLF, quotes, blank lines and spaces", async () => {
    const path = await file('\ufeff"Time [s]", "HR" ,SpO2\r', '"0", 70,"97"\r', "\r", ",,\r", "1,71,98\r");
    expect((await samplesOf(path)).map(([, , time, value]) => [time - START, value])).toEqual([
      [0, 70],
      [1000, 71],
      [0, 97],
      [1000, 98],
    ]);
  });

  it("chooses one patient", async () => {
    const path = await file("subject,unix_s,hr_bpm", "a,1644226071,80", "b,1644226071,90", "a,1644226072,81");
    expect(await samplesOf(path, { patient: "b" })).toEqual([["b", "heartRate", 1644226071000, 90]]);
  });

  it("keeps two samples of one moment in the order of the file", async () => {
    const path = await file("t,hr", "0,70", "0,71");
    expect((await samplesOf(path)).map(([, , , value]) => value)).toEqual([70, 71]);
  });
});

describe("times", () => {
  it.each<[string, string, number, ReplayOptions]>([
    ["decimal seconds", "12.3456", START + 12_346, {}],
    ["hours and minutes since the start", "47:33", START + (47 * 60 + 33) * 60_000, {}],
    ["hours, minutes, seconds since the start", "00:01:02.5", START + 62_500, {}],
    ["unix seconds", "1644226071.25", 1_644_226_071_250, {}],
    ["unix milliseconds", "1644226071250", 1_644_226_071_250, {}],
    ["ISO 8601 in UTC", "2022-02-07T09:27:51Z", Date.UTC(2022, 1, 7, 9, 27, 51), {}],
    ["ISO 8601 with an offset", "2022-02-07T09:27:51.250+02:30", Date.UTC(2022, 1, 7, 6, 57, 51, 250), {}],
    ["ISO 8601 west of Greenwich", "2022-02-07 09:27-0500", Date.UTC(2022, 1, 7, 14, 27), {}],
    ["ISO 8601 without a zone", "2020-04-29  22:33:33", Date.UTC(2020, 3, 29, 22, 33, 33), {}],
    ["local time", "2020-04-29 22:33", Date.UTC(2020, 3, 29, 20, 33), { utcOffsetMinutes: 120 }],
    ["a date alone", "2020-04-29", Date.UTC(2020, 3, 29), {}],
    ["a US date", "4/1/2016 7:54:05 PM", Date.UTC(2016, 3, 1, 19, 54, 5), {}],
    ["a US midnight", "4/1/2016 12:00:00 AM", Date.UTC(2016, 3, 1), {}],
    ["a US date without AM", "4/13/2016 13:05", Date.UTC(2016, 3, 13, 13, 5), { timeFormat: "us-date" }],
    ["small unix seconds", "86400", 86_400_000, { timeFormat: "unix-seconds" }],
  ])("%s", async (_, text, time, options) => {
    expect((await samplesOf(await file("time,hr", `${text},70`), options))[0]?.[2]).toBe(time);
  });

  it.each([
    ["not a time", /Line 3, column "t": "not a time" is not a time/],
    ["", /Line 3, column "t"/],
    ["2022-02-07T09:27:51Z", /expected: seconds/],
    ["0.5", /Line 3, column "t": "0\.5" is earlier than line 2/],
  ])("%j after 1 second is refused", async (text, message) => {
    const path = await file("t,hr", "1,70", `${text},71`);
    await expect(batchesOf(path)).rejects.toEqual(rejection("WEARABLE_CSV_TIME", message));
  });

  it.each(["2022-02-30", "2022-01-01 24:10", "13/1/2016 1:00 PM", "1/1/2016 13:00 PM", "4/1/2016 7:54:05"])(
    "%s is no time, or could be two",
    async (text) => {
      await expect(batchesOf(await file("t,hr", `${text},70`))).rejects.toEqual(
        rejection("WEARABLE_CSV_TIME", /Line 2/),
      );
    },
  );

  it("asks for the start where times count from it", async () => {
    const path = await file("t,hr", "0,70");
    await expect(readVitalsCsv(path).next()).rejects.toEqual(rejection("WEARABLE_CSV_TIME", /startTime/));
  });

  it("may restart with another patient", async () => {
    const path = await file("id,t,hr", "a,5,70", "b,0,71", "a,6,72");
    expect(await samplesOf(path)).toHaveLength(3);
  });
});

describe("columns", () => {
  it.each<[string, Quantity]>([
    ["HR", "heartRate"],
    ["Heart Rate (bpm)", "heartRate"],
    ["hr_bpm", "heartRate"],
    ["8867-4", "heartRate"],
    ["pulse", "pulseRate"],
    ["respr", "respiratoryRate"],
    ["Respiratory Rate", "respiratoryRate"],
    ["SpO2 (%)", "oxygenSaturation"],
    ["Temp", "bodyTemperature"],
    ["bodyTemperature", "bodyTemperature"],
    ["sbp", "systolicPressure"],
    ["diastolic", "diastolicPressure"],
    ["steps", "steps"],
  ])("%s is %s", async (name, quantity) => {
    expect((await samplesOf(await file(`t,${name}`, "0,50")))[0]?.[1]).toBe(quantity);
  });

  it.each(["skin_temp_c", "SaO2", "rr", "average_spo2_value", "steps_count", "SysABP"])(
    "%s is not taken for anything",
    async (name) => {
      const path = await file(`t,hr,${name}`, "0,70,30");
      expect((await samplesOf(path)).map(([, quantity]) => quantity)).toEqual(["heartRate"]);
    },
  );

  it("takes a mapping over the names, and lets the rest be found", async () => {
    const path = await file("when,who,skin_temp_c,HR,PULSE", "0,x,33.5,70,71");
    const map: ColumnMap = { when: "time", who: "patient", skin_temp_c: "bodyTemperature", HR: "ignore" };
    expect((await samplesOf(path, { map })).map(([patient, quantity]) => `${patient} ${quantity}`)).toEqual([
      "x pulseRate",
      "x bodyTemperature",
    ]);
  });

  it.each<[string, ColumnMap | undefined, RegExp]>([
    [
      "Id,Time,Value",
      undefined,
      /columns are: Id, Time, Value\..*"Value": "heartRate".*--map Value=heartRate/,
    ],
    ["subject,unix_s,skin_temp_c", undefined, /Skin temperature is not body temperature/],
    ["activityHour,hr", undefined, /known to be the time.*"activityHour": "time"/],
    ["t,hr,heart_rate", undefined, /"hr" and "heart_rate" could both be heartRate.*"heart_rate": "ignore"/],
    ["t,timestamp,hr", undefined, /could both be time/],
    ["t,hr", { pulse: "pulseRate" }, /names "pulse", but there is no such column.*columns are: t, hr/],
    ["t,hr", { hr: "heartbeat" as "heartRate" }, /mapped to "heartbeat".*heartRate, pulseRate/],
  ])("%s is refused", async (header, map, message) => {
    const options = map === undefined ? {} : { map };
    await expect(batchesOf(await file(header, "0,1,2"), options)).rejects.toEqual(
      rejection("WEARABLE_CSV_COLUMNS", message),
    );
  });

  it("refuses to choose a patient where none are named", async () => {
    await expect(batchesOf(await file("t,hr", "0,70"), { patient: "1" })).rejects.toEqual(
      rejection("WEARABLE_CSV_COLUMNS", /no column is known to name patients.*t, hr/),
    );
  });

  it("reads pairs from a command line", () => {
    expect(parseColumnMap(["Value=heartRate", "a=b = time"])).toEqual({ Value: "heartRate", "a=b": "time" });
    for (const pair of ["Value", "=heartRate", "Value=heartbeat"]) {
      expect(() => parseColumnMap([pair])).toThrow(rejection("WEARABLE_CSV_COLUMNS", /write column=meaning/));
    }
  });
});

describe("a long file", () => {
  const lines = ["RecordID,Time,Parameter,Value", "7,00:07,HR,73", "7,00:07,GCS,15", "7,00:37,SysABP,118"];

  it("takes the parameters it knows", async () => {
    expect(await samplesOf(await file(...lines))).toEqual([["7", "heartRate", START + 7 * 60_000, 73]]);
  });

  it("takes mapped parameters too", async () => {
    const samples = await samplesOf(await file(...lines), {
      map: { SysABP: "systolicPressure", HR: "ignore" },
    });
    expect(samples).toEqual([["7", "systolicPressure", START + 37 * 60_000, 118]]);
  });

  it("keeps gaps", async () => {
    const samples = await samplesOf(await file(...lines, "7,00:40,Temp,"));
    expect(samples).toContainEqual(["7", "bodyTemperature", START + 40 * 60_000, null]);
  });

  it("names what it found where nothing is known", async () => {
    await expect(batchesOf(await file(...lines.slice(0, 1), ...lines.slice(2)))).rejects.toEqual(
      rejection("WEARABLE_CSV_EMPTY", /Found: GCS, SysABP/),
    );
  });
});

describe("faults", () => {
  it.each(["12,5", "abc", "0x10", "Infinity", "1e999", "7 0"])(
    "the value %j is named by line",
    async (text) => {
      const path = await file("t,hr", "0,70", `1,"${text}"`);
      await expect(batchesOf(path)).rejects.toEqual(
        rejection("WEARABLE_CSV_VALUE", /^Line 3, column "hr": the field is not a decimal number/),
      );
    },
  );

  it("a value is never repeated in the message", async () => {
    const path = await file("t,hr", "0,secret");
    await expect(batchesOf(path)).rejects.toMatchObject({ message: expect.not.stringContaining("secret") });
  });

  it("a row must say whose it is", async () => {
    await expect(batchesOf(await file("rec,t,hr", ",0,70"))).rejects.toEqual(
      rejection("WEARABLE_CSV_VALUE", /Line 2, column "rec"/),
    );
  });

  it.each([
    ["no line", [], {}, /file is empty/],
    ["only a header", ["rec,t,hr"], {}, /no row below/],
    ["nobody of that name", ["rec,t,hr", "1,0,70"], { patient: "2" }, /column "rec"/],
  ])("%s is empty", async (_, lines, options, message) => {
    const attempt = batchesOf(await file(...lines), options);
    await expect(attempt).rejects.toEqual(rejection("WEARABLE_CSV_EMPTY", message));
  });

  it.each([
    ["a field too many", "1,71,72"],
    ["an open quote", '1,"71'],
  ])("%s is not well-formed", async (_, line) => {
    await expect(batchesOf(await file("t,hr", "0,70", line))).rejects.toEqual(
      rejection("WEARABLE_CSV_SYNTAX", /line [34]/),
    );
  });

  it("a file that is not there", async () => {
    await expect(batchesOf(join(folder, "absent.csv"))).rejects.toEqual(
      rejection("WEARABLE_CSV_FILE", /absent\.csv cannot be read \(ENOENT\): check its path/),
    );
  });

  it.each([
    [{ batchSeconds: 0 }, /batchSeconds/],
    [{ batchSamples: -1 }, /batchSamples/],
    [{ startTime: 0.5 }, /startTime/],
    [{ delimiter: "" }, /delimiter/],
    [{ timeFormat: "dmy" as "seconds" }, /timeFormat must be one of seconds/],
  ])("the option %o", async (options, message) => {
    await expect(batchesOf(await file("t,hr", "0,70"), options)).rejects.toEqual(
      rejection("WEARABLE_CSV_OPTIONS", message),
    );
  });

  it.each([
    ["a semicolon", "time;hr", '";"'],
    ["a tab", "time\thr", "a tab"],
  ])("columns separated by %s, saying how to say so", async (_, header, named) => {
    await expect(
      batchesOf(await file(header, header.replace("time", "0").replace("hr", "70"))),
    ).rejects.toEqual(rejection("WEARABLE_CSV_OPTIONS", new RegExp(`separated by ${named}: .*--delimiter`)));
  });

  it("another delimiter can be told", async () => {
    expect(await samplesOf(await file("t;hr", "0;70"), { delimiter: ";" })).toHaveLength(1);
  });
});
