import { z } from "zod";
import { type Clock, MedcloudletError } from "../../base/index.ts";
import { addressKey, createRateLimiter } from "../../http/index.ts";
import type { Routes } from "../../identity/index.ts";
import { idSchema } from "../../sealing/index.ts";
import { parseRange } from "./addresses.ts";
import type { Desk } from "./desk.ts";
import type { Followers } from "./followers.ts";
import type { IdsStore, KeptAppeal, KeptDecision, KeptExemption } from "./store.ts";

const WATCH_MS = 5 * 60_000;
const HOUR_MS = 60 * 60_000;
/** Objections that one address may send. */
const APPEAL_LIMIT = { points: 10, seconds: 3600 };

const name = z.string().regex(/^[\w.:-]{1,128}$/, "expected letters, digits, '_', '-', '.' and ':'");
const time = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
/** What a person writes: lines, but nothing that moves a terminal's cursor. */
const prose = (least: number, most: number) =>
  z
    .string()
    .trim()
    .min(least)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u, "must not hold control characters or line breaks");

/** `at` and id of the last one of the page before. */
const CURSOR = z
  .string()
  .regex(/^\d{1,16}:[0-9a-f]{32}$/, "expected the cursor of the page before")
  .transform((text) => {
    const colon = text.indexOf(":");
    return { at: Number(text.slice(0, colon)), id: text.slice(colon + 1) };
  });
const PAGE = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: CURSOR.optional(),
  since: time.optional(),
};
const KIND = z.enum(["source", "account", "device"]);
const ALERTS = z.strictObject({
  ...PAGE,
  kind: KIND.optional(),
  subject: name.optional(),
  rule: name.optional(),
});
const DECISIONS = z.strictObject({
  ...PAGE,
  kind: KIND.optional(),
  subject: name.optional(),
  measure: z.enum(["throttle", "challenge", "ban"]).optional(),
  state: z.enum(["in-force", "all"]).default("in-force"),
});
const APPEALS = z.strictObject({ ...PAGE, decision: idSchema.optional() });
const BY_ID = z.strictObject({ id: idSchema });
const RULING = z.strictObject({ ruling: z.enum(["lift", "confirm"]), reason: prose(5, 500) });
const EXEMPTION = z
  .strictObject({
    decision: idSchema.optional(),
    address: z.union([z.ipv4(), z.ipv6()], { error: "expected an IPv4 or IPv6 address" }).optional(),
    hours: z.number().gt(0).max(8760),
    reason: prose(5, 500),
  })
  .refine(({ decision, address }) => (decision === undefined) !== (address === undefined), {
    error: "give either a decision or an address",
    path: ["address"],
  });
const APPEAL = z.strictObject({ decision: idSchema, appeal: prose(5, 1000) });

type Cursor = z.infer<typeof CURSOR>;

/** Newest first, from behind the cursor. */
function behind(before: Cursor | undefined) {
  return before === undefined
    ? {}
    : {
        $or: [{ at: { $lt: before.at } }, { at: { $eq: before.at }, _id: { $lt: before.id } }],
      };
}
const equals = <K extends string, V>(field: K, value: V | undefined) =>
  value === undefined ? {} : ({ [field]: { $eq: value } } as Record<K, { $eq: V }>);
const NEWEST = { at: -1, _id: -1 } as const;

function pageOf<T extends { readonly _id: string; readonly at: number }>(found: readonly T[], limit: number) {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return { shown, next: found.length > limit && last !== undefined ? `${last.at}:${last._id}` : null };
}

const presentDecision = ({ decision, endedAt, ruling }: KeptDecision) => ({ ...decision, endedAt, ruling });
const presentExemption = ({ _id, forgetAt: _, shared: __, ...exemption }: KeptExemption) => ({
  id: _id,
  ...exemption,
});
const presentAppeal = ({ _id, forgetAt: _, ...appeal }: KeptAppeal) => ({ id: _id, ...appeal });

