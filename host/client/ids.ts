import { z } from "zod";
import { bareUrl } from "../base/index.ts";
import { createTicketedCall, type TicketedService } from "./calls.ts";
import { eventsOf } from "./events.ts";

const SUBJECT = z.object({ kind: z.enum(["source", "account", "device"]), local: z.string() });
const EVIDENCE = z.object({ rule: z.string(), place: z.string(), name: z.string() });
const ALERT = z.object({
  id: z.string(),
  at: z.number(),
  subject: SUBJECT,
  rule: z.string(),
  about: z.string(),
  score: z.number(),
  count: z.number(),
  from: z.number(),
  to: z.number(),
  evidence: z.array(EVIDENCE),
});
const VOICE = z.object({
  operator: z.string(),
  members: z.array(z.string()),
  alarm: z.boolean(),
  weight: z.number(),
  trust: z.number(),
  detection: z.number(),
  falseAlarm: z.number(),
  trimmed: z.boolean(),
});
const RULING = z.object({
  ruling: z.enum(["lift", "confirm"]),
  by: z.string(),
  reason: z.string(),
  at: z.number(),
});
const DECISION = z.object({
  id: z.string(),
  at: z.number(),
  until: z.number(),
  subject: SUBJECT,
  measure: z.enum(["throttle", "challenge", "ban"]),
  origin: z.enum(["local", "mesh"]),
  simulated: z.boolean(),
  rules: z.array(z.string()),
  // JSON has no infinity: a certainty comes as null.
  logRatio: z.number().nullable(),
  threshold: z.number().nullable(),
  quorum: z.number(),
  voices: z.array(VOICE),
  text: z.string(),
});
const RULED = DECISION.extend({ endedAt: z.number().nullable(), ruling: RULING.nullable() });
const APPEAL = z.object({ id: z.string(), at: z.number(), decision: z.string(), text: z.string() });
const EXEMPTION = z.object({
  id: z.string(),
  at: z.number(),
  until: z.number(),
  kind: SUBJECT.shape.kind,
  local: z.string(),
  by: z.string(),
  reason: z.string(),
});
const NEXT = z.string().nullable();
const ALERTS = z.object({ alerts: z.array(ALERT), next: NEXT });
const DECISIONS = z.object({ decisions: z.array(RULED), next: NEXT });
const APPEALS = z.object({ appeals: z.array(APPEAL), next: NEXT });
const EXPLAINED = z.object({
  decision: RULED,
  alerts: z.array(ALERT.extend({ cause: z.boolean() })),
  appeals: z.array(APPEAL),
});
const MEMBERS = z.object({
  members: z.array(
    z.object({
      member: z.object({
        id: z.string(),
        operator: z.string(),
        url: z.string(),
        signingKey: z.string().optional(),
      }),
      detection: z.number(),
      falseAlarm: z.number(),
      trust: z.number(),
      expectation: z.number(),
      outcomes: z.number(),
      lastHeard: z.number().nullable(),
      alerts: z.number(),
      contact: z
        .object({ failures: z.number(), lastContact: z.number().nullable(), waiting: z.number() })
        .nullable(),
    }),
  ),
});
const SHARE = z.object({ value: z.number(), low: z.number(), high: z.number() });
const ROC_PLACE = z.object({ belief: z.number(), falseAlarm: SHARE, detection: SHARE });
const SELF_TEST = z.object({
  auc: z.number().nullable(),
  operatingPoint: ROC_PLACE,
  points: z.array(ROC_PLACE),
  benign: z.object({ requests: z.number(), since: z.number() }),
  attacks: z.object({
    version: z.number(),
    of: z.number(),
    judged: z.number(),
    carriers: z.number(),
    at: z.number().nullable(),
    kinds: z.array(z.object({ kind: z.string(), judged: z.number(), found: z.number() })),
  }),
});
const DETECTOR = z.object({
  mode: z.enum(["enforce", "simulate", "off"]),
  alarmAt: z.number(),
  prior: z.number(),
  rules: z.object({ count: z.number(), hash: z.string() }),
  model: z
    .object({
      hash: z.string().nullable(),
      version: z.number(),
      requests: z.number(),
      heldOut: z.number(),
      operatingPoint: z.object({ bits: z.number(), falseAlarm: z.number() }),
      benign: z.array(z.object({ strength: z.number(), falseAlarm: z.number() })),
    })
    .nullable(),
  // A service of before tells none.
  selfTest: SELF_TEST.nullable().default(null),
});
const SPANS = z.object({
  stepMs: z.number(),
  newestAt: z.number(),
  counts: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
});
const TRAFFIC = z.object({ since: z.number().nullable(), at: z.number(), hour: SPANS, day: SPANS });
const AFTER_RULING = z.object({ decision: RULED, stillHeld: z.array(z.string()) });

