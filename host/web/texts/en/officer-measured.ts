const many = (count: number, one: string, more = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

/** What is said of how a detector does. */
export const ROC = {
  title: (name: string) => `ROC curve of ${name}`,
  auc: (area: string) => `area ${area}`,
  label: (area: string, point: string) =>
    `ROC curve, area under it ${area}. Operating point: ${point} The slider reads out the rest.`,
  across: "false alarms among own requests",
  up: "built-in attacks found",
  chance: "chance",
  operating: "operating point",
  slide: (name: string) => `${name}: if alarms began elsewhere`,
  set: "As it is set:",
  share: (value: string, low: string, high: string) => `${value} (${low} to ${high})`,
  at: (belief: string, found: string, wrong: string) =>
    `from a belief of ${belief} on, ${found} of attacks found, ${wrong} false alarms.`,
  notYet: "Not measured yet: it takes own requests, and attacks put into some of them.",
  measured: (
    requests: number,
    since: string,
    { judged, of, version, carriers }: { judged: number; of: number; version: number; carriers: number },
  ) =>
    `Measured on ${many(requests, "own request")} since ${since}, of callers who had proved who they are, and on ${judged} of ${of} built-in attacks of version ${version}, put into ${many(carriers, "kind")} of these requests. In brackets: 95 % (Wilson).`,
  differ:
    "Real attackers differ: these attacks are public, and attackers write to be missed. Each request is judged alone; scanning and guessing show over many, to the scenarios.",
  kinds: "Found by kind of attack",
  foundOf: (kind: string, found: number, judged: number) => `${kind}: ${found} of ${judged}`,
} as const;

/** What is said of how many requests there were. */
export const TRAFFIC = {
  hour: "All requests a minute, last hour",
  day: "All requests in each quarter of an hour, last day",
  hourShort: "Hour",
  dayShort: "Day",
  service: "Service",
  outcomes: ["answered", "refused", "held", "failed"],
  summary: (sums: readonly number[]) =>
    `${many(sums[0] ?? 0, "request")} answered, ${sums[1] ?? 0} refused, ${sums[2] ?? 0} held back, ${sums[3] ?? 0} failed`,
  most: (count: number) => `most: ${count.toLocaleString("en")}`,
  off: "detection off: not counted",
  away: "did not say",
} as const;
