import { z } from "zod";
import { ALERT_EVENT, ALERT_LEVELS, type AlertLevel } from "../../../analytics/index.ts";
import { type AlertStep, joinSteps } from "./alert-timeline.ts";

/** More of a reason is not kept. */
export const LONGEST_REASON = 500;

const moment = { at: z.int().min(0), step: z.int().min(0), alert: z.string().max(300) };
const level = z.enum(ALERT_LEVELS);
// A reason that is too long is no reason to lose the alert.
const reason = z.string().transform((text) => text.slice(0, LONGEST_REASON));
const STEP: z.ZodType<AlertStep> = z.discriminatedUnion("type", [
  z.strictObject({
    ...{ type: z.literal("observe"), ...moment },
    ...{ level: level.nullable(), reason, time: z.number() },
  }),
  z.strictObject({
    ...{ type: z.enum(["acknowledge", "snooze", "resolve"]), ...moment },
    ...{ by: z.string().min(1).max(200), saw: level, until: z.int().min(0), reason },
  }),
]);
const about = { streamId: z.string(), patient: z.string(), kind: z.string() };
const TIMELINE = z.strictObject({ ...about, steps: z.array(STEP) });
const SEEN = z.tuple([z.string(), z.number()]);
/** Alerts as they were kept before there were timelines: each with its events. */
const EARLIER = z.strictObject({
  ...{ id: z.string().max(300), ...about },
  events: z.array(ALERT_EVENT).min(1),
  marks: z.array(z.strictObject({ time: z.number(), level })),
});
/** Each entry is looked at by itself: what one version says of one alert costs no other. */
const NOTE = z.object({
  timelines: z.array(z.unknown()).catch([]),
  alerts: z.array(z.unknown()).catch([]),
  seen: z.array(z.unknown()).catch([]),
});

/** What a journal keeps, and what tabs tell each other. */
export interface AlertNote {
  readonly timelines: readonly z.infer<typeof TIMELINE>[];
  /** Streams, and up to which time (ms) their readings were taken in. */
  readonly seen: readonly (readonly [string, number])[];
}

/** The entries that are sound. */
function sound<T>(schema: z.ZodType<T>, entries: readonly unknown[]): T[] {
  return entries.flatMap((entry) => {
    const { data, success } = schema.safeParse(entry);
    return success ? [data] : [];
  });
}

/** The steps that lead to the events of one alert as it was kept earlier; what time alone does comes by itself. */
function stepsOf({ id, events, marks }: z.infer<typeof EARLIER>, after: number): AlertStep[] {
  const graver = events.filter(({ type }) => type === "raised" || type === "worsened");
  let stands: AlertLevel = "attention";
  return events.flatMap((event, i): AlertStep[] => {
    const at = { at: event.at, step: after + i + 1, alert: id };
    const done = { ...at, saw: stands, until: 0, reason: "" };
    switch (event.type) {
      case "raised":
      case "worsened": {
        stands = event.level;
        // The marks of the first ones may have been left out.
        const time = marks.at(graver.indexOf(event) - graver.length)?.time ?? event.at;
        return [{ ...at, type: "observe", level: stands, reason: event.reason, time }];
      }
      case "eased":
      case "returned": {
        const found = event.type === "eased" ? null : stands;
        return [{ ...at, type: "observe", level: found, reason: "", time: event.at }];
      }
      case "acknowledged":
        return [{ ...done, type: "acknowledge", by: event.by }];
      case "snoozed":
        return [{ ...done, type: "snooze", by: event.by, until: event.until }];
      case "resolved":
        return event.by === null ? [] : [{ ...done, type: "resolve", by: event.by, reason: event.reason }];
      default:
        return [];
    }
  });
}

function timelinesOf(alerts: readonly z.infer<typeof EARLIER>[]): AlertNote["timelines"] {
  const timelines = new Map<string, z.infer<typeof TIMELINE>>();
  for (const alert of alerts) {
    const { streamId, patient, kind } = alert;
    const key = JSON.stringify([streamId, kind]);
    const { steps } = timelines.get(key) ?? { steps: [] };
    const after = Math.max(0, ...steps.map(({ step }) => step));
    timelines.set(key, { streamId, patient, kind, steps: joinSteps(steps, stepsOf(alert, after)) });
  }
  return [...timelines.values()];
}

/** Reads a note: everything in it that is sound, also as the version before wrote it; of what is no note, nothing. */
export function readAlertNote(text: string): AlertNote {
  try {
    const { timelines, alerts, seen } = NOTE.parse(JSON.parse(text));
    return {
      timelines: [...sound(TIMELINE, timelines), ...timelinesOf(sound(EARLIER, alerts))],
      seen: sound(SEEN, seen),
    };
  } catch {
    return { timelines: [], seen: [] };
  }
}