/** What the intrusion detection found and did, under `/v1/ids` of every service, for who holds a `watch` ticket. */
export function addIdsRoutes(
  routes: Routes,
  rooms: {
    readonly desk: Desk;
    readonly kept: IdsStore;
    readonly followers: Followers;
    readonly clock: Clock;
  },
): void {
  const { desk, kept, followers, clock } = rooms;
  const appealLimit = createRateLimiter(APPEAL_LIMIT);

  routes.ticket("watch", {
    method: "get",
    path: "/ids/alerts",
    action: "ids.alerts",
    query: ALERTS,
    async handle({ query: { limit, before, since, kind, subject, rule } }) {
      const filter = {
        ...(since === undefined ? {} : { at: { $gte: since } }),
        ...equals("kind", kind),
        ...equals("local", subject),
        ...equals("rule", rule),
      };
      const found = await kept.alerts.find(
        { $and: [filter, behind(before)] },
        { sort: NEWEST, limit: limit + 1 },
      );
      const { shown, next } = pageOf(found, limit);
      return { status: 200, json: { alerts: shown.map(({ alert }) => alert), next } };
    },
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/decisions",
    action: "ids.decisions",
    query: DECISIONS,
    async handle({ query: { limit, before, since, kind, subject, measure, state } }) {
      const running = { until: { $gt: clock.now() }, endedAt: { $eq: null } };
      const filter = {
        ...(since === undefined ? {} : { at: { $gte: since } }),
        ...equals("kind", kind),
        ...equals("local", subject),
        ...equals("measure", measure),
        ...(state === "in-force" ? running : {}),
      };
      const found = await kept.decisions.find(
        { $and: [filter, behind(before)] },
        { sort: NEWEST, limit: limit + 1 },
      );
      const { shown, next } = pageOf(found, limit);
      return { status: 200, json: { decisions: shown.map(presentDecision), next } };
    },
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/decisions/:id",
    action: "ids.explain",
    params: BY_ID,
    async handle({ params }) {
      const found = await desk.decision(params.id);
      const { kind, local, decision } = found;
      const [alerts, appeals] = await Promise.all([
        kept.alerts.find({ kind: { $eq: kind }, local: { $eq: local } }, { sort: NEWEST, limit: 50 }),
        kept.appeals.find({ decision: { $eq: found._id } }, { sort: NEWEST, limit: 20 }),
      ]);
      // Those that it rests on first; beside them what else was seen of the same subject.
      const behindIt = new Set(decision.alerts);
      const own = alerts.map(({ alert }) => ({ ...alert, cause: behindIt.has(alert.id) }));
      return {
        status: 200,
        json: {
          decision: presentDecision(found),
          alerts: own.sort((a, b) => Number(b.cause) - Number(a.cause) || b.at - a.at),
          appeals: appeals.map(presentAppeal),
        },
      };
    },
  });

  routes.ticket("watch", {
    method: "post",
    path: "/ids/decisions/:id/rulings",
    action: "ids.rule",
    params: BY_ID,
    body: RULING,
    async handle({ params, body: { ruling, reason }, grant, actingAs, concerning }) {
      actingAs({ id: grant.staff, role: "security-officer" });
      concerning({ object: params.id, details: { ruling, reason } });
      const { decision, stillHeld } = await desk.rule({
        ...{ decision: params.id, ruling, reason, by: grant.staff },
      });
      return { status: 201, json: { decision: presentDecision(decision), stillHeld } };
    },
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/members",
    action: "ids.members",
    handle: async () => ({ status: 200, json: { members: await desk.members() } }),
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/detector",
    action: "ids.detector",
    handle: () => ({ status: 200, json: desk.detector() }),
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/traffic",
    action: "ids.traffic",
    handle: () => ({ status: 200, json: desk.traffic() }),
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/exemptions",
    action: "ids.exemptions",
    async handle() {
      const found = await kept.exemptions.find(
        { until: { $gt: clock.now() } },
        { sort: NEWEST, limit: 1000 },
      );
      return { status: 200, json: { exemptions: found.map(presentExemption) } };
    },
  });

  routes.ticket("watch", {
    method: "post",
    path: "/ids/exemptions",
    action: "ids.exempt",
    body: EXEMPTION,
    async handle({ body, grant, actingAs, concerning }) {
      actingAs({ id: grant.staff, role: "security-officer" });
      const { decision, address = "", hours, reason } = body;
      const about = decision === undefined ? { address } : { decision };
      // An address is not written down anywhere: its pseudonym is.
      concerning({ details: { hours, reason }, ...(decision === undefined ? {} : { object: decision }) });
      const until = Math.round(clock.now() + hours * HOUR_MS);
      const exemption = await desk.exempt({ about, until, by: grant.staff, reason });
      return { status: 201, json: presentExemption(exemption) };
    },
  });

  routes.ticket("watch", {
    method: "delete",
    path: "/ids/exemptions/:id",
    action: "ids.exempt-end",
    params: BY_ID,
    async handle({ params, grant, actingAs, concerning }) {
      actingAs({ id: grant.staff, role: "security-officer" });
      concerning({ object: params.id });
      await desk.endExemption(params.id);
      return { status: 204, empty: true };
    },
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/appeals",
    action: "ids.appeals",
    query: APPEALS,
    async handle({ query: { limit, before, since, decision } }) {
      const filter = {
        ...(since === undefined ? {} : { at: { $gte: since } }),
        ...equals("decision", decision),
      };
      const found = await kept.appeals.find(
        { $and: [filter, behind(before)] },
        { sort: NEWEST, limit: limit + 1 },
      );
      const { shown, next } = pageOf(found, limit);
      return { status: 200, json: { appeals: shown.map(presentAppeal), next } };
    },
  });

  routes.ticket("watch", {
    method: "get",
    path: "/ids/events",
    action: "ids.follow",
    handle: () => ({ status: 200, stream: (response) => followers.add(response, WATCH_MS) }),
  });

  // Open to who is held back, or nobody could object.
  routes.open({
    method: "post",
    path: "/ids/appeals",
    action: "ids.appeal",
    body: APPEAL,
    async handle({ request, body: { decision, appeal } }) {
      await appealLimit.consume(addressKey(request.ip));
      const { _id, at } = await desk.appeal(decision, appeal);
      return { status: 202, json: { appeal: _id, at } };
    },
  });
}

/** Checks ranges that settings name. @throws MedcloudletError `CONFIG_INVALID` */
export function parseRanges(text: string): string[] {
  const ranges = text.split(/[\s,]+/).filter((range) => range !== "");
  for (const range of ranges) {
    parseRange(range);
  }
  if (ranges.length > 1000) {
    throw new MedcloudletError("CONFIG_INVALID", "At most 1000 exempt ranges.", { status: 400 });
  }
  return ranges;
}