export type IdsAlert = z.infer<typeof ALERT>;
export type IdsDecision = z.infer<typeof RULED>;
export type IdsExplanation = z.infer<typeof EXPLAINED>;
export type IdsMember = z.infer<typeof MEMBERS>["members"][number];
export type IdsDetector = z.infer<typeof DETECTOR>;
/** How a running detector does, measured on the service's own requests and on built-in attacks. */
export type IdsSelfTest = z.infer<typeof SELF_TEST>;
/** How many requests a service had by minutes and quarters of an hour: answered, refused, held, failed. */
export type IdsTraffic = z.infer<typeof TRAFFIC>;
export type IdsExemption = z.infer<typeof EXEMPTION>;
export type IdsAppeal = z.infer<typeof APPEAL>;

/** Something that happens while an officer watches. */
export type IdsNews =
  | { readonly event: "alert"; readonly alert: IdsAlert }
  | { readonly event: "decision"; readonly decision: z.infer<typeof DECISION> }
  | { readonly event: "ended"; readonly decision: string }
  | { readonly event: "appeal"; readonly appeal: IdsAppeal }
  | { readonly event: "fault"; readonly what: string };

const NEWS = {
  alert: z.unknown().transform((value) => ({ event: "alert" as const, alert: ALERT.parse(value) })),
  decision: z
    .unknown()
    .transform((value) => ({ event: "decision" as const, decision: DECISION.parse(value) })),
  ended: z.object({ decision: z.string() }).transform((value) => ({ event: "ended" as const, ...value })),
  appeal: z.unknown().transform((value) => ({ event: "appeal" as const, appeal: APPEAL.parse(value) })),
  fault: z.object({ what: z.string() }).transform(({ what }) => ({ event: "fault" as const, what })),
};

/** What a list is asked for; absent fields do not matter. */
export type IdsQuery = Readonly<Record<string, string | number | undefined>>;

/** What a security officer sees and does at one service. */
export interface IdsClient {
  alerts(query?: IdsQuery): Promise<{ alerts: IdsAlert[]; next: string | null }>;
  decisions(query?: IdsQuery): Promise<{ decisions: IdsDecision[]; next: string | null }>;
  /** @throws MedcloudletError `IDS_DECISION_UNKNOWN` */
  explain(decision: string): Promise<IdsExplanation>;
  /** @throws MedcloudletError `IDS_DECISION_UNKNOWN`, `IDS_RULED_ALREADY` */
  rule(
    decision: string,
    ruling: "lift" | "confirm",
    reason: string,
  ): Promise<{ decision: IdsDecision; stillHeld: string[] }>;
  members(): Promise<IdsMember[]>;
  /** What judges requests there, and where it was set. */
  detector(): Promise<IdsDetector>;
  traffic(): Promise<IdsTraffic>;
  exemptions(): Promise<IdsExemption[]>;
  exempt(
    about: { readonly address: string } | { readonly decision: string },
    hours: number,
    reason: string,
  ): Promise<IdsExemption>;
  /** @throws MedcloudletError `IDS_EXEMPTION_UNKNOWN` */
  endExemption(id: string): Promise<void>;
  appeals(query?: IdsQuery): Promise<{ appeals: IdsAppeal[]; next: string | null }>;
  /** One subscription: it ends when the service ends it, after five minutes at most. */
  follow(signal: AbortSignal): AsyncIterable<IdsNews>;
}

/** What a security officer asks one service, with a `watch` ticket. */
export function createIdsClient(options: TicketedService): IdsClient {
  const { http, ticket } = options;
  const base = `${bareUrl(options.url)}/v1/ids`;
  const call = createTicketedCall({ http, base, ticket });
  const withQuery = (path: string, query: IdsQuery = {}): string => {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
  };

  return {
    alerts: (query) => call(ALERTS, "GET", withQuery("/alerts", query)),
    decisions: (query) => call(DECISIONS, "GET", withQuery("/decisions", query)),
    explain: (decision) => call(EXPLAINED, "GET", `/decisions/${encodeURIComponent(decision)}`),
    rule: (decision, ruling, reason) =>
      call(AFTER_RULING, "POST", `/decisions/${encodeURIComponent(decision)}/rulings`, { ruling, reason }),
    members: async () => (await call(MEMBERS, "GET", "/members")).members,
    detector: () => call(DETECTOR, "GET", "/detector"),
    traffic: () => call(TRAFFIC, "GET", "/traffic"),
    exemptions: async () =>
      (await call(z.object({ exemptions: z.array(EXEMPTION) }), "GET", "/exemptions")).exemptions,
    exempt: (about, hours, reason) => call(EXEMPTION, "POST", "/exemptions", { ...about, hours, reason }),
    endExemption: async (id) => {
      await call(z.unknown(), "DELETE", `/exemptions/${encodeURIComponent(id)}`);
    },
    appeals: (query) => call(APPEALS, "GET", withQuery("/appeals", query)),
    async *follow(signal) {
      const response = await http.send({
        ...{ method: "GET" as const, url: `${base}/events`, credentials: await ticket(), signal },
      });
      for await (const { event = "", data } of eventsOf(response, signal, "the service")) {
        const parsed = Object.hasOwn(NEWS, event)
          ? NEWS[event as keyof typeof NEWS].safeParse(JSON.parse(data))
          : null;
        if (parsed?.success) {
          yield parsed.data;
        }
      }
    },
  };
}
