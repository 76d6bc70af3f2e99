import { type Clock, createInTurn, isMedcloudletError, randomBytes, toHex } from "../../base/index.ts";
import { errorFields, type Log } from "../../http/index.ts";
import { RELEASE, type SigningKey, signStatement } from "../../sealing/index.ts";
import type { Store } from "../../store/index.ts";
import type { Cohort } from "../gather.ts";
import type { Guarantee } from "../guarantee.ts";
import { createLedger } from "../ledger.ts";
import { anonymize } from "../release.ts";
import { type CohortRows, cohortRows } from "./cohort-rows.ts";
import { createReleaseFolder, type ReleaseFolder } from "./files.ts";
import { endBy, reasonError } from "./reasons.ts";
import { createRequests, isOver, type ReleaseRequest, type RequestState, type Requests } from "./requests.ts";
import { requireSalt } from "./salt.ts";
import { type Study, satisfies } from "./studies.ts";

/** What a patient is told about a release that they are in. */
export interface ReleaseUse {
  readonly release: string;
  readonly study: string;
  readonly k: number;
  /** How many have a row in it. */
  readonly people: number;
}

/** Whom the service reads by, and what it says to them. */
export interface Source {
  /** Everybody who consents now, in memory alone. */
  gather(): Promise<Cohort>;
  /** Fulfils when the entry is in the patient's log. @throws MedcloudletError `CONSENT_MISSING` where it ended */
  tell(consentId: string, use: ReleaseUse): Promise<void>;
}

/** Makes releases one after the other, and goes on after a crash. */
export interface ReleaseDesk {
  /** @throws MedcloudletError `RESEARCH_BUSY` */
  request(study: Study, guarantee: Guarantee, by: string): Promise<ReleaseRequest>;
  readonly requests: Pick<Requests, "find" | "released">;
  readonly files: Pick<ReleaseFolder, "open">;
  /** Ends what a crash left: finishes what was entered into the ledger, begins the rest anew. */
  start(): Promise<void>;
  /** Fulfils when nothing is being made any more. */
  settled(): Promise<void>;
  /** What is under way stops at its next step, and goes on at the next start. */
  stop(): Promise<void>;
}

/** Begun so often without an end, something in it ends the process. */
const MOST_ATTEMPTS = 3;
/** Consents may end while a release is made; then it is made of those who are left. */
const MOST_DRAWS = 3;

/** The service ends: the next start begins the request again. */
class Stopped extends Error {}
/** The ledger may have the release while its request does not say so: the next start finds out. */
class Unsettled extends Error {}

