import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readMeshSettings, readSettings } from "../../../host/apps/index.ts";
import { verifyRoster } from "../../../host/ids/mesh/index.ts";
import { runCli } from "../../support/processes.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-ids-mesh-"));
});
const at = (name: string) => join(folder, name);

describe("medcloudlet ids mesh", () => {
  it("makes all that a member's settings need", async () => {
    expect((await runCli(["ids", "mesh", "secret", "--out", at("secret")])).code).toBe(0);
    expect((await stat(at("secret"))).mode & 0o077).toBe(0);
    const roster = JSON.parse((await runCli(["ids", "mesh", "key", at("roster-key"), "--json"])).stdout);
    const mine = (await runCli(["ids", "mesh", "key", at("cloudlet/mesh-key")])).stdout.trim();
    // The same key, however often it is asked for.
    expect((await runCli(["ids", "mesh", "key", at("cloudlet/mesh-key")])).stdout.trim()).toBe(mine);
    const member = { id: "east", operator: "clinic-a", url: "https://east.example.org", signingKey: mine };
    await writeFile(at("plan.json"), JSON.stringify({ version: 3, members: [member] }));
    const sign = [
      "ids",
      "mesh",
      "roster",
      at("plan.json"),
      "--key",
      at("roster-key"),
      "--out",
      at("roster.jws"),
    ];
    const { code, stdout } = await runCli([...sign, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version: 3, members: 1, operators: 1 });
    const settings = readSettings("cloudlet", {
      flags: { dataDir: folder, meshMember: "east", meshRoster: at("roster.jws") },
      environment: {
        MEDCLOUDLET_MESH_SECRET_FILE: at("secret"),
        MEDCLOUDLET_MESH_OPERATORS: roster.signingKey,
      },
      file: {},
    });
    const mesh = await readMeshSettings("cloudlet", settings);
    expect(mesh).toMatchObject({ self: "east", anchors: [roster.signingKey] });
    expect((await verifyRoster(mesh?.roster ?? "", mesh?.anchors ?? [])).members).toEqual([member]);
    expect(await readMeshSettings("cloudlet", { ...settings, meshMember: undefined })).toBeUndefined();
    for (const lacking of [
      { meshSecret: undefined },
      { meshOperators: undefined },
      { meshRoster: "/none" },
    ]) {
      await expect(readMeshSettings("cloudlet", { ...settings, ...lacking })).rejects.toMatchObject({
        code: "CONFIG_INVALID",
      });
    }
  });

  it("says what is wrong with a plan", async () => {
    await writeFile(at("bad.json"), JSON.stringify({ version: 0, members: [] }));
    const sign = ["ids", "mesh", "roster", at("bad.json"), "--key", at("roster-key"), "--out", at("x")];
    const { code, stderr } = await runCli(sign);
    expect(code).toBe(2);
    expect(stderr).toContain("version");
  });
});

describe("medcloudlet ids demo", () => {
  it("plays, replays what it wrote, and keeps the logs where it is asked to", async () => {
    const { code, stdout } = await runCli(["ids", "demo", "--keep", at("logs")]);
    expect(code).toBe(0);
    expect(stdout).toContain("cloudlet-2 (liar)");
    expect(stdout.match(/✔ /g)).toHaveLength(4);
    expect(stdout).not.toMatch(/^ {2}✖ /m);
    const replay = await runCli(["ids", "replay", at("logs/cloudlet-3.jsonl")]);
    expect(replay.code).toBe(0);
    expect(await readFile(at("logs/cloudlet-5.jsonl"), "utf8")).not.toContain("203.0.113.66");
  }, 120_000);
});
