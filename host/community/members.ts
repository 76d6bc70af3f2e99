import { type Bytes, type Clock, fromBase64Url, MedcloudletError } from "../base/index.ts";
import { verifyStatement } from "../sealing/index.ts";
import { type Credential, type Enrolment, type Enrolments, verifyCredential } from "../trust/index.ts";
import { assertFresh } from "./common.ts";
import { type Communities, issuersOf } from "./communities.ts";
import type { Reports } from "./reports.ts";
import { type Community, MEMBER_KEY } from "./statements.ts";

/** A member as a request's proof shows them. */
export interface Member {
  readonly pseudonym: string;
  readonly key: Bytes;
  readonly enrolment: Enrolment;
  readonly community: Community;
}

/** A member as others see them; shapes in docs/PROTOCOL.md. */
export interface MemberView {
  readonly pseudonym: string;
  readonly credential: string;
  readonly earlier: readonly string[];
  readonly memberKey: string | null;
  readonly suspendedUntil: number | null;
}

export interface Members {
  /**
   * Takes a member in whose request was made with the credential's key, for this community: the route has seen to that.
   * @throws MedcloudletError those of `Enrolments.enrol`, `STATEMENT_INVALID`, `MEMBER_KEY_MISMATCH` (400),
   *   `STATEMENT_STALE`, `MEMBER_KEY_OLDER` (409)
   */
  join(
    community: Community,
    key: Bytes,
    statements: { readonly credential: string; readonly memberKey: string },
  ): Promise<{ enrolment: Enrolment; change: "new" | "changed" | "none" }>;
  /**
   * The member whose key this is.
   * @throws MedcloudletError `COMMUNITY_UNKNOWN` (404), `MEMBER_UNKNOWN` (403), `CREDENTIAL_EXPIRED` (403)
   */
  byKey(community: string, key: Bytes): Promise<Member>;
  /** A member to exchange with. @throws MedcloudletError `PARTNER_UNKNOWN` (404) */
  partner(community: Community, pseudonym: string): Promise<Enrolment>;
  /** @throws MedcloudletError `MEMBER_SUSPENDED` (403) */
  assertMaySend(member: Member): Promise<void>;
  /** The hospital that signed still admits members here, with the same key. */
  admitted(community: Community, enrolment: Enrolment): boolean;
  /** In the order given; all of one community. */
  views(community: string, enrolments: readonly Enrolment[]): Promise<MemberView[]>;
  /** One by name, valid or not. */
  viewOf(community: string, pseudonym: string): Promise<MemberView | null>;
}

export function createMembers(options: {
  readonly enrolments: Enrolments;
  readonly communities: Communities;
  readonly reports: Pick<Reports, "suspension" | "suspensions">;
  readonly clock: Clock;
}): Members {
  const { enrolments, communities, reports, clock } = options;

  const admitted = ({ issuers }: Community, { credential, issuerKey }: Enrolment) =>
    issuers.some(({ id, signingKey }) => id === credential.issuer && signingKey === issuerKey);

  const views: Members["views"] = async (community, list) => {
    const ends = await reports.suspensions(
      community,
      list.map(({ pseudonym }) => pseudonym),
    );
    return list.map(({ pseudonym, statement, earlier, memberKey }) => ({
      pseudonym,
      credential: statement,
      earlier,
      memberKey,
      suspendedUntil: ends.get(pseudonym) ?? null,
    }));
  };

  return {
    async join(community, key, statements) {
      const issuers = issuersOf(community);
      const credential: Credential = await verifyCredential(statements.credential, issuers, clock.now());
      const memberKey = await verifyStatement(MEMBER_KEY, statements.memberKey, key);
      if (memberKey.community !== credential.community || memberKey.pseudonym !== credential.pseudonym) {
        throw new MedcloudletError(
          "MEMBER_KEY_MISMATCH",
          "The statement about the receiving key is of another community or pseudonym than the credential.",
          { status: 400 },
        );
      }
      const there = await enrolments.byPseudonym(credential.community, credential.pseudonym);
      if (there?.memberKey !== statements.memberKey) {
        assertFresh(memberKey.at, clock);
        await assertNewer(there, credential.signingKey, memberKey.at);
      }
      return enrolments.enrol(statements.credential, issuers, statements.memberKey);
    },
    async byKey(id, key) {
      const { community } = await communities.get(id);
      const enrolment = await enrolments.byKey(id, key);
      if (enrolment === null || !admitted(community, enrolment)) {
        throw new MedcloudletError(
          "MEMBER_UNKNOWN",
          "No member of this community has this key: join with a credential of a hospital that it admits.",
          { status: 403 },
        );
      }
      if (enrolment.until <= clock.now()) {
        throw new MedcloudletError(
          "CREDENTIAL_EXPIRED",
          "Your credential has ended: ask the hospital for a new one and join with it.",
          { status: 403 },
        );
      }
      return { pseudonym: enrolment.pseudonym, key, enrolment, community };
    },
    async partner(community, pseudonym) {
      const enrolment = await enrolments.byPseudonym(community.community, pseudonym);
      if (enrolment === null || enrolment.until <= clock.now() || !admitted(community, enrolment)) {
        throw new MedcloudletError(
          "PARTNER_UNKNOWN",
          "No member of this community has this pseudonym now: look at the list of members.",
          { status: 404 },
        );
      }
      return enrolment;
    },
    async assertMaySend({ community, pseudonym }) {
      const suspension = await reports.suspension(community.community, pseudonym);
      if (suspension !== null) {
        throw new MedcloudletError(
          "MEMBER_SUSPENDED",
          `A moderator has suspended you until ${new Date(suspension.until).toISOString()}: you may read, and appeal.`,
          { status: 403, details: { until: suspension.until, report: suspension.report } },
        );
      }
    },
    admitted,
    views,
    async viewOf(community, pseudonym) {
      const enrolment = await enrolments.byPseudonym(community, pseudonym);
      const [view = null] = await views(community, enrolment === null ? [] : [enrolment]);
      return view;
    },
  };

  /** An older receiving key under the same signing key never comes back. */
  async function assertNewer(there: Enrolment | null, signingKey: string, at: number): Promise<void> {
    if (there?.memberKey == null || there.signingKey !== signingKey) {
      return;
    }
    const before = await verifyStatement(
      MEMBER_KEY,
      there.memberKey,
      fromBase64Url(there.credential.signingKey),
    );
    if (before.at >= at) {
      throw new MedcloudletError(
        "MEMBER_KEY_OLDER",
        "A later statement about your receiving key is there already.",
        { status: 409 },
      );
    }
  }
}
