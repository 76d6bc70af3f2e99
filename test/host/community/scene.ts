import { type Bytes, randomBytes, toBase64Url, toHex, utf8 } from "../../../host/base/index.ts";
import {
  AGREEMENT,
  COMMUNITY,
  COMMUNITY_MESSAGE,
  type Community,
  communityIdOf,
  type EnvelopeKind,
  MEMBER_KEY,
  OPENING,
  REPORT,
  SIMILARITY_MESSAGE,
  sealedDigest,
  statementDigest,
} from "../../../host/community/index.ts";
import { type HybridKeyPair, type SigningKey, signStatement } from "../../../host/sealing/index.ts";
import {
  CREDENTIAL,
  type Credential,
  FEEDBACK,
  type MessageName,
  RECEIPT,
  trustEpoch,
} from "../../../host/trust/index.ts";
import { DAY_MS, type Person, type System } from "../../support/system.ts";
import { newSigningKey } from "../sealing/fixtures.ts";
import { callerOf, franked, type Sender, sealTo } from "./wire.ts";

export const someId = () => toHex(randomBytes(16));

/** A patient (or clinician) under a pseudonym, with all their keys. */
export interface Insider {
  readonly pseudonym: string;
  readonly key: SigningKey;
  readonly receiving: HybridKeyPair;
  readonly credential: Credential;
  readonly statement: string;
  readonly memberKey: string;
}

