import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { MEMBER_KEY } from "../../../host/community/index.ts";
import { signStatement } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Person, type System, startSystem } from "../../support/system.ts";
import { newSigningKey } from "../sealing/fixtures.ts";
import { createScene, type Insider, type Scene, someId } from "./scene.ts";

describe.each(backends())("who is in a community, on the $name store", (backend) => {
  let system: System;
  let moderator: Person;
  let scene: Scene;
  let ada: Insider;

  beforeAll(async () => {
    system = await startSystem(backend);
    moderator = await system.person("moderator", "mod");
    scene = await createScene(system, { moderator });
    expect((await scene.publish()).status).toBe(201);
    ada = await scene.member();
  });
  afterAll(() => system?.stop());

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;

  it("is founded by an operator, under the founder's key alone, and revised version by version", async () => {
    const place = await createScene(system, { moderator });
    const statement = (await scene.call("GET", scene.path, undefined)).json.statement;
    const ticket = await place.moderate();
    expect(codeOf(await scene.call("POST", "/communities", ticket, { statement }))).toBe("TICKET_SCOPE");
    expect(codeOf(await place.publish({}, await newSigningKey()))).toBe("STATEMENT_INVALID");
    // Another key's community under this id.
    const other = await newSigningKey();
    const founder = toBase64Url(other.publicKey);
    expect(codeOf(await scene.publish({ founder, version: 2 }, other))).toBe("STATEMENT_INVALID");
    expect(codeOf(await place.publish({ version: 2 }))).toBe("COMMUNITY_VERSION");
    expect(codeOf(await place.publish())).toBe(201);
    const openingQuestions = [...place.document().openingQuestions, "How do you spend a bad day?"];
    expect(codeOf(await place.publish({ version: 3, openingQuestions }))).toBe("COMMUNITY_VERSION");
    expect(codeOf(await place.publish({ version: 2, openingQuestions }))).toBe(200);
    expect(codeOf(await place.publish({ version: 2, title: "Other" }))).toBe("COMMUNITY_VERSION");
    // Questions that were asked mean what they meant.
    expect(codeOf(await place.publish({ version: 3 }))).toBe("COMMUNITY_QUESTIONS_CHANGED");
    expect(codeOf(await place.publish({ version: 3, openingQuestions, at: 1 }))).toBe("STATEMENT_STALE");
    const all = (await scene.call("GET", "/communities", undefined)).json.communities;
    expect(all).toHaveLength(2);
    expect(codeOf(await scene.call("GET", `/communities/${someId()}`, undefined))).toBe("COMMUNITY_UNKNOWN");
  });

  it("is who has a credential of an admitted hospital, for this community, with the very key that asks", async () => {
    const stranger = await newSigningKey();
    const self = await scene.admit({}, stranger);
    expect(codeOf(await scene.join(self))).toBe("CREDENTIAL_ISSUER_UNKNOWN");
    const elsewhere = await scene.admit({ community: someId() });
    expect(codeOf(await scene.join(elsewhere))).toBe("STATEMENT_NOT_YOURS");
    const ben = await scene.admit();
    expect(codeOf(await scene.join(ben, ada))).toBe("STATEMENT_NOT_YOURS");
    const body = { credential: ben.statement, memberKey: ben.memberKey };
    expect(codeOf(await scene.call("POST", `${scene.path}/members`, undefined, body))).toBe("PROOF_INVALID");
    const late = await scene.admit({ from: 1, until: 2 });
    expect(codeOf(await scene.join(late))).toBe("CREDENTIAL_EXPIRED");
    // Somebody else's receiving key under one's own credential, or one's own about another pseudonym.
    expect(codeOf(await scene.join({ ...ben, memberKey: ada.memberKey }))).toBe("STATEMENT_INVALID");
    const about = await signStatement(
      MEMBER_KEY,
      {
        community: scene.community,
        pseudonym: ada.pseudonym,
        suite: 1,
        receivingKey: toBase64Url(ben.receiving.publicKey),
        at: system.clock.now(),
      },
      ben.key,
    );
    expect(codeOf(await scene.join({ ...ben, memberKey: about }))).toBe("MEMBER_KEY_MISMATCH");
    // None of them got in.
    for (const insider of [self, elsewhere, ben, late]) {
      expect(codeOf(await scene.inbox(insider))).toBe("MEMBER_UNKNOWN");
    }
    expect(codeOf(await scene.join(ben))).toBe(201);
    expect(codeOf(await scene.join(ben))).toBe(200);
    const path = `${scene.path}/members`;
    const { members } = (await scene.call("GET", `${path}?pseudonym=${ben.pseudonym}`, ada)).json;
    expect(members).toEqual([
      {
        pseudonym: ben.pseudonym,
        credential: ben.statement,
        earlier: [],
        memberKey: ben.memberKey,
        suspendedUntil: null,
      },
    ]);
    expect(codeOf(await scene.call("GET", path, undefined))).toBe("PROOF_INVALID");
    expect(codeOf(await scene.call("GET", path, self))).toBe("MEMBER_UNKNOWN");
  });

  it("ends with the credential, and with the hospital's place in the document", async () => {
    const place = await createScene(system, { moderator });
    await place.publish();
    const [short, long] = [await place.member({ until: system.clock.now() + DAY_MS }), await place.member()];
    await place.member();
    const opening = await place.openingOf(long, short);
    expect(codeOf(await place.open(long, opening.body))).toBe(201);
    system.clock.advance(DAY_MS + 1);
    const answer = await place.answerOf(long, short, opening, "Late");
    expect(codeOf(await place.answer(short, opening.exchange, answer.body))).toBe("CREDENTIAL_EXPIRED");
    expect(codeOf(await place.inbox(short))).toBe("CREDENTIAL_EXPIRED");
    expect(codeOf(await place.agree(long, short))).toBe("PARTNER_UNKNOWN");
    const listed = (await place.call("GET", `${place.path}/members`, long)).json.members;
    expect(listed).toHaveLength(2);
    expect(JSON.stringify(listed)).not.toContain(short.pseudonym);
    // A hospital whose key was exchanged has to admit its patients again.
    const issuers = [{ id: place.issuer, signingKey: toBase64Url((await newSigningKey()).publicKey) }];
    expect(codeOf(await place.publish({ version: 2, issuers }))).toBe(200);
    expect(codeOf(await place.inbox(long))).toBe("MEMBER_UNKNOWN");
    // By a hospital that was admitted since, the same patient comes back, and sees no one of before.
    const hospital = await newSigningKey();
    const again = [{ id: place.issuer, signingKey: toBase64Url(hospital.publicKey) }];
    expect(codeOf(await place.publish({ version: 3, issuers: again }))).toBe(200);
    const { pseudonym } = long;
    const back = await place.admit({ pseudonym, from: system.clock.now() - 1 }, hospital);
    expect(codeOf(await place.join(back))).toBe(200);
    const now = (await place.call("GET", `${place.path}/members`, back)).json.members;
    expect(now).toMatchObject([{ pseudonym, credential: back.statement, earlier: [long.statement] }]);
  });

  it("is one name a patient: a new key keeps it, the old key is out, what it signed can still be checked", async () => {
    const ben = await scene.member();
    const { exchange } = await scene.met(ada, ben);
    const { pseudonym, credential } = ben;
    const washed = await scene.admit({ pseudonym, from: credential.from + 1 });
    expect(codeOf(await scene.join(washed))).toBe(200);
    expect(codeOf(await scene.inbox(ben))).toBe("MEMBER_UNKNOWN");
    expect(codeOf(await scene.join(ben))).toBe("CREDENTIAL_OLDER");
    const path = `${scene.path}/members?pseudonym=${pseudonym}`;
    const { members } = (await scene.call("GET", path, ada)).json;
    expect(members).toMatchObject([{ credential: washed.statement, earlier: [ben.statement] }]);
    // Its exchanges of before are rated all the same.
    expect(codeOf(await scene.rate(ada, ben, exchange, false))).toBe(201);
    const ratings = (await scene.call("GET", `${scene.path}/members/${pseudonym}/ratings`, ada)).json.ratings;
    expect(ratings).toHaveLength(1);
    // Nobody takes a key that is another's.
    const twin = await scene.admit({ signingKey: ada.credential.signingKey });
    expect(codeOf(await scene.join(twin, ada))).toBe("STATEMENT_INVALID");
    const memberKey = await signStatement(
      MEMBER_KEY,
      {
        community: scene.community,
        pseudonym: twin.pseudonym,
        suite: 1,
        receivingKey: toBase64Url(twin.receiving.publicKey),
        at: system.clock.now(),
      },
      ada.key,
    );
    expect(codeOf(await scene.join({ ...twin, memberKey }, ada))).toBe("CREDENTIAL_KEY_TAKEN");
  });

  it("does not go back to an older receiving key", async () => {
    const ben = await scene.member();
    const { publicKey } = await system.suite.generateKeyPair();
    const keyOf = (at: number) =>
      signStatement(
        MEMBER_KEY,
        {
          community: scene.community,
          pseudonym: ben.pseudonym,
          suite: 1,
          receivingKey: toBase64Url(publicKey),
          at,
        },
        ben.key,
      );
    system.clock.advance(1000);
    expect(codeOf(await scene.join({ ...ben, memberKey: await keyOf(system.clock.now()) }))).toBe(200);
    expect(codeOf(await scene.join(ben))).toBe("MEMBER_KEY_OLDER");
  });

  it("says who is a clinician: standings begin there", async () => {
    const place = await createScene(system, { moderator });
    await place.publish();
    const at = `${place.path}/standings`;
    const patients = [await place.member(), await place.member(), await place.member()];
    const [first, second, third] = patients as [Insider, Insider, Insider];
    expect((await place.call("GET", at, first)).json).toEqual({ standings: [], errorBound: 0, next: null });
    const clinician = await place.member({ standing: "clinician" });
    const standingOf = async ({ pseudonym }: Insider) => {
      const { standings } = (await place.call("GET", at, first)).json;
      return standings.find((one: Insider) => one.pseudonym === pseudonym).standing as number;
    };
    expect(await standingOf(clinician)).toBeGreaterThan(0.5);
    expect(await standingOf(first)).toBe(0);
    // Folded in, one after the other.
    for (const [rater, target] of [
      [clinician, first],
      [first, second],
    ] as const) {
      const { exchange } = await place.met(rater, target);
      expect(codeOf(await place.rate(rater, target, exchange, true))).toBe(201);
    }
    const folded = [await standingOf(first), await standingOf(second), await standingOf(third)];
    expect(folded[0]).toBeGreaterThan(0.2);
    expect(folded[1]).toBeGreaterThan(0.1);
    expect(folded[2]).toBe(0);
    const all = (await place.call("GET", at, first)).json.standings;
    const head = (await place.call("GET", `${at}?limit=2`, first)).json;
    const tail = (await place.call("GET", `${at}?limit=100&after=${head.next}`, first)).json;
    expect(head.standings.concat(tail.standings)).toEqual(all);
    expect(tail).toMatchObject({ standings: { length: 2 }, next: null });
    // An hour later they are computed from what is stored, as after a restart: the same.
    system.clock.advance(61 * 60 * 1000);
    const computed = [await standingOf(first), await standingOf(second), await standingOf(third)];
    for (const [index, value] of computed.entries()) {
      expect(value).toBeCloseTo(folded[index] as number, 3);
    }
    const { ratings } = (await place.call("GET", `${place.path}/members/${second.pseudonym}/ratings`, third))
      .json;
    expect(ratings).toEqual([
      {
        statement: expect.any(String),
        receipt: { byAsker: expect.any(String), byAnswerer: expect.any(String) },
      },
    ]);
  });
});
