import {
  type Bytes,
  type Clock,
  createInTurn,
  isMedcloudletError,
  MedcloudletError,
} from "../../base/index.ts";
import type { HttpClient } from "../../client/index.ts";
import { errorFields, type Log } from "../../http/index.ts";
import type { SigningKey } from "../../sealing/index.ts";
import type { Store } from "../../store/index.ts";
import type { Member, SharedAlert } from "../engine/contract.ts";
import { admit, createBudget } from "./admission.ts";
import { createExchange, type Exchange, MOST_READ, type Page, type PeerStatus } from "./exchange.ts";
import { type NewAlert, openLedger } from "./ledger.ts";
import { createMeshPseudonyms, type MeshPseudonyms } from "./pseudonyms.ts";
import { memberByKey, type Roster, signAlert, verifyRoster } from "./statements.ts";

/** What a service needs to take part. */
export interface MeshSettings {
  /** The id that the roster knows this service by. */
  readonly self: string;
  /** The key that the roster names for it. */
  readonly key: SigningKey;
  /** 32 bytes that all members hold. */
  readonly secret: Bytes;
  /** Public keys of operators, base64url: a roster that one of them signed is believed. */
  readonly anchors: readonly string[];
  /** The roster to begin with; a newer one that is kept or heard of goes before it. */
  readonly roster?: string;
  /** Which alerts the peers are told; all without it. */
  readonly tells?: (alert: SharedAlert) => boolean;
}