/** A community on the system's cloudlet with a hospital, and ways to act in it as anybody. */
export async function createScene(
  system: System,
  { moderator, operator = system.operator }: { readonly moderator: Person; readonly operator?: Person },
) {
  const { clock, suite } = system;
  const call = callerOf(system);
  const founder = await newSigningKey();
  const hospital = await newSigningKey();
  const issuer = someId();
  const community = communityIdOf(founder.publicKey);
  const path = `/communities/${community}`;

  const document = (changes: Partial<Community> = {}): Community => ({
    community,
    version: 1,
    title: "Asthma",
    founder: toBase64Url(founder.publicKey),
    issuers: [{ id: issuer, signingKey: toBase64Url(hospital.publicKey) }],
    moderators: [
      {
        id: moderator.session.account.accountId,
        signingKey: toBase64Url(moderator.keys.signing.publicKey),
        receivingKey: toBase64Url(moderator.keys.receiving.publicKey),
      },
    ],
    openingQuestions: ["What do you wish you had known earlier?", "What helped you most so far?"],
    at: clock.now(),
    ...changes,
  });
  const publish = async (changes: Partial<Community> = {}, by = founder) => {
    const statement = await signStatement(COMMUNITY, document(changes), by);
    const ticket = await operator.session.staffTicket(operator.keys.signing);
    return call("POST", "/communities", ticket, { statement });
  };

  const admit = async (
    changes: Partial<Credential> = {},
    by = hospital,
    key?: SigningKey,
  ): Promise<Insider> => {
    key ??= await newSigningKey();
    const receiving = await suite.generateKeyPair();
    const credential: Credential = {
      issuer,
      community,
      pseudonym: someId(),
      signingKey: toBase64Url(key.publicKey),
      standing: "patient",
      conditions: toHex(randomBytes(32)),
      from: clock.now() - DAY_MS,
      until: clock.now() + 365 * DAY_MS,
      ...changes,
    };
    const memberKey = await signStatement(
      MEMBER_KEY,
      {
        community: credential.community,
        pseudonym: credential.pseudonym,
        suite: 1,
        receivingKey: toBase64Url(receiving.publicKey),
        at: clock.now(),
      },
      key,
    );
    const { pseudonym } = credential;
    const statement = await signStatement(CREDENTIAL, credential, by);
    return { pseudonym, key, receiving, credential, statement, memberKey };
  };
  const join = (insider: Insider, as: Sender = insider) =>
    call("POST", `${path}/members`, as, { credential: insider.statement, memberKey: insider.memberKey });
  const member = async (changes: Partial<Credential> = {}, key?: SigningKey) => {
    const insider = await admit(changes, hospital, key);
    const { status, json } = await join(insider);
    if (status > 201) {
      throw new Error(JSON.stringify(json));
    }
    return insider;
  };

  const agreementOf = (
    from: Insider,
    to: Insider,
    { agreed = true, at = clock.now(), days = 30 }: { agreed?: boolean; at?: number; days?: number } = {},
  ) =>
    signStatement(
      AGREEMENT,
      {
        community,
        from: from.pseudonym,
        to: to.pseudonym,
        agreed,
        until: agreed ? at + days * DAY_MS : at,
        at,
      },
      from.key,
    );
  const agree = async (from: Insider, to: Insider, how: Parameters<typeof agreementOf>[2] = {}) =>
    call("POST", `${path}/agreements`, from, { statement: await agreementOf(from, to, how) });

  const receiptOf = (
    by: Insider,
    what: { exchange: string; asker: string; answerer: string; question: string; epoch?: number },
  ) => signStatement(RECEIPT, { community, epoch: trustEpoch(clock.now()), ...what }, by.key);

  /** What a question or an answer is sent as. */
  const messageOf = async (
    kind: "question" | "answer",
    from: Insider,
    to: Insider,
    exchange: string,
    text: string,
    { at = clock.now(), by = from }: { at?: number; by?: Insider } = {},
  ) => {
    const { plaintext, commitment, frankingKey } = franked(text);
    const binding = {
      kind: kind as EnvelopeKind,
      community,
      subject: exchange,
      from: from.pseudonym,
      to: to.pseudonym,
    };
    const sealed = await sealTo(system, to.receiving.publicKey, binding, plaintext);
    const statement = await signStatement(
      COMMUNITY_MESSAGE,
      {
        community,
        exchange,
        from: from.pseudonym,
        to: to.pseudonym,
        kind,
        sealed: sealedDigest(sealed),
        commitment,
        at,
      },
      by.key,
    );
    return { statement, sealed: toBase64Url(sealed), frankingKey, binding };
  };

  const questionOf = async (asker: Insider, answerer: Insider, text: string, exchange = someId()) => {
    const { statement, sealed, frankingKey } = await messageOf("question", asker, answerer, exchange, text);
    const receipt = await receiptOf(asker, {
      exchange,
      asker: asker.pseudonym,
      answerer: answerer.pseudonym,
      question: statementDigest(statement),
    });
    return { exchange, frankingKey, body: { statement, sealed, receipt } };
  };
  const openingOf = async (asker: Insider, answerer: Insider, question = 0, exchange = someId()) => {
    const at = clock.now();
    const payload = { community, exchange, from: asker.pseudonym, to: answerer.pseudonym, question, at };
    const statement = await signStatement(OPENING, payload, asker.key);
    const receipt = await receiptOf(asker, {
      exchange,
      asker: asker.pseudonym,
      answerer: answerer.pseudonym,
      question: statementDigest(statement),
    });
    return { exchange, body: { statement, receipt } };
  };
  const answerOf = async (
    asker: Insider,
    answerer: Insider,
    { exchange, body }: { exchange: string; body: { statement: string } },
    text: string,
  ) => {
    const { statement, sealed, frankingKey } = await messageOf("answer", answerer, asker, exchange, text);
    const receipt = await receiptOf(answerer, {
      exchange,
      asker: asker.pseudonym,
      answerer: answerer.pseudonym,
      question: statementDigest(body.statement),
    });
    return { frankingKey, body: { statement, sealed, receipt } };
  };

  const ratingOf = (rater: Insider, target: Insider, exchange: string, good: boolean) =>
    signStatement(
      FEEDBACK,
      {
        exchange,
        community,
        epoch: trustEpoch(clock.now()),
        rater: rater.pseudonym,
        target: target.pseudonym,
        good,
      },
      rater.key,
    );

  const similarityOf = (
    kind: MessageName,
    from: Insider,
    to: Insider,
    message: Bytes,
    { by = from, run = toHex(message.slice(6, 22)) }: { by?: Insider; run?: string } = {},
  ) =>
    signStatement(
      SIMILARITY_MESSAGE,
      {
        community,
        run,
        from: from.pseudonym,
        to: to.pseudonym,
        kind,
        message: toBase64Url(message),
        at: clock.now(),
      },
      by.key,
    );

  const reportOf = async (
    reporter: Insider,
    exchange: string,
    message: "question" | "answer",
    text: string,
    report = someId(),
  ) => {
    const { accountId } = moderator.session.account;
    const binding = {
      kind: "report" as const,
      community,
      subject: report,
      from: reporter.pseudonym,
      to: accountId,
    };
    const sealed = await sealTo(system, moderator.keys.receiving.publicKey, binding, utf8(text));
    const statement = await signStatement(
      REPORT,
      {
        community,
        report,
        exchange,
        message,
        reporter: reporter.pseudonym,
        sealed: [{ moderator: accountId, sealed: sealedDigest(sealed) }],
        at: clock.now(),
      },
      reporter.key,
    );
    return {
      report,
      binding,
      body: { statement, sealed: [{ moderator: accountId, sealed: toBase64Url(sealed) }] },
    };
  };

  const scene = {
    system,
    call,
    community,
    path,
    founder,
    hospital,
    issuer,
    moderator,
    document,
    publish,
    admit,
    join,
    member,
    agree,
    agreementOf,
    messageOf,
    receiptOf,
    questionOf,
    openingOf,
    answerOf,
    ratingOf,
    similarityOf,
    reportOf,
    inbox: (insider: Insider, after = "0", limit = 20) =>
      call("GET", `${path}/inbox?after=${after}&limit=${limit}`, insider),
    ask: (asker: Insider, body: unknown) => call("POST", `${path}/questions`, asker, body),
    open: (asker: Insider, body: unknown) => call("POST", `${path}/openings`, asker, body),
    show: (insider: Sender, exchange: string) => call("GET", `${path}/exchanges/${exchange}`, insider),
    answer: (answerer: Sender, exchange: string, body: unknown) =>
      call("POST", `${path}/exchanges/${exchange}/answer`, answerer, body),
    rate: async (rater: Insider, target: Insider, exchange: string, good: boolean) =>
      call("POST", `${path}/exchanges/${exchange}/rating`, rater, {
        statement: await ratingOf(rater, target, exchange, good),
      }),
    moderate: () => moderator.session.staffTicket(moderator.keys.signing),
    /** An opening that was answered. */
    async met(asker: Insider, answerer: Insider) {
      const opening = await openingOf(asker, answerer);
      await scene.open(asker, opening.body);
      const answer = await answerOf(asker, answerer, opening, "Warm up slowly.");
      const { status, json } = await scene.answer(answerer, opening.exchange, answer.body);
      if (status !== 201) {
        throw new Error(JSON.stringify(json));
      }
      return { ...opening, answer };
    },
    /** Both agree, one asks. */
    async asked(asker: Insider, answerer: Insider, text = "Do you sleep well?") {
      await scene.agree(asker, answerer);
      await scene.agree(answerer, asker);
      const question = await questionOf(asker, answerer, text);
      const { status, json } = await scene.ask(asker, question.body);
      if (status !== 201) {
        throw new Error(JSON.stringify(json));
      }
      return question;
    },
  };
  return scene;
}
export type Scene = Awaited<ReturnType<typeof createScene>>;

/** A run's id as its messages carry it. */
export const runIdOf = (message: Bytes) => toHex(message.slice(6, 22));
