import { isMedcloudletError, MedcloudletError } from "../../base/index.ts";
import { AGREEMENT } from "../../community/index.ts";
import { signStatement, unverifiedPayload } from "../../sealing/index.ts";
import type { Decision } from "../../trust/index.ts";
import { type Desk, memberOf, post, verifyByMember } from "./desk.ts";
import type { KeptAgreement } from "./member-state.ts";
import { nameOf } from "./names.ts";
import type { GateCircumstances } from "./trust-book.ts";
import { hearAbout } from "./witnesses.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The relay takes 366. */
const MOST_DAYS = 365;

/** A partner to whom the gate has just closed, and why. */
export interface Closing {
  readonly partner: string;
  readonly decision: Decision;
}

function inForce(desk: Desk, agreement: KeptAgreement | undefined): boolean {
  return agreement?.agreed === true && agreement.until > desk.clock.now();
}

/** Who of the two has agreed, as of now. */
export function agreedWith(desk: Desk, partner: string): GateCircumstances["consents"] {
  const { mine, theirs } = desk.state.agreements;
  return { mine: inForce(desk, mine[partner]), theirs: inForce(desk, theirs[partner]) };
}

/** The partner as the gate sees them now. */
export function circumstancesOf(desk: Desk, partner: string): GateCircumstances {
  return { credential: desk.members.get(partner)?.valid === true, consents: agreedWith(desk, partner) };
}

/** The one error of a closed gate; its details are the decision. */
export function gateClosed(partner: string, decision: Decision): MedcloudletError {
  return new MedcloudletError("GATE_CLOSED", `${nameOf(partner)}: ${decision.text}`, {
    status: 403,
    details: { partner, decision },
  });
}

async function state(desk: Desk, partner: string, agreed: boolean, until: number): Promise<void> {
  const { clock, own, community } = desk;
  const before = desk.state.agreements.mine[partner];
  // Of two statements the later counts, so two within a millisecond are set apart.
  const at = Math.max(clock.now(), (before?.at ?? 0) + 1);
  const said = {
    community: community.community,
    from: own,
    to: partner,
    agreed,
    until: agreed ? until : at,
    at,
  };
  const statement = await signStatement(AGREEMENT, said, desk.keys.signing);
  desk.state.agreements.mine[partner] = { statement, agreed, until: said.until, at };
  await post(desk, { type: "agreement", statement });
}

/**
 * Agrees to exchange with a partner, who has to pass the gate in everything but their own agreement.
 * @param days 1 to 365
 * @throws MedcloudletError `GATE_CLOSED` (403), `AGREEMENT_DAYS` (400), `MEMBER_UNKNOWN`
 */
export async function agree(desk: Desk, partner: string, days: number): Promise<Decision> {
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
    throw new MedcloudletError("AGREEMENT_DAYS", `An agreement lasts 1 to ${MOST_DAYS} days.`, {
      status: 400,
    });
  }
  await memberOf(desk, partner);
  const { credential, consents } = circumstancesOf(desk, partner);
  const circumstances = { credential, consents: { ...consents, mine: true } };
  const decision = desk.book.decide(partner, circumstances, "to agree");
  await desk.save();
  if (!opens(decision)) {
    throw gateClosed(partner, decision);
  }
  await state(desk, partner, true, desk.clock.now() + days * DAY_MS);
  return decision;
}

/** Takes an agreement back; the relay passes nothing on from then on. */
export async function withdraw(desk: Desk, partner: string): Promise<void> {
  if (desk.state.agreements.mine[partner]?.agreed === true) {
    await state(desk, partner, false, 0);
  }
}

/** True where nothing but somebody's agreement is missing. */
function opens({ reason }: Decision): boolean {
  return reason === "SHARE" || reason === "CONSENT_MISSING";
}

/**
 * True where the gate would be closed also if nothing had faded since one agreed: somebody's word, one's own or a
 * witness's, or a rule has changed it. A quiet month alone takes no agreement back; it only lets nothing of one's own
 * go until there is fresh evidence.
 */
function spokenAgainst(desk: Desk, partner: string): boolean {
  const agreement = desk.state.agreements.mine[partner];
  return (
    agreement?.agreed === true &&
    !opens(desk.book.weigh(partner, circumstancesOf(desk, partner), agreement.at))
  );
}

/** Withdraws; where the relay cannot be reached that waits in the outbox, and on this side it counts at once. */
async function withdrawNow(desk: Desk, partner: string): Promise<void> {
  try {
    await withdraw(desk, partner);
  } catch (error) {
    if (!isMedcloudletError(error) || error.status < 500) {
      throw error;
    }
  }
}

/**
 * Looks at everybody one has agreed with again, and withdraws at once from whom new words have closed the gate to.
 */
export async function recheck(desk: Desk, occasion: string): Promise<Closing[]> {
  const closed: Closing[] = [];
  for (const partner of Object.keys(desk.state.agreements.mine)) {
    if (!agreedWith(desk, partner).mine) {
      continue;
    }
    if (!spokenAgainst(desk, partner)) {
      continue;
    }
    const decision = desk.book.decide(partner, circumstancesOf(desk, partner), occasion);
    closed.push({ partner, decision });
    await withdrawNow(desk, partner);
  }
  return closed;
}

/**
 * Lets something of one's own go to a partner, or not; the decision is kept either way.
 * @throws MedcloudletError `GATE_CLOSED` (403) with the decision as details
 */
export async function pass(desk: Desk, partner: string, occasion: string): Promise<Decision> {
  await memberOf(desk, partner);
  await hearAbout(desk, partner);
  const decision = desk.book.decide(partner, circumstancesOf(desk, partner), occasion);
  await desk.save();
  if (decision.share) {
    return decision;
  }
  if (spokenAgainst(desk, partner)) {
    await withdrawNow(desk, partner);
  }
  throw gateClosed(partner, decision);
}

/** Takes in an agreement as the relay shows it: a partner's; or one's own, where this folder is behind. */
export async function takeAgreement(desk: Desk, statement: string): Promise<void> {
  const { mine, theirs } = desk.state.agreements;
  const { from } = unverifiedPayload(AGREEMENT, statement);
  const { payload } = await verifyByMember(AGREEMENT, statement, await memberOf(desk, from));
  const concerns =
    payload.community === desk.community.community && (payload.from === desk.own || payload.to === desk.own);
  if (!concerns || payload.from !== from) {
    return;
  }
  const [list, partner] = from === desk.own ? [mine, payload.to] : [theirs, from];
  if ((list[partner]?.at ?? -1) < payload.at) {
    const { agreed, until, at } = payload;
    list[partner] = { statement, agreed, until, at };
  }
}
