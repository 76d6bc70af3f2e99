import { MedcloudletError } from "../base/index.ts";
import { QUANTITIES, type Quantity } from "../sealing/index.ts";

/** What a column means. In a long file a quantity may also be given to a name found in the parameter column. */
export type ColumnRole = Quantity | "time" | "patient" | "parameter" | "value" | "ignore";

/** Column name (or, in a long file, parameter name) to its meaning. */
export type ColumnMap = Readonly<Record<string, ColumnRole>>;

/** Where things stand in a row. A wide file has a column per quantity, a long one a row per value. */
export type CsvLayout = {
  readonly header: readonly string[];
  readonly time: number;
  /** `null` where the file is about one person only. */
  readonly patient: number | null;
} & (WideColumns | LongColumns);

interface WideColumns {
  readonly shape: "wide";
  readonly quantities: readonly { readonly quantity: Quantity; readonly index: number }[];
}

interface LongColumns {
  readonly shape: "long";
  readonly parameter: number;
  readonly value: number;
  /** Quantity of a parameter name, or null where that parameter is not replayed. */
  quantityOf(parameter: string): Quantity | null;
}

/**
 * Well-known names, without case and anything but letters and digits. Left out on purpose, to be mapped by hand:
 * skin temperature (not body temperature), arterial saturation SaO2 (not pulse oximetry), invasive pressure
 * (it would mix with the cuff's), averages and daily sums, and RR and PR, which are intervals as often as rates.
 */
const QUANTITY_NAMES: Readonly<Record<Quantity, readonly string[]>> = {
  heartRate: ["hr", "hrbpm", "bpm", "heartrate", "heartratebpm"],
  pulseRate: ["pulse", "pulsebpm", "pulserate", "pulseratebpm"],
  respiratoryRate: ["resp", "respr", "resprate", "respiration", "respirationrate", "respiratoryrate"],
  oxygenSaturation: ["spo2", "spo2percent", "oxygensaturation", "bloodoxygen"],
  bodyTemperature: [
    "temp",
    "tempc",
    "temperature",
    "temperaturec",
    "bodytemp",
    "bodytempc",
    "bodytemperature",
  ],
  systolicPressure: ["sbp", "nisysabp", "nibpsys", "systolic", "systolicbp", "systolicpressure"],
  diastolicPressure: ["dbp", "nidiasabp", "nibpdias", "diastolic", "diastolicbp", "diastolicpressure"],
  steps: ["steps", "stepcount"],
};
const TIME_NAMES = [
  ...["t", "ts", "time", "times", "timesec", "timeseconds", "seconds", "offset", "offsets"],
  ...["unix", "unixs", "unixms", "unixtime", "epoch", "epochs", "epochms"],
  ...["timestamp", "timestampms", "datetime", "measurementdatetime", "recordedat", "date"],
];
/** The first that a file has is the patient: a bare `Id` only where nothing says it better. */
const PATIENT_NAMES = [
  ...["patient", "patientid", "subject", "subjectid", "participant", "participantid"],
  ...["rec", "record", "recordid", "user", "userid", "usercode", "id"],
];
const PARAMETER_NAMES = ["parameter", "param", "quantity", "vital", "vitalsign", "measurement", "variable"];
const VALUE_NAMES = ["value", "val", "valuenum", "result"];
const OTHER_ROLES: readonly ColumnRole[] = ["time", "patient", "parameter", "value", "ignore"];

const normalise = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/**
 * Reads `column=meaning` pairs, as a command line gives them.
 * @throws MedcloudletError `WEARABLE_CSV_COLUMNS` for a pair without `=` or an unknown meaning
 */
export function parseColumnMap(pairs: readonly string[]): ColumnMap {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf("=");
      const role = pair.slice(at + 1).trim();
      if (at < 1 || !isRole(role)) {
        throw columnsError(
          `"${pair}" is not a mapping: write column=meaning, the meaning one of ${roles()}.`,
        );
      }
      return [pair.slice(0, at).trim(), role];
    }),
  );
}

/**
 * Finds out what the columns of a header line mean: as `map` says, else by well-known names.
 * @throws MedcloudletError `WEARABLE_CSV_COLUMNS` where time or quantities are not found, or two columns claim the
 *   same meaning; the message lists the columns and shows a mapping
 */
