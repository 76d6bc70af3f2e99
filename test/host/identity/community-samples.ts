import { toBase64Url, utf8 } from "../../../host/base/index.ts";
import { APPEAL, MODERATION, sealedDigest } from "../../../host/community/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { type SigningKey, signStatement } from "../../../host/sealing/index.ts";
import { askSimilarity } from "../../../host/trust/index.ts";
import { attest } from "../../support/helpers.ts";
import type { Person, System } from "../../support/system.ts";
import { createScene, type Insider, type Scene } from "../community/scene.ts";
import { sealTo } from "../community/wire.ts";
import type { Owned, Sample, Sent, World } from "./policy-samples.ts";

type CommunityAction = Extract<
  Action,
  | `community.${string}`
  | `similarity.${string}`
  | `agreement.${string}`
  | `question.${string}`
  | `opening.${string}`
  | `exchange.${string}`
  | `rating.${string}`
  | `report.${string}`
  | `helper.${string}`
>;

/** One community with its member whose things are "own" there, and a request for each action. */
interface Side {
  readonly requests: Readonly<Record<Exclude<CommunityAction, "community.list">, Sent>>;
}

/** What the policy's callers need to act in communities. */
export interface CommunityPlay {
  /** Where the member is a member and the moderator moderates. */
  readonly own: Side;
  /** Another community with other people. */
  readonly foreign: Side;
}

const JOINING = "community.join";

async function must(answer: Promise<{ status: number; json: unknown }>): Promise<void> {
  const { status, json } = await answer;
  if (status >= 300) {
    throw new Error(JSON.stringify(json));
  }
}

/** A warning about what `me` wrote, so that there is something to appeal to; and one more decision to send. */
async function moderated(scene: Scene, me: Insider, partner: Insider, warned: boolean) {
  const { community, path, moderator, system } = scene;
  const { accountId } = moderator.session.account;
  const question = await scene.asked(me, partner);
  const { report, body } = await scene.reportOf(partner, question.exchange, "question", "{}");
  await must(scene.call("POST", `${path}/reports`, partner, body));
  const decision = (reason: "abuse" | "other") =>
    signStatement(
      MODERATION,
      {
        community,
        report,
        moderator: accountId,
        member: me.pseudonym,
        action: "warn",
        until: null,
        reason,
        note: null,
        at: system.clock.now(),
      },
      moderator.keys.signing,
    );
  const at = `${path}/reports/${report}`;
  if (warned) {
    const warning = { statement: await decision("abuse") };
    await must(scene.call("POST", `${at}/decisions`, await scene.moderate(), warning));
  }
  const sealed = await sealTo(
    system,
    moderator.keys.receiving.publicKey,
    { kind: "appeal", community, subject: report, from: me.pseudonym, to: accountId },
    utf8("Look again."),
  );
  const appeal = {
    community,
    report,
    from: me.pseudonym,
    sealed: [{ moderator: accountId, sealed: sealedDigest(sealed) }],
    at: system.clock.now(),
  };
  return {
    at,
    appeal: {
      statement: await signStatement(APPEAL, appeal, me.key),
      sealed: [{ moderator: accountId, sealed: toBase64Url(sealed) }],
    },
    decision: { statement: await decision("other") },
  };
}

