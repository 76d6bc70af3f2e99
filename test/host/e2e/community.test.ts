import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../host/base/index.ts";
import { makeIdentityCard } from "../../../host/client/community/index.ts";
import { type Decision, TRUST_EPOCH_MS } from "../../../host/trust/index.ts";
import {
  compareBoth,
  DIABETES,
  opening,
  startCommunity,
  type TestCommunity,
  type TestMember,
} from "../../support/community.ts";
import { flatten, spellings } from "../../support/leaks.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, type Patient, type System, startSystem } from "../../support/system.ts";

const QUESTION = "Does metformin upset your stomach in the mornings as well?";
const ANSWER = "It did. Taking it with food helped within a week.";
const BAD_ADVICE = "Just stop taking it, doctors know nothing.";
const NEVER_REPORTED = "My sister lives in Lindenthal, by the way.";

describe.each(backends())("a community on the $name store", (backend) => {
  let system: System;
  let community: TestCommunity;
  let quietOtter: Patient;
  let ada: TestMember;
  let ben: TestMember;
  let cleo: TestMember;
  let heron: TestMember;

  beforeAll(async () => {
    system = await startSystem(backend);
    community = await startCommunity(system);
    quietOtter = await system.patient("quiet-otter", "Ada Quillfeather");
    ada = await community.join("record 1, Ada");
    ben = await community.join("record 2, Ben");
    cleo = await community.join("record 3, Cleo", { codes: ["44054006", "13645005"] });
    heron = await community.join("Dr. Heron", { standing: "clinician" });
  });
  afterAll(() => system?.stop());

  const partnerOf = async (member: TestMember, partner: TestMember) => {
    const found = (await member.member.partners()).find(
      ({ pseudonym }) => pseudonym === partner.member.pseudonym,
    );
    if (found === undefined) {
      throw new Error("the partner is no member");
    }
    return found;
  };

  it("two patients find each other, one of them starts lying, and the gate closes on them", async () => {
    const { clock } = system;
    const [a, b, c] = [ada.member, ben.member, cleo.member];

    // They find each other: how much they share, and nothing of what.
    for (const partner of [ben, cleo]) {
      await compareBoth(ada, partner);
    }
    await compareBoth(ben, cleo);
    expect((await partnerOf(ada, ben)).overlap).toMatchObject({ common: 2, jaccard: 1 });
    expect((await partnerOf(cleo, ada)).overlap).toMatchObject({ common: 1, jaccard: 1 / 3 });

    // Nobody is known yet: similarity alone opens nothing, neither an agreement nor a question.
    await a.setThreshold(0.6);
    await b.setThreshold(0.6);
    const stranger = await a.agree(b.pseudonym, 30).catch((error) => error);
    expect(stranger).toMatchObject({
      code: "GATE_CLOSED",
      details: { decision: { reason: "TOO_UNCERTAIN" } },
    });
    await expect(a.ask(QUESTION)).rejects.toMatchObject({ code: "GATE_CLOSED" });

    // Weeks of opening questions, which share nothing of the asker's.
    const bounds: number[] = [];
    for (let week = 0; week < 5; week++) {
      await opening(heron, ben, true);
      await opening(heron, ada, true);
      await opening(ada, ben, true, true);
      bounds.push((await partnerOf(ada, ben)).decision.bound);
      clock.advance(TRUST_EPOCH_MS);
    }
    expect(bounds).toEqual([...bounds].sort((one, other) => one - other));

    // The gate is open; both have to want it.
    await a.visit();
    expect(await a.agree(b.pseudonym, 90)).toMatchObject({ reason: "CONSENT_MISSING" });
    await expect(a.ask(QUESTION, { partners: [b.pseudonym] })).rejects.toMatchObject({
      code: "GATE_CLOSED",
      details: { decision: { reason: "CONSENT_MISSING" } },
    });
    await b.visit();
    await b.agree(a.pseudonym, 90);
    await a.visit();

    // The question goes to who passed, and to nobody else; Ada chooses to say who she is.
    const card = (to: string) =>
      makeIdentityCard({
        account: quietOtter.session.account,
        name: "Ada Quillfeather",
        keys: quietOtter.keys,
        addressed: { community: community.community.community, from: a.pseudonym, to },
        clock,
      });
    const { sent, refused } = await a.ask(QUESTION, { partners: [b.pseudonym, c.pseudonym], card });
    expect(sent.map(({ partner }) => partner)).toEqual([b.pseudonym]);
    expect(sent[0]?.decision.text).toMatch(
      /^Shared: trust is 0\.\d\d of 0\.60 needed: 4 exchanges of your own, 1 witness/,
    );
    expect(refused.map(({ partner }) => partner)).toEqual([c.pseudonym]);
    const question = sent[0]?.exchange as string;
    await b.visit();
    expect(b.exchanges().find(({ exchange }) => exchange === question)).toMatchObject({
      state: "waiting",
      question: { text: QUESTION, card: { handle: "quiet-otter", name: "Ada Quillfeather" } },
    });
    await b.answer(question, ANSWER);
    await a.visit();
    expect(a.exchanges().find(({ exchange }) => exchange === question)).toMatchObject({
      state: "answered",
      answer: { text: ANSWER, card: null },
    });
    expect(await a.rate(question, true)).toEqual({ told: true, closed: [] });

    // A second question, then Ben starts lying: to Ada, and as a witness about Cleo.
    clock.advance(TRUST_EPOCH_MS);
    const another = (await a.ask("And in the evenings?")).sent[0]?.exchange as string;
    await b.ask(NEVER_REPORTED, { partners: [a.pseudonym] });
    await b.visit();
    await opening(ada, cleo, true);
    await opening(ben, cleo, false);
    await b.answer(another, BAD_ADVICE);
    const unanswered = await (async () => {
      await a.visit();
      return (await a.ask("One more thing?")).sent[0]?.exchange as string;
    })();
    await b.visit();

    // Rated, the gate closes at once, and says why.
    const { closed } = await a.rate(another, false);
    expect(closed.map(({ partner }) => partner)).toEqual([b.pseudonym]);
    expect((await partnerOf(ada, ben)).agreed).toEqual({ mine: false, theirs: true });
    await b.visit();
    expect((await partnerOf(ben, ada)).agreed).toEqual({ mine: true, theirs: false });
    const { decision } = closed[0] as { decision: Decision };
    expect(decision).toMatchObject({ share: false, reason: "BELOW_THRESHOLD" });
    expect(decision.text).toMatch(/^Not shared: trust is 0\.\d\d of 0\.60 needed: \d exchanges of your own/);
    const kept = (await ada.reopen()).member.decisions(b.pseudonym);
    expect(kept[0]).toMatchObject({ ...decision, occasion: "you rated a bad exchange" });
    expect(kept.map(({ share }) => share)).toContain(true);

    // The relay passes nothing any more, in either direction, whatever Ben's program does.
    await expect(a.ask("Are you there?", { partners: [b.pseudonym] })).rejects.toMatchObject({
      code: "GATE_CLOSED",
      details: { decision: { reason: "BELOW_THRESHOLD" } },
    });
    await b.visit();
    await expect(b.ask("Ada?", { partners: [a.pseudonym] })).rejects.toMatchObject({
      code: "GATE_CLOSED",
      details: { decision: { reason: "CONSENT_MISSING" } },
    });
    // A program of Ben's that believes whatever he likes: the relay does not.
    ben.state().agreements.theirs[a.pseudonym] = {
      statement: "",
      agreed: true,
      until: clock.now() + TRUST_EPOCH_MS,
      at: clock.now() + 1,
    };
    const forced = (await ben.reopen()).member;
    await forced.visit();
    await expect(forced.answer(unanswered, "Sure.")).rejects.toMatchObject({ code: "AGREEMENT_MISSING" });
    await expect(forced.ask("Ada!", { partners: [a.pseudonym] })).rejects.toMatchObject({
      code: "AGREEMENT_MISSING",
    });

    // As a witness he is worth less than he was: what he says of Cleo does not count against Ada's own.
    clock.advance(TRUST_EPOCH_MS);
    const weight = async () => (await partnerOf(ada, cleo)).assessment;
    const doubted = await weight();
    await opening(ada, cleo, true);
    const after = await weight();
    expect(doubted).toMatchObject({ witnesses: 1 });
    expect(after.discounted).toBe(1);

    // The report: the moderator sees that message, and nothing else of what the two wrote.
    await a.visit();
    const report = await a.report(another);
    const moderator = await community.moderate();
    expect(await moderator.reports()).toEqual([{ report, decided: 0, appealed: false }]);
    const shown = await moderator.show(report);
    expect(shown).toMatchObject({
      text: BAD_ADVICE,
      trouble: null,
      message: "answer",
      reporter: a.pseudonym,
      sender: b.pseudonym,
    });
    for (const word of ["evenings", NEVER_REPORTED, QUESTION, ANSWER]) {
      expect(JSON.stringify(shown)).not.toContain(word);
    }
    await moderator.decide(report, {
      action: "suspend",
      reason: "harmful-advice",
      until: clock.now() + 30 * 86_400_000,
      note: "Telling somebody to stop a medicine is dangerous.",
    });
    await b.visit();
    expect(b.moderation()[0]).toMatchObject({
      action: "suspend",
      reason: "harmful-advice",
      note: "Telling somebody to stop a medicine is dangerous.",
      role: "sender",
    });
    await expect(b.open(c.pseudonym, 1)).rejects.toMatchObject({ code: "MEMBER_SUSPENDED" });
    await b.appeal(report, "I was angry, and I am sorry.");
    expect(await moderator.show(report)).toMatchObject({ appeal: "I was angry, and I am sorry." });
    await a.visit();
    expect(a.moderation()).toMatchObject([{ action: "suspend", role: "reporter", note: null }]);

    // Nothing of it lies anywhere but with the two.
    const words = [
      QUESTION,
      ANSWER,
      BAD_ADVICE,
      NEVER_REPORTED,
      "I was angry",
      "Ada Quillfeather",
      ...DIABETES,
    ];
    const { accountId } = quietOtter.session.account;
    const secrets = [...words, accountId, "quiet-otter", "record 1"].map(utf8).flatMap(spellings);
    const haystack = (await dumpOf(system.stores.cloudlet))
      .map(({ document }) => flatten(document))
      .join("\n");
    for (const secret of secrets) {
      expect(haystack.includes(secret), `the cloudlet holds ${secret}`).toBe(false);
    }
    const kdc = (await dumpOf(system.stores.kdc)).map(({ document }) => flatten(document)).join("\n");
    for (const member of [a, b, c]) {
      expect(kdc).not.toContain(member.pseudonym);
      expect(haystack).toContain(member.pseudonym);
    }
    const log = system.logLines.join("\n");
    for (const word of words) {
      expect(log).not.toContain(word);
    }
  }, 120_000);
});
