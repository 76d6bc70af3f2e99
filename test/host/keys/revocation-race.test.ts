import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createReleases } from "../../../host/keys/releases.ts";
import type { Consent } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";

const ANY = z.unknown();

describe.each(backends())("revoking while the reader reads, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let heron: Doctor;
  let streamId: string;
  const share = (): Promise<Consent> =>
    ada.owner.share({
      reader: heron.handle,
      expectedFingerprint: heron.fingerprint,
      regions: ["medical"],
      purpose: "treatment",
      from: system.clock.now(),
      until: system.clock.now() + DAY_MS,
    });
  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada");
    heron = await system.doctor("dr-heron");
    ({ streamId } = await ada.owner.startEpoch("medical"));
  });
  afterAll(() => system?.stop());

  it("hands out no ticket, key or grant once the revocation is acknowledged, however many ask at once", async () => {
    let before = 0;
    for (let round = 0; round < 5; round++) {
      const { consentId } = await share();
      let acknowledgedAt = Number.POSITIVE_INFINITY;
      const late: string[] = [];
      /** Asks on and on until it was refused after the acknowledgement. */
      const ask = async (what: string, once: () => Promise<boolean>) => {
        for (;;) {
          const given = await once().catch(() => false);
          const after = performance.now() >= acknowledgedAt;
          if (given && after) {
            late.push(what);
          }
          before += given && !after ? 1 : 0;
          if (after) {
            return;
          }
        }
      };
      const asking = Array.from({ length: 4 }, () => [
        ask("ticket", async () => (await heron.session.readTicket(streamId, heron.keys.signing)) !== null),
        ask("key", async () => {
          await heron.session.call(ANY, { method: "GET", path: `/consents/${consentId}/keys` });
          return true;
        }),
        ask("grant", async () => (await heron.session.grants()).length > 0),
      ]).flat();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await ada.owner.revoke(consentId);
      acknowledgedAt = performance.now();
      await Promise.all(asking);
      expect(late).toEqual([]);
    }
    expect(before).toBeGreaterThan(50);
  });

  it.runIf(backend.name === "embedded")(
    "ends a consent once, however many revocations come at once",
    async () => {
      const { consentId } = await share();
      const before = ada.owner.epochs.length;
      const done = await Promise.allSettled(Array.from({ length: 8 }, () => ada.owner.revoke(consentId)));
      expect(done.map(({ status }) => status)).toEqual(Array(8).fill("fulfilled"));
      const given = (await ada.owner.consents()).find(({ consent }) => consent.consentId === consentId);
      expect(given?.revokedAt).not.toBeNull();
      expect(await heron.session.grants()).toEqual([]);
      const numbers = ada.owner.epochs.map(({ number }) => number);
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
      expect(numbers).toHaveLength(before + 1);
    },
  );
});

/** A server whose answers say when they may go on. */
async function answering(handle: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => handle(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    get: async (): Promise<IncomingMessage> => {
      const sent = request({ port, host: "127.0.0.1" });
      sent.end();
      const [response] = await once(sent, "response");
      return response as IncomingMessage;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("answers that hand something out", () => {
  it("are waited for, if they began before and go to the same receiver", async () => {
    const releases = createReleases();
    let finish: () => void = () => {};
    const server = await answering((response) => {
      releases.begin("heron", response);
      response.write("half");
      finish = () => response.end("whole");
    });
    const answer = await server.get();
    let settled = false;
    const revoked = releases.settled("heron").then(() => {
      settled = true;
    });
    await releases.settled("stork");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(settled).toBe(false);
    finish();
    answer.resume();
    await revoked;
    await releases.settled("heron");
    server.close();
  });

  it("are cut off where their receiver does not take them, and writing on is no crash", async () => {
    const releases = createReleases(200);
    let written: ServerResponse | undefined;
    const server = await answering((response) => {
      written = response;
      releases.begin("heron", response);
      response.write("x");
    });
    const answer = await server.get();
    const cut = new Promise((resolve) => answer.once("close", resolve));
    answer.on("error", () => {});
    answer.resume();
    await releases.settled("heron");
    await cut;
    expect(answer.complete).toBe(false);
    written?.write("too late");
    written?.end("much too late");
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.close();
  });

  it("are not waited for once their connection is gone", async () => {
    const releases = createReleases();
    const server = await answering((response) => {
      response.once("close", () => releases.begin("heron", response));
      response.end("done");
    });
    (await server.get()).resume();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await releases.settled("heron");
    server.close();
  });
});