/** `warned`: the moderator can act and has; else they are a name on the list. */
async function createSide(
  system: System,
  moderator: Person,
  { key, warned }: { readonly key?: SigningKey; readonly warned: boolean },
): Promise<Side> {
  const scene = await createScene(system, { moderator });
  const { path } = scene;
  await must(scene.publish());
  const [me, partner, other] = [await scene.member({}, key), await scene.member(), await scene.member()];
  const comparing = askSimilarity(["195967001"]);
  const run = await scene.similarityOf("request", partner, me, comparing.request);
  await must(scene.call("POST", `${path}/similarity`, partner, { statement: run }));
  const runId = (await scene.inbox(me)).json.items[0].run.run as string;
  const begun = await scene.similarityOf("request", me, other, askSimilarity(["195967001"]).request);

  const answered = await scene.met(me, partner);
  const toAnswer = await scene.openingOf(partner, me);
  await must(scene.open(partner, toAnswer.body));
  const toDecline = await scene.openingOf(other, me);
  await must(scene.open(other, toDecline.body));
  const report = await moderated(scene, me, partner, warned);
  const at = (exchange: string, rest = "") => ({ path: `${path}/exchanges/${exchange}${rest}` });
  const document = (await scene.call("GET", path, undefined)).json.statement as string;
  const { set } = await attest(scene, me, ["195967001"]);

  return {
    requests: {
      "community.found": { json: { statement: document } },
      "community.show": { path },
      "community.join": {
        path: `${path}/members`,
        json: { credential: me.statement, memberKey: me.memberKey },
      },
      "community.members": { path: `${path}/members` },
      "community.inbox": { path: `${path}/inbox` },
      "community.standings": { path: `${path}/standings` },
      "similarity.send": { path: `${path}/similarity`, json: { statement: begun } },
      "similarity.show": { path: `${path}/similarity/${runId}` },
      "agreement.sign": {
        path: `${path}/agreements`,
        json: { statement: await scene.agreementOf(me, other) },
      },
      "agreement.list": { path: `${path}/agreements` },
      "question.ask": { path: `${path}/questions`, json: (await scene.questionOf(me, partner, "?")).body },
      "opening.ask": { path: `${path}/openings`, json: (await scene.openingOf(me, other)).body },
      "exchange.show": at(answered.exchange),
      "exchange.answer": {
        ...at(toAnswer.exchange, "/answer"),
        json: (await scene.answerOf(partner, me, toAnswer, "!")).body,
      },
      "exchange.decline": at(toDecline.exchange, "/decline"),
      "exchange.received": at(answered.exchange, "/received"),
      "rating.give": {
        ...at(answered.exchange, "/rating"),
        json: { statement: await scene.ratingOf(me, partner, answered.exchange, true) },
      },
      "rating.list": { path: `${path}/members/${partner.pseudonym}/ratings` },
      "report.file": {
        path: `${path}/reports`,
        json: (await scene.reportOf(me, answered.exchange, "answer", "{}")).body,
      },
      "report.appeal": { path: `${report.at}/appeal`, json: report.appeal },
      "report.list": { path: `${path}/reports` },
      "report.show": { path: report.at },
      "helper.stand-by": { path: `${path}/helpers/own`, json: { set } },
      "helper.answer": {
        path: `${path}/emergency-calls/${"0".repeat(32)}/answers`,
        json: { statement: "no.answer.really" },
        passes: ["HELPER_ABSENT", "STATEMENT_INVALID"],
      },
      "helper.acknowledge": {
        path: `${path}/acknowledgements`,
        json: { statement: "no.word.really" },
        passes: ["ACKNOWLEDGEMENT_INVALID", "ACKNOWLEDGEMENT_UNVERIFIED"],
      },
      "report.decide": { path: `${report.at}/decisions`, json: report.decision },
    },
  };
}

/**
 * Two communities, so that everything in the one is foreign in the other. All requests may be sent any number of times.
 * `named` is on the other community's list of moderators, whatever their role.
 */
export async function createCommunityPlay(
  system: System,
  people: { readonly moderator: Person; readonly named: Person },
  keys: { readonly member: SigningKey; readonly applicant: SigningKey },
): Promise<CommunityPlay> {
  const own = await createSide(system, people.moderator, { key: keys.member, warned: true });
  const foreign = await createSide(system, people.named, { warned: false });
  // The applicant joins a third one: it is a member of neither of the two.
  const third = await createScene(system, { moderator: people.moderator });
  await must(third.publish());
  const applicant = await third.admit({}, third.hospital, keys.applicant);
  const joining: Sent = {
    path: `${third.path}/members`,
    json: { credential: applicant.statement, memberKey: applicant.memberKey },
  };
  return { own: { requests: { ...own.requests, [JOINING]: joining } }, foreign };
}

const sample =
  (action: Exclude<CommunityAction, "community.list">): Sample =>
  async ({ communities, bo }: World, target: Owned) => {
    const { own, foreign } = await communities();
    return (target === bo ? foreign : own).requests[action];
  };

/** Samples of everything in communities. */
export const COMMUNITY_SAMPLES: Readonly<Record<CommunityAction, Sample>> = {
  "community.list": () => ({}),
  "community.found": sample("community.found"),
  "community.show": sample("community.show"),
  "community.join": sample("community.join"),
  "community.members": sample("community.members"),
  "community.inbox": sample("community.inbox"),
  "community.standings": sample("community.standings"),
  "similarity.send": sample("similarity.send"),
  "similarity.show": sample("similarity.show"),
  "agreement.sign": sample("agreement.sign"),
  "agreement.list": sample("agreement.list"),
  "question.ask": sample("question.ask"),
  "opening.ask": sample("opening.ask"),
  "exchange.show": sample("exchange.show"),
  "exchange.answer": sample("exchange.answer"),
  "exchange.decline": sample("exchange.decline"),
  "exchange.received": sample("exchange.received"),
  "rating.give": sample("rating.give"),
  "rating.list": sample("rating.list"),
  "helper.stand-by": sample("helper.stand-by"),
  "helper.answer": sample("helper.answer"),
  "helper.acknowledge": sample("helper.acknowledge"),
  "report.file": sample("report.file"),
  "report.appeal": sample("report.appeal"),
  "report.list": sample("report.list"),
  "report.show": sample("report.show"),
  "report.decide": sample("report.decide"),
};
