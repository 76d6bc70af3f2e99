import { z } from "zod";
import { type AuditEntry, checkOwnEntries } from "../../../audit/verifying.ts";
import { isMedcloudletError } from "../../../base/index.ts";
import {
  type AuditWitness,
  createAuditClient,
  createAuditWitness,
  type KeptHead,
} from "../../../client/index.ts";
import { AUDIT_HEAD, type Region, unverifiedPayload } from "../../../sealing/index.ts";
import type { Answers } from "../messages.ts";
import { type NotePlace, newerNote } from "../newer-note.ts";
import type { Work } from "../work.ts";
import type { Desk } from "./desk.ts";
import type { PatientQuestions, TrailEntry } from "./questions.ts";

const PAGE_ENTRIES = 1000;
/** More than this nobody reads on a screen; everything is checked all the same. */
const LONGEST_TRAIL = 2000;

const HEAD_NOTE = "audit-head";
const SEEN_NOTE = "audit-seen";

const KEPT_HEAD = z.strictObject({
  log: z.string(),
  key: z.string(),
  keyStatements: z.array(z.string()),
  head: z.string(),
});
const SEEN = z.strictObject({
  upTo: z.number().int(),
  count: z.number().int(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A note of this machine; null where there is none that can be read. */
function noted<T>(work: Work, name: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(work.recall(name) ?? "null")).data ?? null;
  } catch {
    return null;
  }
}

function headPlace(text: string): NotePlace {
  const { log, head } = KEPT_HEAD.parse(JSON.parse(text));
  return { log, sequence: unverifiedPayload(AUDIT_HEAD, head).sequence };
}

function seenPlace(text: string): NotePlace {
  return { log: "", sequence: SEEN.parse(JSON.parse(text)).upTo };
}

/** What an account id, a stream or a consent is to this patient. */
interface Names {
  readonly people: ReadonlyMap<string, string>;
  readonly devices: ReadonlySet<string>;
  readonly regions: ReadonlyMap<string, Region>;
}

async function namesOf(work: Work, desk: Desk): Promise<Names> {
  const { owner, emergency } = desk.look();
  const people = new Map<string, string>();
  const regions = new Map<string, Region>(owner.epochs.map(({ streamId, region }) => [streamId, region]));
  for (const { accountId, handle } of work.contents.emergency?.trustees ?? []) {
    people.set(accountId, handle);
  }
  for (const { requester, approvers } of await emergency.list()) {
    for (const { accountId, handle } of [requester, ...approvers]) {
      people.set(accountId, handle);
    }
  }
  for (const { consent, reader } of await owner.consents()) {
    const [only, ...others] = consent.regions;
    if (only !== undefined && others.length === 0) {
      regions.set(consent.consentId, only);
    }
    if (reader !== null) {
      people.set(consent.reader, reader.handle);
    }
  }
  const devices = new Set((await owner.devices()).map(({ enrolment }) => enrolment.deviceId));
  return { people, devices, regions };
}

function whoOf(
  actor: string | null,
  role: string | null,
  me: string,
  devices: ReadonlySet<string>,
): TrailEntry["by"] {
  if (actor === null) {
    return role === "service" ? "service" : "stranger";
  }
  return actor === me ? "me" : devices.has(actor) ? "device" : "other";
}

function shown({ people, devices, regions }: Names, me: string) {
  return ({ sequence, at, actor, actorRole, action, object, code, details }: AuditEntry): TrailEntry => {
    const by = whoOf(actor, actorRole, me, devices);
    const { reason } = details;
    return {
      ...{ sequence, at, by, action, code, role: actorRole },
      name: actor === null || by === "me" ? null : (people.get(actor) ?? actor.slice(0, 8)),
      region: object === null ? null : (regions.get(object) ?? null),
      reason: typeof reason === "string" ? reason : null,
      grave: action.startsWith("emergency.") && by !== "me" && by !== "service",
    };
  };
}

export function createTrail(work: Work, desk: Desk): Answers<Pick<PatientQuestions, "trail">> {
  const audit = createAuditClient(work.session);
  const me = work.person.accountId;
  // A tab that was opened earlier has seen less: what it noted takes nothing back that another one saw.
  work.joinNotes(HEAD_NOTE, (theirs) => newerNote(work.recall(HEAD_NOTE), theirs, headPlace));
  work.joinNotes(SEEN_NOTE, (theirs) => newerNote(work.recall(SEEN_NOTE), theirs, seenPlace));
  /** Made anew at each look: another tab may have seen more meanwhile. */
  const witnessNow = (): AuditWitness =>
    createAuditWitness({
      kept: noted(work, HEAD_NOTE, KEPT_HEAD),
      keep: (newer: KeptHead) => work.remember(HEAD_NOTE, JSON.stringify(newer)),
    });

  return {
    async trail() {
      const raw: unknown[] = [];
      for (let after = 0; ; ) {
        const page = await audit.mine({ after, limit: PAGE_ENTRIES });
        raw.push(...page.entries);
        const last = Number((page.entries.at(-1) as { sequence?: unknown } | undefined)?.sequence);
        if (page.entries.length < PAGE_ENTRIES || !(last > after)) {
          break;
        }
        after = last;
      }
      const seen = noted(work, SEEN_NOTE, SEEN);
      const faults: { kind: string; sequence: number | null }[] = [];
      const said = await audit.head();
      const head = await witnessNow()
        .observe(said)
        .catch((error) => {
          if (!isMedcloudletError(error)) {
            throw error;
          }
          faults.push({ kind: error.code, sequence: null });
          return null;
        });
      const end = head ?? { sequence: Number.MAX_SAFE_INTEGER, hash: "" };
      const report = checkOwnEntries(raw, { me, head: end, seen });
      faults.push(...report.faults);
      if (faults.length === 0 && report.seen !== null) {
        await work.remember(SEEN_NOTE, JSON.stringify(report.seen));
      }
      const names = await namesOf(work, desk);
      return {
        entries: report.entries.slice(-LONGEST_TRAIL).reverse().map(shown(names, me)),
        total: report.entries.length,
        checked: {
          headSequence: head?.sequence ?? null,
          headAt: head?.at ?? null,
          log: head?.log ?? null,
          links: report.links,
          before: seen?.upTo ?? null,
          seenAgain: seen?.count ?? 0,
        },
        faults,
      };
    },
  };
}