export function resolveColumns(header: readonly string[], map: ColumnMap = {}): CsvLayout {
  checkRoles(map);
  const free = (index: number) => !Object.hasOwn(map, header[index] as string);
  const find = (role: ColumnRole, names: readonly string[]) => {
    const given = indices(header, (name) => Object.hasOwn(map, name) && map[name] === role);
    const known = indices(header, (name, index) => free(index) && names.includes(normalise(name)));
    return single(header, role, given.length > 0 ? given : known);
  };

  const time = find("time", TIME_NAMES);
  const patientName = PATIENT_NAMES.find((name) => header.some((h, i) => free(i) && normalise(h) === name));
  const patient = find("patient", patientName === undefined ? [] : [patientName]);
  const parameter = find("parameter", PARAMETER_NAMES);
  const value = find("value", VALUE_NAMES);
  if (time === null) {
    throw columnsError(
      `No column is known to be the time. ${listed(header)} ${exampleOf(likelyTime(header), "time")}`,
      header,
    );
  }
  if (parameter !== null && value !== null) {
    const quantityOf = quantityFinder(map);
    return { header, time, patient, shape: "long", parameter, value, quantityOf };
  }

  const quantities = (Object.keys(QUANTITIES) as Quantity[]).flatMap((quantity) => {
    const index = find(quantity, namesOf(quantity));
    return index === null ? [] : [{ quantity, index }];
  });
  const unknown = Object.keys(map).find((name) => !header.includes(name));
  if (unknown !== undefined) {
    throw columnsError(
      `The mapping names "${unknown}", but there is no such column. ${listed(header)}`,
      header,
    );
  }
  if (quantities.length === 0) {
    const candidate = header.find((_, index) => ![time, patient, parameter].includes(index));
    throw columnsError(
      `No column is known to be a vital sign. ${listed(header)} ${exampleOf(candidate, "heartRate")}${skinHint(header)}`,
      header,
    );
  }
  return { header, time, patient, shape: "wide", quantities };
}

function namesOf(quantity: Quantity): readonly string[] {
  return [...QUANTITY_NAMES[quantity], normalise(quantity), normalise(QUANTITIES[quantity].loinc)];
}

function quantityFinder(map: ColumnMap): (parameter: string) => Quantity | null {
  const known = new Map<string, Quantity>();
  for (const quantity of Object.keys(QUANTITIES) as Quantity[]) {
    for (const name of namesOf(quantity)) {
      known.set(name, quantity);
    }
  }
  return (parameter) => {
    const role = Object.hasOwn(map, parameter) ? map[parameter] : known.get(normalise(parameter));
    return role !== undefined && isQuantity(role) ? role : null;
  };
}

function indices(header: readonly string[], matches: (name: string, index: number) => boolean): number[] {
  return header.flatMap((name, index) => (matches(name, index) ? [index] : []));
}

function single(header: readonly string[], role: ColumnRole, found: readonly number[]): number | null {
  if (found.length <= 1) {
    return found[0] ?? null;
  }
  const names = found.map((index) => `"${header[index]}"`).join(" and ");
  throw columnsError(
    `Columns ${names} could both be ${role}: map one of them to ignore. ${exampleOf(header[found[1] as number], "ignore")}`,
    header,
  );
}

function checkRoles(map: ColumnMap): void {
  for (const [name, role] of Object.entries(map)) {
    if (!isRole(role)) {
      throw columnsError(
        `Column "${name}" is mapped to "${String(role)}", which is no meaning; use one of ${roles()}.`,
      );
    }
  }
}

function isQuantity(role: string): role is Quantity {
  return Object.hasOwn(QUANTITIES, role);
}

function isRole(role: string): role is ColumnRole {
  return isQuantity(role) || (OTHER_ROLES as readonly string[]).includes(role);
}

function roles(): string {
  return [...Object.keys(QUANTITIES), ...OTHER_ROLES].join(", ");
}

function listed(header: readonly string[]): string {
  return `The columns are: ${header.join(", ")}.`;
}

function exampleOf(column: string | undefined, role: ColumnRole): string {
  const name = column ?? "column";
  return `Say what they mean with a mapping such as { ${JSON.stringify(name)}: "${role}" } (--map ${name}=${role}).`;
}

function likelyTime(header: readonly string[]): string | undefined {
  return header.find((name) => /time|date|day|hour/i.test(name)) ?? header[0];
}

function skinHint(header: readonly string[]): string {
  return header.some((name) => normalise(name).includes("skin"))
    ? " Skin temperature is not body temperature and is never taken for it."
    : "";
}

function columnsError(message: string, columns: readonly string[] = []): MedcloudletError {
  return new MedcloudletError("WEARABLE_CSV_COLUMNS", message, { status: 400, details: { columns } });
}
