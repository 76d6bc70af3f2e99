import { z } from "zod";
import {
  bareUrl,
  type Clock,
  createInTurn,
  createSignal,
  isMedcloudletError,
  type Signal,
} from "../../base/index.ts";
import type { HttpClient } from "../../client/index.ts";
import type { Log } from "../../http/index.ts";
import { idSchema, type SigningKey } from "../../sealing/index.ts";
import type { Member } from "../engine/contract.ts";
import type { Ledger, PeerState } from "./ledger.ts";
import { MOST_ALERT_CHARACTERS, MOST_ROSTER_CHARACTERS } from "./statements.ts";

/** Alerts told in one request, and read in one. */
export const MOST_TOLD = 64;
export const MOST_READ = 100;
/** A peer is asked for what it has that often, beside being told at once. */
const PULL_EVERY_MS = 60_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 300_000;
const ANSWER_WITHIN_MS = 10_000;
/** Pages read from one peer in a turn: a peer that never ends is left for another time. */
const MOST_PAGES = 50;

/** What a peer answers to whom it is told something. */
const toldSchema = z.strictObject({
  results: z.array(z.union([z.literal("taken"), z.string().max(64)])).max(MOST_TOLD),
});

/** A page of what a peer knows. */
export const pageSchema = z.strictObject({
  log: idSchema,
  alerts: z.array(z.string().max(MOST_ALERT_CHARACTERS)).max(MOST_READ),
  next: z.number().int().nonnegative(),
  more: z.boolean(),
  roster: z.string().max(MOST_ROSTER_CHARACTERS).optional(),
});
export type Page = z.infer<typeof pageSchema>;

/** How the exchange with a peer stands, for the officer. */
export interface PeerStatus {
  readonly id: string;
  readonly failures: number;
  readonly lastContact: number | null;
  /** Own alerts that the peer was not told yet. */
  readonly waiting: number;
}

/** Tells one peer what is new and asks it for what it knows, for as long as it runs. */
export interface Exchange {
  start(): void;
  /** Says that there is something to tell. */
  wake(): void;
  /** One turn now, however lately the last one failed. Never throws. */
  turn(): Promise<boolean>;
  status(): Promise<PeerStatus>;
  stop(): Promise<void>;
}

export function createExchange(options: {
  readonly peer: Member;
  readonly self: string;
  readonly key: SigningKey;
  readonly http: Pick<HttpClient, "json">;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  /** Between 0 and 1: peers that lost somebody together do not come back together. */
  readonly random: () => number;
  readonly rosterVersion: () => number;
  /** Takes in a page's alerts; what is no good is left out. */
  readonly take: (alerts: readonly string[]) => Promise<void>;
  readonly adopt: (roster: string) => Promise<void>;
}): Exchange {
  const { peer, self, key, http, clock, log, ledger, random } = options;
  const base = bareUrl(peer.url);
  const news: Signal = createSignal();
  let stopping = false;
  let running: Promise<void> = Promise.resolve();
  let state: PeerState | undefined;
  let failures = 0;
  let lastContact: number | null = null;
  let pulledAt = Number.NEGATIVE_INFINITY;
  const inTurn = createInTurn();
  const ending = new AbortController();
  const signal = () => AbortSignal.any([ending.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);

  const keep = async (next: PeerState): Promise<PeerState> => {
    await ledger.keepPeer(next);
    state = next;
    return next;
  };

  const push = async (from: PeerState): Promise<PeerState> => {
    let at = from;
    for (;;) {
      const waiting = await ledger.after(at.pushed, MOST_TOLD, self);
      const last = waiting.at(-1);
      if (last === undefined) {
        return at;
      }
      const answer = await http.json({
        method: "POST",
        url: `${base}/v1/mesh/alerts`,
        credentials: { key },
        json: { alerts: waiting.map(({ statement }) => statement) },
        signal: signal(),
      });
      const refused = toldSchema.parse(answer).results.filter((result) => result !== "taken");
      if (refused.length > 0) {
        // A repetition would fare no better: an alert that is too old stays too old.
        log.warn({ event: "mesh_refused", code: refused[0], count: refused.length, url: base });
      }
      at = await keep({ ...at, pushed: last.seq });
    }
  };

  const pull = async (from: PeerState): Promise<void> => {
    let at = from;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = new URLSearchParams({
        log: at.log === "" ? "0".repeat(32) : at.log,
        after: String(at.pulled),
        roster: String(options.rosterVersion()),
      });
      const read = pageSchema.parse(
        await http.json({
          method: "GET",
          url: `${base}/v1/mesh/alerts?${query}`,
          credentials: { key },
          signal: signal(),
        }),
      );
      if (read.roster !== undefined) {
        await options.adopt(read.roster);
      }
      await options.take(read.alerts);
      at = await keep({ ...at, log: read.log, pulled: read.next });
      if (!read.more) {
        break;
      }
    }
    pulledAt = clock.now();
  };

  const once = async (): Promise<boolean> => {
    try {
      const at = await push(state ?? (await ledger.peer(peer.id)));
      if (clock.now() - pulledAt >= PULL_EVERY_MS || failures > 0) {
        await pull(at);
      }
      failures = 0;
      lastContact = clock.now();
      return true;
    } catch (error) {
      failures++;
      log.warn({
        event: "mesh_peer_failed",
        url: base,
        code: isMedcloudletError(error) ? error.code : (error as Error).name,
        attempt: failures,
      });
      return false;
    }
  };
  /** One at a time: two would tell the same alerts twice. */
  const turn = () => inTurn(once);

  const run = async (): Promise<void> => {
    while (!stopping) {
      const fine = await turn();
      const backOff = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(20, failures - 1));
      if (fine) {
        await news.wait(PULL_EVERY_MS);
        continue;
      }
      // News do not shorten the wait: a flood of alerts must not become a flood of attempts.
      const until = clock.now() + backOff * (0.5 + random() / 2);
      while (!stopping && clock.now() < until) {
        await news.wait(Math.min(1000, until - clock.now()));
      }
    }
  };

  return {
    start() {
      running = run();
    },
    wake: news.signal,
    async turn() {
      pulledAt = Number.NEGATIVE_INFINITY;
      return turn();
    },
    async status() {
      const at = state ?? (await ledger.peer(peer.id));
      const waiting = (await ledger.after(at.pushed, 1000, self)).length;
      return { id: peer.id, failures, lastContact, waiting };
    },
    async stop() {
      stopping = true;
      // A peer that does not answer must not keep this service from ending.
      ending.abort();
      news.signal();
      await running;
    },
  };
}
