import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { toBase64Url } from "../../../host/base/index.ts";
import type { HeldTicket } from "../../../host/client/index.ts";
import { BATCHES_TYPE, keyThumbprint, unframeBatches } from "../../../host/sealing/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type System, startSystem } from "../../support/system.ts";
import {
  expectProblem,
  leavesNoTrace,
  payloadOf,
  replay,
  sealedBy,
  signed,
  snapshot,
  someId,
  strangerKey,
  uploadBy,
  wearerOf,
} from "../http/attack.ts";

describe.each(backends())("reading a stream on the $name store", (backend) => {
  let system: System;
  let sensor: Awaited<ReturnType<typeof wearerOf>>;
  let doctor: Doctor;

  const consent = (from: number, until: number, to = doctor) =>
    sensor.patient.owner.share(termsFor(system, to, { from, until }));

  const ticketOf = (person: Doctor, streamId = sensor.streamId): Promise<HeldTicket> =>
    person.session.readTicket(streamId, person.keys.signing);

  const get = async (
    path: string,
    { key, ticket }: Pick<HeldTicket, "key" | "ticket">,
    headers: Record<string, string> = {},
  ) =>
    replay(
      await signed(system, { method: "GET", url: `${system.cloud.url}/v1${path}`, key, ticket, headers }),
    );

  /** A page of the sensor's stream as the doctor gets it. */
  const page = async (query: string) => {
    const ticket = await ticketOf(doctor);
    return get(`/streams/${sensor.streamId}/batches${query}`, ticket);
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    sensor = await wearerOf(system, "quiet-otter");
    doctor = await system.doctor("dr-heron");
    for (let sequence = 0; sequence < 5; sequence++) {
      await replay(await uploadBy(system, sensor, await sealedBy(system, sensor, sequence)));
      await snapshot(system);
    }
  });
  afterAll(() => system?.stop());

  it("is refused without consent, and an unknown stream looks just the same", async () => {
    await leavesNoTrace(system, async () => {
      const refusals = [];
      for (const streamId of [sensor.streamId, someId()]) {
        const { code, status, message, details } = await ticketOf(doctor, streamId).then(
          () => expect.unreachable("a ticket without consent"),
          (error) => error,
        );
        refusals.push({ code, status, message, details });
      }
      expect(refusals[0]).toMatchObject({ code: "CONSENT_MISSING", status: 403 });
      expect(refusals[1]).toEqual(refusals[0]);
      expect(await doctor.session.grants()).toEqual([]);
    });
  });

  it("is refused before consent begins and after it ends, and a ticket ends with the consent", async () => {
    const early = await system.doctor("dr-early");
    const now = system.clock.now();
    const begins = now + 60 * 60_000;
    const ends = begins + 2 * 60_000;
    await consent(begins, ends, early);
    await leavesNoTrace(system, async () => {
      await expect(ticketOf(early)).rejects.toMatchObject({ code: "CONSENT_MISSING" });
      expect(await early.session.grants()).toEqual([]);
    });
    system.clock.advance(60 * 60_000 + 1000);
    const ticket = await ticketOf(early);
    const { expiresAt } = ticket;
    expect(expiresAt).toBeLessThanOrEqual(ends);
    expect(expiresAt).toBeGreaterThan(ends - 2000);
    expect(await early.session.grants()).toHaveLength(1);
    const path = `/streams/${sensor.streamId}/batches`;
    expect((await get(path, ticket)).status).toBe(200);
    system.clock.advance(2 * 60_000 + 31_000);
    await leavesNoTrace(system, async () => {
      await expect(ticketOf(early)).rejects.toMatchObject({ code: "CONSENT_MISSING" });
      expect(await early.session.grants()).toEqual([]);
      await expectProblem(await get(path, ticket), 401, "TICKET_EXPIRED");
    });
  });

  it("is refused with a ticket for another stream, and with a doctor's ticket in other hands", async () => {
    await consent(system.clock.now(), system.clock.now() + DAY_MS);
    const other = await wearerOf(system, "brave-wren");
    const ticket = await ticketOf(doctor);
    const thief = { key: await strangerKey(), ticket: ticket.ticket };
    await leavesNoTrace(system, async () => {
      for (const route of ["batches", "events"]) {
        const mine = `/streams/${sensor.streamId}/${route}`;
        const theirs = `/streams/${other.streamId}/${route}`;
        await expectProblem(await get(theirs, ticket), 403, "TICKET_STREAM_MISMATCH");
        await expectProblem(await get(mine, thief), 403, "TICKET_HOLDER_MISMATCH");
        await expectProblem(await get(mine, sensor), 401, "TICKET_INVALID");
        await expectProblem(await fetch(`${system.cloud.url}/v1${mine}`), 401, "TICKET_MISSING");
      }
      const recorded = await signed(system, {
        method: "GET",
        url: `${system.cloud.url}/v1/streams/${sensor.streamId}/batches`,
        ...ticket,
      });
      expect((await replay(recorded)).status).toBe(200);
      await expectProblem(await replay(recorded), 401, "PROOF_REPLAYED");
    });
  });

  it("gives no ticket for a stolen session without the account's key", async () => {
    await consent(system.clock.now(), system.clock.now() + DAY_MS);
    const thief = await strangerKey();
    const { session } = doctor;
    await expect(session.readTicket(sensor.streamId, thief)).rejects.toMatchObject({
      code: "PROOF_KEY_MISMATCH",
    });
    const json = { streamId: sensor.streamId, holder: toBase64Url(thief.publicKey) };
    const withoutProof = session.call(z.unknown(), { method: "POST", path: "/tickets/read", json });
    await expect(withoutProof).rejects.toMatchObject({ code: "PROOF_INVALID" });
  });

  it("shows the cloud another holder with each ticket, so that nobody's streams are joined by it", async () => {
    await consent(system.clock.now(), system.clock.now() + DAY_MS);
    const tickets = [await ticketOf(doctor), await ticketOf(doctor)];
    const holders = tickets.map(({ ticket }) => JSON.stringify(payloadOf(ticket).cnf));
    expect(new Set(holders).size).toBe(2);
    const own = JSON.stringify({ jkt: await keyThumbprint(doctor.keys.signing.publicKey) });
    expect(holders).not.toContain(own);
    for (const { ticket } of tickets) {
      expect(Object.keys(payloadOf(ticket)).sort()).toEqual(
        ["aud", "cnf", "exp", "iat", "iss", "jti", "scope", "stream"].sort(),
      );
    }
  });

  it("refuses stream ids, cursors and limits that are none", async () => {
    const ticket = await ticketOf(doctor);
    for (const id of ["x", sensor.streamId.toUpperCase(), `${sensor.streamId}0`, "%24gt", "__proto__"]) {
      await expectProblem(await get(`/streams/${id}/batches`, ticket), 400, "REQUEST_INVALID");
    }
    await expectProblem(await get("/streams/%E0%A4%A/batches", ticket), 400, "REQUEST_MALFORMED");
    for (const query of [
      "?limit=0",
      "?limit=501",
      "?limit=-1",
      "?limit=1.5",
      "?limit=ten",
      "?limit=1&limit=2",
      "?after=-1",
      "?after=1e300",
      "?after[$gt]=0",
      "?after=0&before=1",
      "?before=0",
      "?before=-1",
      "?before=1e300",
      "?before[$lt]=9",
      "?__proto__=1",
    ]) {
      await expectProblem(await page(query), 400, "REQUEST_INVALID");
    }
  });

  it("gives every batch once backwards as well, each page in order of arrival", async () => {
    for (const limit of [1, 2, 5, 500]) {
      const collected: number[] = [];
      let before = String(Number.MAX_SAFE_INTEGER);
      for (let pages = 0; pages < 10; pages++) {
        const answer = await page(`?limit=${limit}&before=${before}`);
        expect(answer.status).toBe(200);
        const batches = unframeBatches(new Uint8Array(await answer.arrayBuffer()));
        expect(batches.length).toBeLessThanOrEqual(limit);
        if (batches.length === 0) {
          expect(answer.headers.get("medcloudlet-first")).toBe("0");
          break;
        }
        collected.unshift(...batches.map((bytes) => bytes[56] as number));
        before = answer.headers.get("medcloudlet-first") as string;
      }
      expect(collected, `limit ${limit}`).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it("gives every batch once and in order, page by page, and an empty page at the end", async () => {
    const whole = await page("");
    expect(whole.headers.get("content-type")).toBe(BATCHES_TYPE);
    const all = unframeBatches(new Uint8Array(await whole.arrayBuffer()));
    expect(all.map((bytes) => bytes[56])).toEqual([0, 1, 2, 3, 4]);
    for (const limit of [1, 2, 5, 500]) {
      const collected = [];
      let after = "0";
      for (let pages = 0; pages < 10; pages++) {
        const answer = await page(`?limit=${limit}&after=${after}`);
        expect(answer.status).toBe(200);
        const batches = unframeBatches(new Uint8Array(await answer.arrayBuffer()));
        expect(batches.length).toBeLessThanOrEqual(limit);
        const cursor = answer.headers.get("medcloudlet-cursor") as string;
        if (batches.length === 0) {
          expect(cursor).toBe(after);
          break;
        }
        collected.push(...batches);
        expect(Number(cursor)).toBeGreaterThan(Number(after));
        after = cursor;
      }
      expect(collected).toEqual(all);
    }
  });

  it("sends an event for a new batch of this stream and of no other", async () => {
    const other = await wearerOf(system, "calm-heron");
    const renewed = await wearerOf(system, "keen-swift");
    const { owner } = renewed.patient;
    await owner.share(termsFor(system, doctor));
    const ticket = await ticketOf(doctor, renewed.streamId);
    const events = await get(`/streams/${renewed.streamId}/events`, ticket);
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const until = async (part: RegExp) => {
      while (!part.test(text)) {
        const { value, done } = await reader.read();
        expect(done).toBe(false);
        text += new TextDecoder().decode(value);
      }
    };
    await until(/retry: 1000\n\n/);
    await replay(await uploadBy(system, other, await sealedBy(system, other, 0)));
    await snapshot(system);
    await replay(await uploadBy(system, renewed, await sealedBy(system, renewed, 0)));
    await until(/data: .*\n\n/);
    const [, id, data] = /event: batch\nid: (\d+)\ndata: (.*)\n\n/.exec(text) as RegExpExecArray;
    expect(JSON.parse(data as string)).toEqual({ position: Number(id) });
    expect(text.match(/event:/g)).toHaveLength(1);
    await reader.cancel();
  });

  it("lets patients read their own stream, and no other role read anything", async () => {
    const { session, keys } = sensor.patient;
    const ticket = await session.readTicket(sensor.streamId, keys.signing);
    const answer = await get(`/streams/${sensor.streamId}/batches`, ticket);
    expect(unframeBatches(new Uint8Array(await answer.arrayBuffer()))).toHaveLength(5);
    const { session: operator, keys: operatorKeys } = system.operator;
    await expect(operator.readTicket(sensor.streamId, operatorKeys.signing)).rejects.toMatchObject({
      code: "ROLE_FORBIDDEN",
    });
    const fellow = await wearerOf(system, "lone-finch");
    await expect(
      fellow.patient.session.readTicket(sensor.streamId, fellow.patient.keys.signing),
    ).rejects.toMatchObject({
      code: "CONSENT_MISSING",
    });
  });

  it("ends every subscription when the cloud drains, and takes no new one", async () => {
    const ticket = await ticketOf(doctor);
    const path = `/streams/${sensor.streamId}/events`;
    const events = await get(path, ticket);
    expect(events.status).toBe(200);
    // A stream that was cut, not ended, would reject here.
    const [text] = await Promise.all([events.text(), system.cloud.close()]);
    expect(text).toBe("retry: 1000\n\n");
    await expect(get(path, ticket)).rejects.toThrow();
  });
});