export async function createReleaseDesk(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Where releases lie. */
  readonly folder: string;
  /** 32 secret bytes of the ledger; they lie apart from the store. */
  readonly salt: Uint8Array;
  readonly studies: ReadonlyMap<string, Study>;
  readonly source: Source;
  /** The service's account, which signs what it gives out. */
  readonly account: { readonly accountId: string; readonly key: SigningKey };
}): Promise<ReleaseDesk> {
  const { store, clock, log, salt, studies, source, account } = options;
  const ledger = await createLedger({ store, clock, salt });
  await requireSalt({ store, salt, ledger });
  const requests = await createRequests(store, clock);
  const files = createReleaseFolder(options.folder);
  const inTurn = createInTurn();
  let stopped = false;

  const step = async (id: string, state: RequestState): Promise<void> => {
    if (stopped) {
      throw new Stopped();
    }
    await requests.change(id, { state });
  };

  /** A release of the study that answers the same question about the same people. */
  const earlier = async (
    { id, schemaDigest }: Study,
    guarantee: Guarantee,
    matches: { readonly population: string; readonly content?: string },
  ) =>
    (await requests.released(id)).find(
      ({ published, guarantee: given }) =>
        published.schema === schemaDigest &&
        published.population === matches.population &&
        (matches.content === undefined || published.content === matches.content) &&
        satisfies(given, guarantee),
    );

  /** Whose records do not fit is the operator's to know, by columns and numbers; researchers are not told of it. */
  const rowsOf = (members: Cohort["members"], { id, schema }: Study): CohortRows => {
    const columns: string[] = [];
    try {
      return cohortRows(members, schema, { ledger, salt, leftOut: (column) => columns.push(column) });
    } finally {
      if (columns.length > 0) {
        const reason = `study ${id}: ${[...new Set(columns)].join(", ")}`;
        const code = "RESEARCH_CSV_VALUE";
        log.warn({ event: "research_records_left_out", count: columns.length, code, reason });
      }
    }
  };

  /** @throws MedcloudletError `CONSENT_MISSING` where somebody withdrew before they were told */
  const draw = async ({ _id, guarantee }: ReleaseRequest, study: Study): Promise<void> => {
    await step(_id, "gathering");
    const { members, refused, spoiled, consents } = await source.gather();
    if (refused.length + spoiled.length > 0) {
      log.warn({ event: "research_records_left_out", count: refused.length + spoiled.length });
    }
    const rows = rowsOf(members, study);
    const { table, population, content } = rows;
    const same = await earlier(study, guarantee, { population, content });
    if (same !== undefined) {
      await requests.change(_id, { state: "ready", release: same._id });
      return;
    }

    await step(_id, "anonymising");
    const release = anonymize(table, {
      guarantee,
      suppression: study.suppress,
      ...(study.holdBack ? { beside: await ledger.beside(table, guarantee) } : {}),
    });

    await step(_id, "checking");
    if ((await ledger.check(release)).rowsAtRisk > 0) {
      const older = await earlier(study, guarantee, { population });
      if (older === undefined) {
        throw reasonError("RESEARCH_NOT_NOW");
      }
      await requests.change(_id, { state: "ready", release: older._id });
      return;
    }
    const made = await files.keep(_id, release, study);
    const at = clock.now();
    const count = { rows: release.released.length, classes: release.classes.starts.length };
    const statement = await signStatement(
      RELEASE,
      {
        ...{ service: account.accountId, release: _id, study: study.id, title: study.title, at, guarantee },
        ...{ ...count, schema: study.schemaDigest, files: made },
      },
      account.key,
    );

    await step(_id, "publishing");
    const ledgerBefore = Number((await ledger.list()).at(-1)?._id ?? 0);
    const published = { at, population, content, schema: study.schemaDigest, statement, ledgerBefore };
    await requests.change(_id, { published });
    // Entries in patients' logs come first: nobody is in a release without having been told.
    const use = { release: _id, study: study.id, k: guarantee.k, people: count.rows };
    for (const person of rows.releasedIn(release)) {
      for (const consentId of consents.get(person) ?? []) {
        await source.tell(consentId, use);
      }
    }
    try {
      await ledger.enter(release);
      await requests.change(_id, { state: "ready", release: _id });
    } catch (cause) {
      throw isMedcloudletError(cause, "RESEARCH_DIFFERENCING") ? cause : new Unsettled("", { cause });
    }
  };

  const make = async (request: ReleaseRequest): Promise<void> => {
    const study = studies.get(request.study);
    if (study === undefined) {
      throw reasonError("RESEARCH_STUDY_UNKNOWN");
    }
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      try {
        await draw(request, study);
        return;
      } catch (error) {
        if (!isMedcloudletError(error, "CONSENT_MISSING")) {
          throw error;
        }
        await requests.change(request._id, { published: null });
      }
    }
    throw reasonError("RESEARCH_CONSENTS_CHANGING");
  };

  const run = async (id: string): Promise<void> => {
    const request = await requests.find(id);
    if (stopped || request === null || isOver(request)) {
      return;
    }
    const { attempts } = request;
    try {
      await requests.change(id, { attempts: attempts + 1, published: null });
      await make(request);
      log.info({ event: "research_request_answered" });
    } catch (error) {
      if (error instanceof Stopped) {
        await requests.change(id, { state: "queued", attempts });
        return;
      }
      if (error instanceof Unsettled) {
        throw error.cause;
      }
      const end = endBy(error, (await ledger.list()).length === 0);
      log.warn({ event: `research_request_${end.state}`, ...errorFields(error) });
      await requests.change(id, { ...end, published: null });
      await files.discard(id);
    }
  };

  /** A failure here is one of the store, in which the request still stands as it was: the next start goes on. */
  const enqueue = (id: string): void => {
    inTurn(() => run(id)).catch((error) => log.error({ event: "research_failed", ...errorFields(error) }));
  };

  /** Whether the ledger has the entry of a release whose request does not say so yet. */
  const isEntered = async ({ published }: ReleaseRequest): Promise<boolean> =>
    published !== null &&
    (await ledger.list()).some(
      ({ _id, population }) => Number(_id) > published.ledgerBefore && population === published.population,
    );

  return {
    requests,
    files,
    async request(study, guarantee, by) {
      const request = await requests.open({ _id: toHex(randomBytes(16)), study: study.id, by, guarantee });
      if (request.state === "queued" && request.attempts === 0) {
        enqueue(request._id);
      }
      return request;
    },
    start: () =>
      inTurn(async () => {
        const again: string[] = [];
        for (const request of await requests.unfinished()) {
          if (request.state === "publishing" && (await isEntered(request))) {
            await requests.change(request._id, { state: "ready", release: request._id });
          } else if (request.attempts >= MOST_ATTEMPTS) {
            await requests.change(request._id, {
              state: "failed",
              code: "RESEARCH_INTERRUPTED",
              published: null,
            });
          } else {
            again.push(request._id);
          }
        }
        await files.keepOnly(new Set((await requests.released()).map(({ _id }) => _id)));
        for (const id of again) {
          enqueue(id);
        }
      }),
    settled: () => inTurn(async () => {}),
    async stop() {
      stopped = true;
      await inTurn(async () => {});
    },
  };
}
