import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomBytes, toBase64Url, toHex, utf8 } from "../../../host/base/index.ts";
import { createHttpClient } from "../../../host/client/index.ts";
import { pseudonymEpoch, type SharedAlert } from "../../../host/ids/index.ts";
import {
  ALERT_LIVES_MS,
  createMeshPseudonyms,
  isCurrentEpoch,
  MESH_ALERT,
  signAlert,
  signRoster,
  verifyRoster,
} from "../../../host/ids/mesh/index.ts";
import { type SigningKey, signStatement } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, eventually } from "../../support/system.ts";
import { hashOf } from "./engine-world.ts";
import { BURST, type MeshWorld, type Node, seedKey, startMesh } from "./mesh-world.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

describe("pseudonyms", () => {
  const secret = randomBytes(32);
  const one = createMeshPseudonyms(secret);
  const noon = Date.UTC(2026, 0, 5, 12);
  const midnight = Date.UTC(2026, 0, 6);

  it("are the same at every member, and other ones with another secret, kind or value", () => {
    expect(one.now("source", "192.0.2.7", noon)).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(createMeshPseudonyms(secret).now("source", "192.0.2.7", noon)).toBe(
      one.now("source", "192.0.2.7", noon),
    );
    const all = [
      one.now("source", "192.0.2.7", noon),
      one.now("source", "192.0.2.8", noon),
      one.now("account", "192.0.2.7", noon),
      one.now("source", "192.0.2.7", noon + DAY),
      createMeshPseudonyms(randomBytes(32)).now("source", "192.0.2.7", noon),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("of yesterday count for an hour after midnight, and those of tomorrow for two minutes before", () => {
    const epoch = pseudonymEpoch(midnight);
    const [before, after] = [midnight - 1, midnight];
    expect(one.before("source", "x", after)).toBe(one.now("source", "x", before));
    expect(one.before("source", "x", midnight + 60 * MINUTE)).toBeUndefined();
    expect(one.before("source", "x", noon)).toBeUndefined();
    expect([-1, 0, 1].map((more) => isCurrentEpoch(epoch + more, midnight + 59 * MINUTE))).toEqual([
      true,
      true,
      false,
    ]);
    expect([-1, 0, 1].map((more) => isCurrentEpoch(epoch + more, midnight - MINUTE))).toEqual([
      true,
      true,
      false,
    ]);
    expect(isCurrentEpoch(epoch, midnight - 3 * MINUTE)).toBe(false);
    expect(isCurrentEpoch(epoch - 1, midnight + 60 * MINUTE)).toBe(false);
  });
});

describe.each(backends())("the mesh, on the $name store", (backend) => {
  let world: MeshWorld;
  let version = 0;
  const node = (i: number): Node => world.nodes[i] as Node;
  let serial = 0;
  const alertBy = (i: number, more: Partial<SharedAlert> = {}): SharedAlert => {
    const now = world.clock.now();
    return {
      id: (++serial).toString(16).padStart(32, "0"),
      member: `cloudlet-${i}`,
      epoch: pseudonymEpoch(now),
      subject: { kind: "source", shared: toBase64Url(randomBytes(16)) },
      rule: "scanner",
      ruleHash: hashOf("scanner"),
      score: 0.9,
      count: 11,
      from: now - MINUTE,
      to: now,
      ...more,
    };
  };
  const adopt = async () => {
    const statement = await world.roster([0, 1, 2].map(world.member), ++version);
    for (const { mesh } of world.nodes) {
      await mesh.adopt(statement);
    }
  };
  const statementOf = (
    alert: SharedAlert,
    more: { key?: SigningKey; mesh?: string; issuedAt?: number } = {},
  ) =>
    signAlert(
      { mesh: more.mesh ?? world.meshId, issuedAt: more.issuedAt ?? world.clock.now(), alert },
      more.key ?? node(Number(alert.member.split("-")[1])).key,
    );
  /** What node 0 says to node 1, or who pretends to be it. */
  const tell = async (alerts: readonly string[], key: SigningKey = node(0).key) =>
    (
      (await createHttpClient({ clock: world.clock }).json({
        method: "POST",
        url: `${node(1).url}/v1/mesh/alerts`,
        credentials: { key },
        json: { alerts },
      })) as { results: string[] }
    ).results;

  beforeAll(async () => {
    world = await startMesh(backend, 4);
    await adopt();
  });
  afterAll(() => world?.stop());

  describe("refuses", () => {
    it("whom the roster does not name, a member's key that is gone, and itself", async () => {
      const alert = await statementOf(alertBy(0));
      for (const key of [await seedKey(), node(3).key, node(1).key]) {
        await expect(tell([alert], key)).rejects.toMatchObject({ code: "MESH_STRANGER", status: 403 });
      }
      const read = createHttpClient({ clock: world.clock }).json({
        method: "GET",
        url: `${node(1).url}/v1/mesh/alerts?log=${"0".repeat(32)}&after=0&roster=0`,
        credentials: { key: await seedKey() },
      });
      await expect(read).rejects.toMatchObject({ code: "MESH_STRANGER" });
    });

    it.each<[string, () => Promise<string>, string]>([
      [
        "a forged signature",
        async () => statementOf(alertBy(0), { key: await seedKey() }),
        "MESH_ALERT_INVALID",
      ],
      ["another member's alert", async () => statementOf(alertBy(2)), "MESH_ALERT_MEMBER"],
      [
        "a member's name under its own key",
        async () => statementOf(alertBy(2), { key: node(0).key }),
        "MESH_ALERT_MEMBER",
      ],
      [
        "a changed alert",
        async () => {
          const [head, body, signature] = (await statementOf(alertBy(0, { score: 0.1 }))).split(".");
          const changed = Buffer.from(body as string, "base64url")
            .toString()
            .replace("0.1", "1.0");
          return [head, toBase64Url(utf8(changed)), signature].join(".");
        },
        "MESH_ALERT_INVALID",
      ],
      [
        "an alert of another mesh",
        async () => statementOf(alertBy(0), { mesh: toHex(randomBytes(16)) }),
        "MESH_ALERT_FOREIGN",
      ],
      [
        "an old alert",
        async () =>
          statementOf(alertBy(0, { from: 0, to: 0 }), { issuedAt: world.clock.now() - ALERT_LIVES_MS }),
        "MESH_ALERT_EXPIRED",
      ],
      [
        "an alert of the future",
        async () => statementOf(alertBy(0), { issuedAt: world.clock.now() + 5 * MINUTE }),
        "MESH_ALERT_EXPIRED",
      ],
      [
        "events of the future",
        async () => statementOf(alertBy(0, { to: world.clock.now() + 5 * MINUTE })),
        "MESH_ALERT_EXPIRED",
      ],
      [
        "pseudonyms of another epoch",
        async () => statementOf(alertBy(0, { epoch: pseudonymEpoch(world.clock.now()) - 2 })),
        "MESH_ALERT_EPOCH",
      ],
      [
        "pseudonyms of the epoch after the next",
        async () => statementOf(alertBy(0, { epoch: pseudonymEpoch(world.clock.now()) + 2 })),
        "MESH_ALERT_EPOCH",
      ],
      [
        "another kind of statement",
        async () =>
          signStatement(
            { typ: "medcloudlet-consent", schema: MESH_ALERT.schema },
            { mesh: world.meshId, issuedAt: world.clock.now(), alert: alertBy(0) },
            node(0).key,
          ),
        "MESH_ALERT_INVALID",
      ],
      ["what is no statement", async () => "x.y.z", "MESH_ALERT_INVALID"],
    ])("%s", async (_name, make, code) => {
      const before = node(1).heard.length;
      expect(await tell([await make()])).toEqual([code]);
      expect(node(1).heard).toHaveLength(before);
    });

    it("an address, an account or a patient's id where a pseudonym belongs", async () => {
      for (const shared of ["192.0.2.7", toHex(randomBytes(16)), "dr-heron@example.org"]) {
        await expect(statementOf(alertBy(0, { subject: { kind: "source", shared } }))).rejects.toThrow();
      }
    });

    it("a recorded request, sent again", async () => {
      const proofs: RequestInit[] = [];
      const spy = createHttpClient({
        clock: world.clock,
        fetch: (url, init) => {
          proofs.push(init);
          return fetch(url, init);
        },
      });
      const url = `${node(1).url}/v1/mesh/alerts`;
      const alert = await statementOf(alertBy(0));
      await spy.json({ method: "POST", url, credentials: { key: node(0).key }, json: { alerts: [alert] } });
      expect((await fetch(url, proofs[0] as RequestInit)).status).toBe(401);
    });

    it("more than a page of alerts at once, and none", async () => {
      const alert = await statementOf(alertBy(0));
      await expect(tell(Array.from({ length: 65 }, () => alert))).rejects.toMatchObject({
        code: "REQUEST_INVALID",
      });
      await expect(tell([])).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    });
  });

  it("takes an alert once, however often it comes, and an id for each member apart", async () => {
    const alert = alertBy(0);
    const statement = await statementOf(alert);
    const before = node(1).heard.length;
    expect(await tell([statement, statement])).toEqual(["taken", "taken"]);
    expect(await tell([statement])).toEqual(["taken"]);
    expect(node(1).heard.slice(before)).toEqual([alert]);
    // Somebody who saw the id first does not keep the other's alert out.
    const squatter = alertBy(2);
    expect(await tell([await statementOf(squatter)], node(2).key)).toEqual(["taken"]);
    expect(await tell([await statementOf({ ...alertBy(0), id: squatter.id })])).toEqual(["taken"]);
    expect(node(1).heard.slice(before)).toHaveLength(3);
  });

  it("tells every peer at once, and nobody else", async () => {
    const alert = alertBy(0);
    await Promise.all([0, 1, 2].map((i) => node(i).mesh.start()));
    await node(0).mesh.share(alert);
    await eventually(async () => [1, 2].every((i) => node(i).heard.some(({ id }) => id === alert.id)));
    expect(node(3).heard).toEqual([]);
    await eventually(async () => (await node(0).mesh.status()).every(({ waiting }) => waiting === 0));
    expect(await node(0).mesh.status()).toMatchObject([
      { id: "cloudlet-1", failures: 0 },
      { id: "cloudlet-2", failures: 0 },
    ]);
  });

  it("tells a member that was away, after its restart too, and lets it catch up with what others said", async () => {
    await node(2).down();
    const mine = alertBy(0);
    const other = alertBy(1);
    await node(0).mesh.share(mine);
    await node(1).mesh.share(other);
    await eventually(async () => ((await node(0).mesh.status())[1]?.failures ?? 0) > 0);
    expect((await node(0).mesh.status())[1]).toMatchObject({ waiting: 1 });
    // The teller restarts meanwhile: what waits is in its store.
    const again = await node(0).restarted();
    await node(2).up();
    // The first try may meet a connection that the outage broke.
    await eventually(async () => (await again.exchange()) === 2);
    expect(node(2).heard.filter(({ id }) => id === mine.id)).toHaveLength(1);
    expect((await again.status())[1]).toMatchObject({ waiting: 0 });
    // It learns of the other's by asking anybody, not only by being told.
    await node(1).down();
    await eventually(async () => {
      await node(2).mesh.exchange();
      return node(2).heard.some(({ id }) => id === other.id);
    });
    expect(node(2).heard.filter(({ id }) => id === other.id)).toHaveLength(1);
    await node(1).up();
  });

  it("remembers over a restart what still counts", async () => {
    const before = new Set(node(2).heard.map(({ id }) => id));
    const heard = node(2).heard.length;
    const again = await node(2).restarted();
    await again.start();
    await again.stop();
    const recalled = node(2)
      .heard.slice(heard)
      .map(({ id }) => id);
    expect(recalled.length).toBeGreaterThan(2);
    expect(recalled.every((id) => before.has(id))).toBe(true);
  });

  it("ends at once, also while a peer keeps it waiting", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const waiting = await startMesh(backend, 2);
    try {
      const members = [waiting.member(0), { ...waiting.member(1), url }];
      await waiting.nodes[0]?.mesh.adopt(await waiting.roster(members, 1));
      await waiting.nodes[0]?.mesh.start();
      await once(silent, "connection");
      const begin = Date.now();
      await waiting.nodes[0]?.mesh.stop();
      expect(Date.now() - begin).toBeLessThan(5000);
    } finally {
      await waiting.stop();
      silent.closeAllConnections();
      silent.close();
    }
  });

  it("takes a newer roster from a peer, and none that is older, forged or another mesh's", async () => {
    const next = await world.roster([0, 1, 2, 3].map(world.member), ++version);
    expect(await node(0).mesh.adopt(next)).toBe(true);
    await eventually(async () => {
      await node(1).mesh.exchange();
      return node(1).mesh.roster()?.version === version;
    });
    expect(node(1).rosters.at(-1)?.members).toHaveLength(4);
    expect(await node(1).mesh.adopt(await world.roster([world.member(1)], version - 1))).toBe(false);
    await expect(node(1).mesh.adopt(await world.roster([world.member(1)], version))).rejects.toMatchObject({
      code: "MESH_ROSTER_OLD",
    });
    const foreign = { mesh: toHex(randomBytes(16)) };
    await expect(
      node(1).mesh.adopt(await world.roster([world.member(1)], version + 1, foreign)),
    ).rejects.toMatchObject({ code: "MESH_ROSTER_FOREIGN" });
    const forged = await signRoster(
      { mesh: world.meshId, version: version + 1, createdAt: 1, members: [world.member(1)] },
      await seedKey(),
    );
    await expect(node(1).mesh.adopt(forged)).rejects.toMatchObject({ code: "MESH_ROSTER_INVALID" });
    expect((await node(1).restarted()).roster()?.version).toBe(version);
  });

  it("has no two members of one id or key on a roster", async () => {
    const two = [world.member(1), { ...world.member(2), id: "cloudlet-1" }];
    await expect(world.roster(two, 99)).rejects.toThrow("one id");
    const keys = [world.member(1), { ...world.member(2), signingKey: world.member(1).signingKey }];
    await expect(world.roster(keys, 99)).rejects.toThrow("one key");
    await expect(verifyRoster("x".repeat(50_000), [])).rejects.toMatchObject({ code: "MESH_ROSTER_INVALID" });
  });

  it("bounds what one member may tell, and takes the others' none the less", async () => {
    const flood = await Promise.all(Array.from({ length: 64 }, async () => statementOf(alertBy(0))));
    const before = node(1).heard.length;
    const results: string[] = [];
    for (let i = 0; i < 6; i++) {
      // New ones for the first page alone: known ones cost their sender just as much.
      results.push(...(await tell(flood)));
    }
    expect(results.filter((result) => result === "MESH_FLOOD").length).toBeGreaterThan(100);
    expect(node(1).heard.length - before).toBe(64);
    expect(await tell([await statementOf(alertBy(2))], node(2).key)).toEqual(["taken"]);
    world.clock.advance(10 * MINUTE);
    expect(await tell([await statementOf(alertBy(0))])).toEqual(["taken"]);
  });

  it("bounds what one member may say by way of the others, too", async () => {
    const flood: string[] = [];
    for (let i = 0; i < 300; i++) {
      flood.push(await statementOf(alertBy(0)));
    }
    const before = node(2).heard.length;
    await node(2).mesh.hear(flood, null);
    const taken = node(2).heard.length - before;
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThanOrEqual(BURST + 60);
    // What is known costs nobody anything, and another member is still heard.
    await node(2).mesh.hear([await statementOf(alertBy(1))], null);
    expect(node(2).heard.length - before).toBe(taken + 1);
  });

  it("keeps and sends nothing but pseudonyms, and forgets after an hour", async () => {
    const documents = await dumpOf(node(1).store);
    const kept = documents.filter(({ collection }) => collection === "mesh_alerts");
    expect(kept.length).toBeGreaterThan(5);
    for (const { document } of kept) {
      expect(Object.keys(document).sort()).toEqual(["_id", "forgetAt", "member", "seq", "statement"]);
    }
    world.clock.advance(2 * 60 * MINUTE);
    const late = await node(1).restarted();
    const heard = node(1).heard.length;
    await late.start();
    await late.stop();
    expect(node(1).heard).toHaveLength(heard);
    expect(world.lines.join("")).not.toContain(toHex(world.secret));
  });
});
