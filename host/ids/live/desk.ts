import { type Clock, MedcloudletError } from "../../base/index.ts";
import type { MemberStanding, Observation, Ruling, Subject } from "../engine/contract.ts";
import type { PeerStatus } from "../mesh/index.ts";
import type { Addresses } from "./addresses.ts";
import type { DetectorReport } from "./detector-report.ts";
import type { Followers } from "./followers.ts";
import type { Measures } from "./measures.ts";
import type { IdsMetrics } from "./metrics.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import { type IdsStore, type KeptAppeal, type KeptDecision, type KeptExemption, newId } from "./store.ts";
import type { TrafficReport } from "./traffic.ts";

/** Appeals that one decision takes, and all together in an hour: who floods them buries nobody's but their own. */
const MOST_OF_ONE_DECISION = 5;
const MOST_IN_AN_HOUR = 200;
const HOUR_MS = 60 * 60_000;

/** A member of the mesh as this service knows it. */
export interface MemberReport extends MemberStanding {
  /** Alerts that it sent since this service started. */
  readonly alerts: number;
  /** How far the exchange with it is; null for one that this service does not exchange with, as itself. */
  readonly contact: Omit<PeerStatus, "id"> | null;
}

/** What officers do, and what is said to them. */
export interface Desk {
  /** @throws MedcloudletError `IDS_DECISION_UNKNOWN` */
  decision(id: string): Promise<KeptDecision>;
  /**
   * Ends a decision as wrong, or says that it was right. One ruling a decision.
   * @returns the decision, and the ids of others that still hold for the same subject
   * @throws MedcloudletError `IDS_DECISION_UNKNOWN`, `IDS_RULED_ALREADY`
   */
  rule(ruling: Ruling): Promise<{ decision: KeptDecision; stillHeld: string[] }>;
  /** Nothing is held against the subject until then. */
  exempt(input: {
    readonly about: { readonly decision: string } | { readonly address: string };
    readonly until: number;
    readonly by: string;
    readonly reason: string;
  }): Promise<KeptExemption>;
  /** @throws MedcloudletError `IDS_EXEMPTION_UNKNOWN` */
  endExemption(id: string): Promise<void>;
  /** @throws MedcloudletError `IDS_DECISION_UNKNOWN`, `IDS_APPEALS_FULL` */
  appeal(decision: string, text: string): Promise<KeptAppeal>;
  members(): Promise<readonly MemberReport[]>;
  /** What judges requests here. */
  detector(): DetectorReport;
  /** How many requests there were. */
  traffic(): TrafficReport;
}

