import { beforeAll, describe, expect, it } from "vitest";
import { signStatement } from "../../../host/sealing/index.ts";
import {
  CREDENTIAL,
  RECEIPT,
  verifyCredential,
  verifyFeedback,
  verifyReceipt,
} from "../../../host/trust/index.ts";
import { newSigningKey, rejectionOf } from "../sealing/fixtures.ts";
import { exchange, feedback, type Member, NOW, newCommunity, someId } from "./community.ts";

let community: Awaited<ReturnType<typeof newCommunity>>;
let ada: Member;
let ben: Member;
let eve: Member;
beforeAll(async () => {
  community = await newCommunity();
  [ada, ben, eve] = await Promise.all([community.admit(), community.admit(), community.admit()]);
});

const partiesOf = (asker: Member, answerer: Member) => ({
  asker: asker.credential,
  answerer: answerer.credential,
});

describe("a credential", () => {
  const verdict = (statement: string, now = NOW) =>
    rejectionOf(verifyCredential(statement, community.issuers, now));

  it("of an admitted hospital is taken within its time", async () => {
    expect(await verifyCredential(ada.statement, community.issuers, NOW)).toEqual(ada.credential);
    expect(await verdict(ada.statement, ada.credential.until)).toBe("CREDENTIAL_EXPIRED");
    expect(await verdict(ada.statement, ada.credential.from - 1)).toBe("CREDENTIAL_EXPIRED");
  });

  it("of anybody else is refused, also when it names an admitted one", async () => {
    const quack = await newSigningKey();
    expect(await verdict((await community.admit({}, quack)).statement)).toBe("CREDENTIAL_ISSUER_UNKNOWN");
    expect(await verdict((await community.admit({ issuer: someId() })).statement)).toBe(
      "CREDENTIAL_ISSUER_UNKNOWN",
    );
    expect(await verdict("nonsense")).toBe("CREDENTIAL_ISSUER_UNKNOWN");
  });

  it("of one admitted hospital cannot pass as another's", async () => {
    const other = await newSigningKey();
    const otherId = someId();
    const both = new Map([...community.issuers, [otherId, other.publicKey]]);
    const posing = await community.admit({ issuer: community.issuer }, other);
    expect(await rejectionOf(verifyCredential(posing.statement, both, NOW))).toBe(
      "CREDENTIAL_ISSUER_UNKNOWN",
    );
    const own = await community.admit({ issuer: otherId }, other);
    expect(await rejectionOf(verifyCredential(own.statement, both, NOW))).toBe("none");
  });

  it("has to end after it begins", () => {
    expect(CREDENTIAL.schema.safeParse({ ...ada.credential, until: ada.credential.from }).success).toBe(
      false,
    );
    expect(CREDENTIAL.schema.safeParse({ ...ada.credential, name: "Ada" }).success).toBe(false);
  });
});

describe("a receipt", () => {
  it("is one statement by both", async () => {
    const { receipt, signed } = await exchange(ada, ben);
    expect(await verifyReceipt(signed, partiesOf(ada, ben))).toEqual(receipt);
  });

  it("is refused when one signed something else, or somebody else signed", async () => {
    for (const changes of [{ epoch: 1 }, { exchange: someId() }, { question: "0".repeat(64) }]) {
      const { signed } = await exchange(ada, ben, changes);
      expect(await rejectionOf(verifyReceipt(signed, partiesOf(ada, ben)))).toBe("RECEIPT_MISMATCH");
    }
    const { receipt, signed } = await exchange(ada, ben);
    expect(await rejectionOf(verifyReceipt(signed, partiesOf(ada, eve)))).toBe("STATEMENT_INVALID");
    const alone = { ...signed, byAnswerer: await signStatement(RECEIPT, receipt, ada.key) };
    expect(await rejectionOf(verifyReceipt(alone, partiesOf(ada, ben)))).toBe("STATEMENT_INVALID");
    // Eve signs, and says she is Ben.
    const posing = { ...signed, byAnswerer: await signStatement(RECEIPT, receipt, eve.key) };
    expect(await rejectionOf(verifyReceipt(posing, partiesOf(ada, eve)))).toBe("RECEIPT_MISMATCH");
  });

  it("of one community is none in another", async () => {
    const elsewhere = await newCommunity();
    const stranger = await elsewhere.admit();
    const { signed } = await exchange(ada, stranger);
    expect(await rejectionOf(verifyReceipt(signed, partiesOf(ada, stranger)))).toBe("RECEIPT_MISMATCH");
  });

  it("is not made with oneself", async () => {
    const { receipt } = await exchange(ada, ben);
    expect(RECEIPT.schema.safeParse({ ...receipt, answerer: receipt.asker }).success).toBe(false);
  });
});

describe("a feedback", () => {
  it("is taken from either of the two", async () => {
    const { receipt, signed } = await exchange(ada, ben);
    for (const rater of [ada, ben]) {
      const statement = await feedback(receipt, true, rater);
      const taken = await verifyFeedback(statement, signed, partiesOf(ada, ben), rater.credential);
      expect(taken).toMatchObject({ good: true, rater: rater.credential.pseudonym });
    }
  });

  it("is refused from a third, about a third, about another exchange or epoch", async () => {
    const { receipt, signed } = await exchange(ada, ben);
    const verdict = async (statement: Promise<string>, rater: Member) =>
      rejectionOf(verifyFeedback(await statement, signed, partiesOf(ada, ben), rater.credential));
    const aboutBen = { target: ben.credential.pseudonym };
    expect(await verdict(feedback(receipt, false, eve, aboutBen), eve)).toBe("FEEDBACK_MISMATCH");
    expect(await verdict(feedback(receipt, false, eve, aboutBen), ada)).toBe("STATEMENT_INVALID");
    const posing = feedback(receipt, false, eve, { ...aboutBen, rater: ada.credential.pseudonym });
    expect(await verdict(posing, eve)).toBe("FEEDBACK_MISMATCH");
    for (const changes of [
      { target: eve.credential.pseudonym },
      { exchange: someId() },
      { epoch: receipt.epoch + 1 },
      { community: someId() },
    ]) {
      expect(await verdict(feedback(receipt, false, ada, changes), ada)).toBe("FEEDBACK_MISMATCH");
    }
  });

  it("is not about oneself", async () => {
    const { receipt } = await exchange(ada, ben);
    const mine = ada.credential.pseudonym;
    await expect(feedback(receipt, true, ada, { target: mine })).rejects.toThrow();
  });
});
