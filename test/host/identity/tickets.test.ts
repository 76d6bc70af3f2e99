import { beforeAll, describe, expect, it } from "vitest";
import {
  createTicketIssuer,
  createTicketVerifier,
  type Grant,
  type TicketIssuer,
} from "../../../host/identity/index.ts";
import type { SigningKey } from "../../../host/sealing/index.ts";
import { createTestClock, ticketKeyRing } from "../../support/system.ts";
import { forgedJwt, payloadOf, someId } from "../http/attack.ts";

describe("tickets", () => {
  const clock = createTestClock();
  const stream = someId();
  const grant: Grant<"read"> = { scope: "read", stream, cnf: { jkt: "t".repeat(43) } };
  let key: SigningKey;
  let issuer: TicketIssuer;

  beforeAll(async () => {
    const ring = await ticketKeyRing(clock);
    ({ key } = ring.signing());
    issuer = createTicketIssuer(ring, clock);
  });

  const verifierOf = (issuers: TicketIssuer[]) => {
    const asked = { refreshes: 0 };
    const keys = () => ({ keys: issuers.flatMap(({ keys }) => keys().keys) });
    const verifier = createTicketVerifier(
      {
        current: async () => issuer.keys(),
        refresh: async () => {
          asked.refreshes++;
          return keys();
        },
      },
      clock,
    );
    return { verifier, asked };
  };

  it("say no more of the reader than the thumbprint of a key", async () => {
    const { ticket, expiresAt } = await issuer.issue(grant);
    const payload = payloadOf(ticket);
    expect(payload).toEqual({
      ...grant,
      iss: "medcloudlet-kdc",
      aud: "cloud",
      iat: expect.any(Number),
      exp: expiresAt / 1000,
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(payload.exp).toBe((payload.iat as number) + 300);
  });

  it("hold until their end and half a minute of skew, also as judged at another moment", async () => {
    const { verifier } = verifierOf([issuer]);
    const { ticket, expiresAt } = await issuer.issue(grant);
    expect(await verifier.verify(ticket, "read")).toEqual(grant);
    expect(await verifier.verify(ticket, "read", expiresAt + 29_000)).toEqual(grant);
    await expect(verifier.verify(ticket, "read", expiresAt + 31_000)).rejects.toMatchObject({
      code: "TICKET_EXPIRED",
      status: 401,
    });
    const short = await issuer.issue(grant, clock.now() + 5000);
    expect(short.expiresAt).toBeLessThanOrEqual(clock.now() + 5000);
    const long = await issuer.issue(grant, clock.now() + 10 ** 9);
    expect(long.expiresAt).toBeLessThanOrEqual(clock.now() + 300_000);
  });

  it("are refused for another scope, audience, issuer, type, algorithm, or without an end", async () => {
    const { verifier, asked } = verifierOf([issuer]);
    const kid = issuer.keys().keys[0]?.kid;
    const header = { alg: "EdDSA", typ: "medcloudlet-ticket+jwt", kid };
    const good = payloadOf((await issuer.issue(grant)).ticket);
    expect(await verifier.verify(await forgedJwt(header, good, key), "read")).toEqual(grant);
    for (const [head, claims] of [
      [header, { ...good, aud: "cloudlet" }],
      [header, { ...good, aud: undefined }],
      [header, { ...good, iss: "somebody" }],
      [header, { ...good, exp: undefined }],
      [header, { ...good, exp: "never" }],
      [header, { ...good, jti: undefined }],
      [header, { ...good, nbf: (good.iat as number) + 3600 }],
      [{ ...header, typ: "JWT" }, good],
      [{ ...header, typ: "dpop+jwt" }, good],
      [{ ...header, alg: "none" }, good],
      [{ ...header, alg: "HS256" }, good],
      [{ ...header, crit: ["b64"], b64: false }, good],
    ] as const) {
      const ticket = await forgedJwt(head, claims, key);
      await expect(verifier.verify(ticket, "read"), JSON.stringify([head, claims])).rejects.toMatchObject({
        code: expect.stringMatching(/^TICKET_(INVALID|KEY_UNKNOWN)$/),
        status: 401,
      });
    }
    for (const claims of [
      { ...good, scope: "forward" },
      { ...good, stream: "*" },
      { ...good, stream: { $gt: "" } },
      { ...good, cnf: {} },
      { ...good, cnf: undefined },
      { ...good, cnf: { jkt: "a", jwk: {} } },
    ]) {
      const ticket = await forgedJwt(header, claims, key);
      await expect(verifier.verify(ticket, "read")).rejects.toMatchObject({
        code: "TICKET_SCOPE",
        status: 403,
      });
    }
    expect(asked.refreshes).toBeLessThanOrEqual(1);
  });

  it("of a new key make the verifier ask for the keys once, and hold if the KDC has that key", async () => {
    const rotated = createTicketIssuer(await ticketKeyRing(clock), clock);
    const { ticket } = await rotated.issue(grant);
    const known = verifierOf([rotated]);
    expect(await known.verifier.verify(ticket, "read")).toEqual(grant);
    expect(known.asked.refreshes).toBe(1);
    const unknown = verifierOf([issuer]);
    await expect(unknown.verifier.verify(ticket, "read")).rejects.toMatchObject({
      code: "TICKET_KEY_UNKNOWN",
      status: 401,
    });
    expect(unknown.asked.refreshes).toBe(1);
  });
});
