import { type Clock, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { verifyStatement } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { assertFresh, DAY_MS, LONGEST_MS } from "./common.ts";
import type { Member, Members } from "./members.ts";
import { AGREEMENT } from "./statements.ts";

/** The newest word of one member on exchanging with another: one document for each ordered pair. */
export interface AgreementRecord {
  readonly _id: string;
  readonly community: string;
  readonly from: string;
  readonly to: string;
  readonly agreed: boolean;
  readonly until: number;
  readonly at: number;
  readonly statement: string;
  readonly forTo: number;
}

/** Two members, in any order. */
export type Pair = readonly [string, string];

export interface Agreements {
  /**
   * Takes an agreement or its withdrawal; the later of two counts. A withdrawal holds from when this fulfils.
   * @throws MedcloudletError `STATEMENT_INVALID`, `AGREEMENT_TOO_LONG` (400), `PARTNER_UNKNOWN` (404),
   *   `STATEMENT_STALE`, `AGREEMENT_OLDER` (409), `MEMBER_SUSPENDED` (403) unless it withdraws
   */
  sign(member: Member, statement: string): Promise<{ known: boolean }>;
  /** Both agree now. */
  inForce(community: string, one: string, other: string): Promise<boolean>;
  /** The same for many pairs in one look. */
  inForceAmong(community: string, pairs: readonly Pair[]): Promise<(pair: Pair) => boolean>;
  /** Statements by and about a member, behind the id `after`. */
  page(
    community: string,
    member: string,
    options: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<AgreementRecord[]>;
  newFor(
    community: string,
    member: string,
    since: number,
    limit: number,
  ): Promise<[number, AgreementRecord][]>;
  forget(): Promise<void>;
}

export async function createAgreements(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly members: Pick<Members, "partner" | "assertMaySend">;
  readonly stamp: () => number;
}): Promise<Agreements> {
  const { store, clock, members, stamp } = options;
  const agreements = await store.collection<AgreementRecord>({
    name: "community_agreements",
    indexes: [
      { fields: { community: 1, from: 1 } },
      { fields: { community: 1, to: 1, forTo: 1 } },
      { fields: { until: 1 } },
    ],
  });

  const inForceAmong: Agreements["inForceAmong"] = async (community, pairs) => {
    const bothWays = pairs.flatMap(([one, other]) => [
      idOf(community, one, other),
      idOf(community, other, one),
    ]);
    const found =
      bothWays.length === 0
        ? []
        : await agreements.find({
            _id: { $in: bothWays },
            agreed: { $eq: true },
            until: { $gt: clock.now() },
          });
    const ids = new Set(found.map(({ _id }) => _id));
    return ([one, other]) => ids.has(idOf(community, one, other)) && ids.has(idOf(community, other, one));
  };

  return {
    async sign(member, statement) {
      const { community, from, to, agreed, until, at } = await verifyStatement(
        AGREEMENT,
        statement,
        member.key,
      );
      const _id = idOf(community, from, to);
      const there = await agreements.findOne({ _id: { $eq: _id } });
      if (there?.statement === statement) {
        return { known: true };
      }
      assertFresh(at, clock);
      // Somebody who has left can still be withdrawn from.
      if (agreed || there === null) {
        await members.partner(member.community, to);
      }
      if (agreed) {
        await members.assertMaySend(member);
        if (until > at + LONGEST_MS) {
          throw new MedcloudletError(
            "AGREEMENT_TOO_LONG",
            "An agreement lasts a year at most: sign it anew then, if you still want it.",
            { status: 400 },
          );
        }
      }
      try {
        await agreements.updateOne(
          { _id: { $eq: _id }, at: { $lt: at } },
          { $set: { community, from, to, agreed, until, at, statement, forTo: stamp() } },
          { upsert: true },
        );
      } catch (cause) {
        if (isMedcloudletError(cause, "STORE_DUPLICATE")) {
          throw new MedcloudletError(
            "AGREEMENT_OLDER",
            "A later word of yours on this partner is there already: sign one with a later time.",
            // So that a program whose clock is behind another's of the same member can still withdraw.
            { status: 409, cause, details: { at: there?.at ?? at } },
          );
        }
        throw cause;
      }
      return { known: false };
    },
    async inForce(community, one, other) {
      const pair: Pair = [one, other];
      return (await inForceAmong(community, [pair]))(pair);
    },
    inForceAmong,
    page: (community, member, { after, limit }) =>
      agreements.find(
        {
          community: { $eq: community },
          $or: [{ from: { $eq: member } }, { to: { $eq: member } }],
          ...(after === undefined ? {} : { _id: { $gt: after } }),
        },
        { sort: { _id: 1 }, limit },
      ),
    async newFor(community, member, since, limit) {
      const found = await agreements.find(
        { community: { $eq: community }, to: { $eq: member }, forTo: { $gt: since } },
        { sort: { forTo: 1, _id: 1 }, limit },
      );
      return found.map((agreement) => [agreement.forTo, agreement]);
    },
    async forget() {
      // Long enough that no statement of before could be signed in again: it would be too old by then.
      await agreements.deleteMany({ until: { $lt: clock.now() - 2 * DAY_MS } });
    },
  };
}

function idOf(community: string, from: string, to: string): string {
  return `${community}:${from}:${to}`;
}
