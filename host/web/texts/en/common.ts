// What every view says, and what those about readings say.
export const product = "medcloudlet";
export const tagline = "Sealed on the wrist, opened here. Nobody in between can read it.";
export const login = {
  title: "Log in",
  handle: "Handle",
  password: "Password",
  code: "Code of your second factor",
  codeHint: "six digits from your authenticator app",
  passphrase: "Passphrase of your keys",
  passphraseHint: "It stays in this browser. Without it, nobody can read what is shared with you.",
  kept: "You are logged in already. Your passphrase opens your keys on this machine.",
  button: "Log in and unlock",
  busy: "Unlocking your keys…",
  keep: "Keep my locked keys in this browser, so that next time my passphrase is enough. Only on a machine of your own.",
  noBackup:
    "Your keys are not at the KDC. On the machine that has them, run `medcloudlet account backup --automatic`, then come back.",
};
export const unlock = {
  title: "Locked",
  who: (handle: string) => `Your passphrase opens the page again, ${handle}.`,
  button: "Unlock",
  other: "Log out, or be somebody else",
  sessionOver: "Your session is over: log in again.",
};
export const factorMissing = {
  title: "First, a second factor",
  what: "Your role needs one before anything else. On the machine that has your keys, run:",
};
export const account = {
  title: "Your account",
  name: "Name",
  handle: "Handle",
  role: "Role",
  fingerprintHint: "Read it to those who share with you: it proves that the key they find is yours.",
  lockAfter: "This machine locks the page when nobody touches it for",
  lockAfterMinutes: (minutes: number) =>
    minutes < 60
      ? `${minutes} minutes`
      : minutes === 60
        ? "an hour"
        : `${minutes / 60} hours (a screen on a wall)`,
};
/** What the bar calls each place. */
export const pages = {
  account: "Account",
  patients: "Patients",
  alerts: "Alerts",
  emergencies: "Emergencies",
  readings: "My readings",
  sharing: "Sharing",
  trail: "Who read my record",
  devices: "Wearables",
  emergency: "Emergency",
  partners: "Partners",
  watch: "Watch",
  network: "Network",
  model: "Model",
  audit: "Audit",
  keys: "Keys",
};
export const list = {
  title: "Patients",
  empty: "Nobody shares readings with you yet. A patient does so with `medcloudlet keys share`.",
  loading: "Opening what is shared with you…",
  noReadings: "no readings yet",
  refusedGrants: (count: number) =>
    `${count} ${count === 1 ? "grant was" : "grants were"} refused: not signed as ${count === 1 ? "it" : "they"} should be.`,
  incomplete: "at least; some parameters were not measured",
  sharedUntil: (date: string) => `shared until ${date}`,
};
export const patient = {
  back: "All patients",
  fingerprint: "Fingerprint",
  compare: "Compare it with what the patient reads out to you.",
  gone: "This patient no longer shares readings with you.",
};
export const readings = {
  batches: (count: number) => `${count} ${count === 1 ? "batch" : "batches"} opened on this machine`,
  refused: (count: number, why: string) =>
    `${count} ${count === 1 ? "batch was" : "batches were"} refused and not shown: ${why}`,
  notShared: (count: number) =>
    `${count} ${count === 1 ? "batch is" : "batches are"} of times that were not shared with you.`,
  trouble: (why: string) => `Nothing comes through at the moment, readings may be missing: ${why}`,
  live: "Live",
  toNow: "Now",
  ranges: { hour: "1 h", sixHours: "6 h", day: "24 h", week: "7 d", all: "All" },
  rangesLabel: "Time shown",
  band: "0 in NEWS2",
  systolicBand: "systolic 0 in NEWS2",
  plainBand: "usual range",
  plainSystolicBand: "usual range of the upper value",
};
export const score = {
  label: "NEWS2",
  high: "emergency",
  medium: "urgent",
  lowMedium: "one value is extreme",
  low: "low",
  none: "not scored",
};
export const vitals = {
  heartRate: "Heart rate",
  respiratoryRate: "Respiratory rate",
  oxygenSaturation: "Oxygen saturation",
  bodyTemperature: "Temperature",
  bloodPressure: "Blood pressure",
  short: {
    heartRate: "HR",
    respiratoryRate: "RR",
    oxygenSaturation: "SpO₂",
    bodyTemperature: "T",
    bloodPressure: "BP",
  },
  measured: (age: string) => `measured ${age}`,
  systolic: "systolic",
  diastolic: "diastolic",
};
export const bar = {
  label: "Page",
  lock: "Lock",
  logOut: "Log out",
  loggedInAs: (name: string, role: string) => `${name}, ${role}`,
};
export const age = {
  now: "just now",
  seconds: (n: number) => `${n} s ago`,
  minutes: (n: number) => `${n} min ago`,
  hours: (n: number) => `${n} h ago`,
  days: (n: number) => `${n} d ago`,
  /** Where there is little room, and something else says that it is an age. */
  short: (age: string) => age.replace(/ ago$/, ""),
};