/** One service's part in the mesh. */
export interface Mesh {
  readonly self: string;
  readonly pseudonyms: MeshPseudonyms;
  roster(): Roster | null;
  /** The member that a key belongs to, others than this service itself. */
  peer(publicKey: Bytes): Member | undefined;
  /**
   * Takes a roster over; true where it is newer than what was known.
   * @throws MedcloudletError `MESH_ROSTER_INVALID`, `MESH_ROSTER_OLD` (409) for another one of a known version,
   *   `MESH_ROSTER_FOREIGN` (409) for that of another mesh
   */
  adopt(statement: string): Promise<boolean>;
  /** Signs an alert and tells it to every peer, until each has it. Never throws. */
  share(alert: SharedAlert): Promise<void>;
  /**
   * Takes in what a peer tells of its own, or with null what somebody hands on: "taken", or the code of why not, one by
   * one.
   */
  hear(statements: readonly string[], from: Member | null): Promise<string[]>;
  /** What this service knows behind a number, for a peer that was away. */
  page(asked: { readonly log: string; readonly after: number; readonly roster: number }): Promise<Page>;
  /** Tells and asks every peer once, now. How many answered. */
  exchange(): Promise<number>;
  status(): Promise<PeerStatus[]>;
  /** Tells `onAlert` what was heard before a restart and still counts, and begins to exchange. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const SWEEP_EVERY_MS = 600_000;

/**
 * @param options `onAlert`: a peer's alert, checked and new; `onRoster`: a roster that holds from now on
 * @throws MedcloudletError as `adopt` for the roster of the settings; the store's
 */
export async function createMesh(options: {
  readonly settings: MeshSettings;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly http: Pick<HttpClient, "json">;
  readonly onAlert: (alert: SharedAlert) => void;
  readonly onRoster: (roster: Roster) => void;
  readonly random?: () => number;
  /** Alerts that one member may tell at once; without it 1,000. */
  readonly burst?: number;
}): Promise<Mesh> {
  const { settings, store, clock, log, http, onAlert, onRoster, random = Math.random } = options;
  const { self, key, anchors } = settings;
  const ledger = await openLedger(store, clock);
  const budget = createBudget(clock, options.burst);
  let roster: Roster | null = null;
  let exchanges = new Map<string, Exchange>();
  const own: NewAlert[] = [];
  const inTurn = createInTurn();
  let started = false;
  let sweeping: NodeJS.Timeout | undefined;

  const recall = async (): Promise<void> => {
    let seq = 0;
    for (;;) {
      const kept = await ledger.after(seq, MOST_READ);
      for (const { member, statement } of kept) {
        // What was kept was checked; what has grown too old since, or lost its member, is left.
        const signed = roster === null || member === self ? null : await admitted(statement, roster);
        if (signed !== null) {
          onAlert(signed.alert);
        }
      }
      const last = kept.at(-1);
      if (last === undefined) {
        return;
      }
      seq = last.seq;
    }
  };
  const admitted = (statement: string, known: Roster) =>
    admit(statement, known, clock.now()).catch((error) => {
      if (isMedcloudletError(error)) {
        return null;
      }
      throw error;
    });

  /** The alert of a statement, or the code that it is refused with. */
  const read = async (statement: string, from: Member | null): Promise<SharedAlert | string> => {
    if (roster === null) {
      return "MESH_ROSTER_MISSING";
    }
    // A peer pays for whatever it sends, before anything is computed.
    if (from !== null && !budget.spend(from.id)) {
      return "MESH_FLOOD";
    }
    try {
      return (await admit(statement, roster, clock.now(), from ?? undefined)).alert;
    } catch (error) {
      if (isMedcloudletError(error) && error.status < 500) {
        return error.code;
      }
      throw error;
    }
  };

  /** Takes statements in, and says of each "taken" (new or known), or why not. */
  const takeIn = async (statements: readonly string[], from: Member | null): Promise<string[]> => {
    const results: string[] = [];
    const good: { member: string; id: string; statement: string; alert: SharedAlert }[] = [];
    for (const statement of statements) {
      const alert = await read(statement, from);
      results.push(typeof alert === "string" ? alert : "taken");
      if (typeof alert !== "string" && alert.member !== self) {
        good.push({ member: alert.member, id: alert.id, statement, alert });
      }
    }
    // What a peer hands on is paid by who wrote it, once its signature fits and where it is new.
    const afford = ({ member }: NewAlert) => from !== null || budget.spend(member);
    for (const { alert } of await ledger.add(good, afford)) {
      onAlert(alert);
    }
    return results;
  };

  const exchangeWith = (peer: Member): Exchange =>
    createExchange({
      ...{ peer, self, key, http, clock, log, ledger, random },
      rosterVersion: () => roster?.version ?? 0,
      async take(alerts) {
        await takeIn(alerts, null);
      },
      async adopt(statement) {
        await adopt(statement).catch((error) => {
          log.warn({ event: "mesh_roster_refused", url: peer.url, ...errorFields(error) });
        });
      },
    });

  const connect = (before: Roster | null, now: Roster): void => {
    const known = (member: Member) =>
      before?.members.some((one) => JSON.stringify(one) === JSON.stringify(member)) ?? false;
    const next = new Map<string, Exchange>();
    // Who is not on the roster has nothing to tell and nothing to ask.
    const peers = now.members.some(({ id }) => id === self)
      ? now.members.filter(({ id }) => id !== self)
      : [];
    for (const peer of peers) {
      const kept = known(peer) ? exchanges.get(peer.id) : undefined;
      const exchange = kept ?? exchangeWith(peer);
      next.set(peer.id, exchange);
      if (kept === undefined && started) {
        exchange.start();
      }
    }
    for (const [id, exchange] of exchanges) {
      if (next.get(id) !== exchange) {
        void exchange.stop();
      }
    }
    exchanges = next;
  };

  const adopt = async (statement: string): Promise<boolean> => {
    const read = await verifyRoster(statement, anchors);
    if (roster !== null && read.mesh !== roster.mesh) {
      throw new MedcloudletError("MESH_ROSTER_FOREIGN", "This is the roster of another mesh.", {
        status: 409,
      });
    }
    if (roster !== null && read.version <= roster.version) {
      const same = JSON.stringify(read) === JSON.stringify(roster);
      if (read.version === roster.version && !same) {
        throw new MedcloudletError(
          "MESH_ROSTER_OLD",
          "Two rosters have one version: sign the right one again with the next version.",
          { status: 409 },
        );
      }
      return false;
    }
    await ledger.keepRoster(statement);
    const before = roster;
    roster = read;
    connect(before, read);
    onRoster(read);
    return true;
  };

  for (const statement of [await ledger.roster(), settings.roster ?? null]) {
    if (statement !== null) {
      await adopt(statement);
    }
  }

  return {
    self,
    pseudonyms: createMeshPseudonyms(settings.secret),
    roster: () => roster,
    peer(publicKey) {
      const member = memberByKey(roster, publicKey);
      return member?.id === self ? undefined : member;
    },
    adopt,
    async share(alert) {
      const mine = roster?.members.some(({ id }) => id === self) ?? false;
      if (roster === null || !mine || settings.tells?.(alert) === false) {
        return;
      }
      try {
        // Peers would refuse what goes beyond a member's share: it is not even signed.
        if (!budget.spend(self)) {
          log.warn({ event: "mesh_own_flood" });
          return;
        }
        const statement = await signAlert({ mesh: roster.mesh, issuedAt: clock.now(), alert }, key);
        own.push({ member: self, id: alert.id, statement });
        // What came while the last ones were written goes in one go.
        await inTurn(async () => {
          await ledger.add(own.splice(0));
        });
        for (const exchange of exchanges.values()) {
          exchange.wake();
        }
      } catch (error) {
        log.error({ event: "mesh_share_failed", ...errorFields(error) });
      }
    },
    hear: takeIn,
    async page({ log: asked, after, roster: version }) {
      // Whoever read in a ledger that is gone begins anew.
      const from = asked === ledger.log ? after : 0;
      const found = await ledger.after(from, MOST_READ + 1);
      const given = found.slice(0, MOST_READ);
      const newer = roster !== null && roster.version > version ? await ledger.roster() : null;
      return {
        log: ledger.log,
        alerts: given.map(({ statement }) => statement),
        next: given.at(-1)?.seq ?? from,
        more: found.length > MOST_READ,
        ...(newer === null ? {} : { roster: newer }),
      };
    },
    async exchange() {
      const done = await Promise.all([...exchanges.values()].map((exchange) => exchange.turn()));
      return done.filter((fine) => fine).length;
    },
    status: () => Promise.all([...exchanges.values()].map((exchange) => exchange.status())),
    async start() {
      await recall();
      started = true;
      for (const exchange of exchanges.values()) {
        exchange.start();
      }
      sweeping = setInterval(() => {
        ledger.sweep().catch((error) => log.warn({ event: "mesh_sweep_failed", ...errorFields(error) }));
      }, SWEEP_EVERY_MS);
      sweeping.unref();
    },
    async stop() {
      started = false;
      clearInterval(sweeping);
      await Promise.all([...exchanges.values()].map((exchange) => exchange.stop()));
    },
  };
}
