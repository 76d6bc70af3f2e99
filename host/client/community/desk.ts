import {
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  isPassing,
  MedcloudletError,
} from "../../base/index.ts";
import { AGREEMENT, type Community } from "../../community/index.ts";
import {
  type SealingSuite,
  type StatementKind,
  signStatement,
  unverifiedPayload,
  verifyStatement,
} from "../../sealing/index.ts";
import type { Credential } from "../../trust/index.ts";
import type { PersonKeys } from "../person-keys.ts";
import { type KnownMember, verifyMember } from "./directory.ts";
import type { MemberState, Pending } from "./member-state.ts";
import type { MemberRelay, RelayedExchange } from "./relay.ts";
import type { TrustBook } from "./trust-book.ts";

/** A member at work: what every part of the community's client needs. */
export interface Desk {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly keys: PersonKeys;
  /** One's own pseudonym. */
  readonly own: string;
  readonly relay: MemberRelay;
  readonly state: MemberState;
  readonly book: TrustBook;
  community: Community;
  /** Members as last seen and verified. */
  readonly members: Map<string, KnownMember>;
  /** Writes state and book down. */
  save(): Promise<void>;
}

/** A member, verified; asked for where not known yet. @throws MedcloudletError `MEMBER_UNKNOWN` (404) */
export async function memberOf(desk: Desk, pseudonym: string): Promise<KnownMember> {
  const known = desk.members.get(pseudonym);
  if (known !== undefined) {
    return known;
  }
  const told = await desk.relay.member(pseudonym);
  const member = told === null ? null : await verifyMember(told, desk.community, desk.clock.now());
  if (member === null || member.pseudonym !== pseudonym) {
    throw new MedcloudletError(
      "MEMBER_UNKNOWN",
      "There is no such member in this community: look at `medcloudlet community partners`.",
      { status: 404 },
    );
  }
  desk.members.set(pseudonym, member);
  return member;
}

/** Fetches and checks everybody. What does not verify is left out. */
export async function refreshMembers(desk: Desk): Promise<void> {
  const now = desk.clock.now();
  const all = await Promise.all(
    (await desk.relay.members()).map((told) => verifyMember(told, desk.community, now)),
  );
  desk.members.clear();
  for (const member of all) {
    if (member !== null) {
      desk.members.set(member.pseudonym, member);
    }
  }
}

/**
 * Checks a statement with a member's keys, the newest first, and says under which credential it was signed.
 * @throws MedcloudletError `STATEMENT_INVALID`
 */
export async function verifyByMember<T>(
  kind: StatementKind<T>,
  statement: string,
  member: KnownMember,
): Promise<{ payload: T; credential: Credential }> {
  let failure: unknown;
  for (const credential of member.credentials) {
    try {
      const payload = await verifyStatement(kind, statement, fromBase64Url(credential.signingKey));
      return { payload, credential };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function deliver(desk: Desk, pending: Pending): Promise<RelayedExchange | null> {
  const { relay } = desk;
  switch (pending.type) {
    case "similarity":
      await relay.compare(pending.statement);
      return null;
    case "agreement":
      await relay.agree(pending.statement);
      return null;
    case "rating":
      await relay.rate(pending.exchange, pending.statement);
      return null;
    case "answer": {
      const { exchange, statement, receipt, sealed } = pending;
      return relay.answer(exchange, { statement, receipt, sealed });
    }
    case "question": {
      const { statement, receipt, sealed } = pending;
      return sealed === null ? relay.open({ statement, receipt }) : relay.ask({ statement, receipt, sealed });
    }
  }
}

function drop(desk: Desk, pending: Pending): void {
  const at = desk.state.pending.indexOf(pending);
  if (at !== -1) {
    desk.state.pending.splice(at, 1);
  }
}

/**
 * Writes down what has to reach the relay, then sends it: cut off in between, the next `flush` sends it again, which is
 * harmless. What the relay refuses for good is forgotten and thrown; where it cannot be reached it stays.
 */
export async function post(desk: Desk, pending: Pending): Promise<void> {
  desk.state.pending.push(pending);
  await desk.save();
  await send(desk, pending);
}

async function send(desk: Desk, pending: Pending): Promise<void> {
  try {
    await deliver(desk, pending);
  } catch (error) {
    if (!isPassing(error)) {
      drop(desk, pending);
      if (pending.type === "question") {
        delete desk.state.exchanges[pending.exchange];
      }
      if (pending.type === "answer") {
        const kept = desk.state.exchanges[pending.exchange];
        if (kept !== undefined) {
          kept.state = "waiting";
          kept.answer = null;
        }
      }
      await desk.save();
    }
    throw error;
  }
  drop(desk, pending);
  await desk.save();
}

/** A statement about an agreement that waited for long is signed anew: the relay takes none older than a day. */
async function freshened(desk: Desk, pending: Pending): Promise<Pending> {
  if (pending.type !== "agreement") {
    return pending;
  }
  const said = unverifiedPayload(AGREEMENT, pending.statement);
  const now = desk.clock.now();
  if (now - said.at < 12 * 60 * 60 * 1000) {
    return pending;
  }
  const renewed = { ...said, at: now, until: said.agreed ? said.until : now };
  if (renewed.agreed && renewed.until <= now) {
    return pending;
  }
  const statement = await signStatement(AGREEMENT, renewed, desk.keys.signing);
  const next: Pending = { type: "agreement", statement };
  desk.state.pending[desk.state.pending.indexOf(pending)] = next;
  desk.state.agreements.mine[said.to] = {
    statement,
    agreed: said.agreed,
    until: renewed.until,
    at: renewed.at,
  };
  await desk.save();
  return next;
}

/**
 * Sends what waits, in order; what the relay refuses for good is forgotten, its codes are given back.
 * @throws MedcloudletError `SERVICE_UNREACHABLE` and what else may pass
 */
export async function flush(desk: Desk): Promise<string[]> {
  const refused: string[] = [];
  for (const waiting of [...desk.state.pending]) {
    try {
      await send(desk, await freshened(desk, waiting));
    } catch (error) {
      if (isPassing(error) || !isMedcloudletError(error)) {
        throw error;
      }
      refused.push(error.code);
    }
  }
  return refused;
}