export function createDesk(rooms: {
  readonly clock: Clock;
  readonly kept: IdsStore;
  readonly measures: Measures;
  readonly pseudonyms: Pseudonyms;
  readonly addresses: Addresses;
  readonly followers: Followers;
  readonly metrics: IdsMetrics;
  readonly observe: (observation: Observation) => void;
  readonly exempt: (subject: Subject, until: number) => void;
  readonly members: () => readonly MemberStanding[];
  readonly peers: () => Promise<readonly PeerStatus[]>;
  readonly alertsFrom: (member: string) => number;
  readonly detector: () => DetectorReport;
  readonly traffic: () => TrafficReport;
}): Desk {
  const { clock, kept, measures, pseudonyms, addresses, followers, metrics, observe } = rooms;

  const find = async (id: string): Promise<KeptDecision> => {
    const look = () => kept.decisions.findOne({ _id: { $eq: id } });
    let found = await look();
    if (found === null) {
      // Who was refused a moment ago has a number that may be on its way to the disk still.
      await kept.written();
      found = await look();
    }
    if (found === null) {
      throw new MedcloudletError(
        "IDS_DECISION_UNKNOWN",
        "There is no such decision at this service: give its number as the refusal showed it, to the service that refused.",
        { status: 404 },
      );
    }
    return found;
  };

  return {
    decision: find,
    async rule({ decision: id, ruling, by, reason }) {
      await find(id);
      const at = clock.now();
      const over = ruling === "lift" ? { endedAt: at } : {};
      const ruled = await kept.decisions.findOneAndUpdate(
        { _id: { $eq: id }, ruling: { $eq: null } },
        { $set: { ruling: { ruling, by, reason, at }, ...over } },
        { returnDocument: "after" },
      );
      if (ruled === null) {
        throw new MedcloudletError("IDS_RULED_ALREADY", "An officer ruled on this decision already.", {
          status: 409,
        });
      }
      const { decision } = ruled;
      observe({ kind: "ruling", at, ruling: { decision: decision.id, ruling, by, reason } });
      if (ruling === "lift") {
        // Also where the engine has forgotten it, as after a restart.
        measures.end(decision.id);
        followers.publish("ended", { decision: decision.id, by });
      }
      metrics.ruling(ruling);
      const stillHeld = measures
        .all(at)
        .filter(({ subject }) => subject.kind === ruled.kind && subject.local === ruled.local)
        .map((other) => other.id)
        .filter((other) => other !== decision.id);
      return { decision: ruled, stillHeld };
    },
    async exempt({ about, until, by, reason }) {
      const at = clock.now();
      const subject =
        "decision" in about
          ? (await find(about.decision)).decision.subject
          : pseudonyms.subject("source", addresses.parse(about.address).text, at);
      const { kind, local, shared } = subject;
      const exemption = {
        ...{ _id: newId(), at, until, kind, local, shared, by, reason },
        forgetAt: kept.forgetAt("decision", until),
      };
      await kept.exemptions.insertOne(exemption);
      rooms.exempt({ kind, local, shared }, until);
      return exemption;
    },
    async endExemption(id) {
      const at = clock.now();
      const ended = await kept.exemptions.findOneAndUpdate(
        { _id: { $eq: id }, until: { $gt: at } },
        { $set: { until: at } },
        { returnDocument: "after" },
      );
      if (ended === null) {
        throw new MedcloudletError(
          "IDS_EXEMPTION_UNKNOWN",
          "No exemption with this id is in force here: list them with `medcloudlet ids exempt --list`.",
          { status: 404 },
        );
      }
      const { kind, local, shared } = ended;
      const others = await kept.exemptions.find({ local: { $eq: local }, until: { $gt: at } });
      const until = Math.max(0, ...others.filter((other) => other.kind === kind).map((other) => other.until));
      rooms.exempt({ kind, local, shared }, until);
    },
    async appeal(decision, text) {
      const { _id } = await find(decision);
      const at = clock.now();
      const [ofThis, lately] = await Promise.all([
        kept.appeals.countDocuments({ decision: { $eq: _id } }),
        kept.appeals.countDocuments({ at: { $gt: at - HOUR_MS } }),
      ]);
      if (ofThis >= MOST_OF_ONE_DECISION || lately >= MOST_IN_AN_HOUR) {
        throw new MedcloudletError(
          "IDS_APPEALS_FULL",
          "Others objected already, and the security officer sees that. Ask them in person if it cannot wait.",
          { status: 429, details: { retryAfterSeconds: 3600 } },
        );
      }
      const appeal = { _id: newId(), at, decision: _id, text, forgetAt: kept.forgetAt("alert", at) };
      await kept.appeals.insertOne(appeal);
      metrics.appeal();
      followers.publish("appeal", { id: appeal._id, at, decision: _id, text });
      return appeal;
    },
    async members() {
      const peers = await rooms.peers();
      return rooms.members().map((standing) => {
        const { id } = standing.member;
        const peer = peers.find((one) => one.id === id);
        const contact =
          peer === undefined
            ? null
            : { failures: peer.failures, lastContact: peer.lastContact, waiting: peer.waiting };
        return { ...standing, alerts: rooms.alertsFrom(id), contact };
      });
    },
    detector: rooms.detector,
    traffic: rooms.traffic,
  };
}
