import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { registerPerson, startWork } from "../../../host/cli/home.ts";
import { personFingerprint } from "../../../host/client/index.ts";
import { runCli } from "../../support/processes.ts";

let world: DemoWorld;
let folder: string;
const homes = new Map<string, string[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-cli-emergency-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  for (const { part, home, passwordFile, passphraseFile } of world.logins) {
    homes.set(part, ["--home", home, "--password-file", passwordFile, "--passphrase-file", passphraseFile]);
  }
});
afterAll(() => world?.close());

const as = (who: string): string[] => homes.get(who) ?? [];

/** Runs a command that has to go well, and gives its JSON. */
async function run(who: string, ...args: string[]) {
  const { code, stdout, stderr } = await runCli([...args, ...as(who), "--json"]);
  expect(code, `${args.join(" ")}: ${stderr}`).toBe(0);
  return JSON.parse(stdout);
}
async function failure(who: string, ...args: string[]) {
  const { code, stderr } = await runCli([...args, ...as(who), "--json"]);
  return { exit: code, code: JSON.parse(stderr).code };
}

/** Somebody new with a second factor and a session. Gives the fingerprint they would tell. */
async function newcomer(handle: string, role: string): Promise<string> {
  const { toolkit, addresses } = world;
  const inviter = role === "security-officer" ? "officer" : "operator";
  const { code } = await (await world.signIn(inviter)).session.invite(role);
  const [home, secret] = [join(folder, handle), `a long secret of ${handle}`];
  const person = { home, addresses, password: secret, passphrase: secret };
  await registerPerson(toolkit, { ...person, handle, name: "", invitation: code });
  const noCode = () => Promise.reject(new Error("no code was to be asked for"));
  const { session, keys } = await startWork(toolkit, { ...person, code: noCode });
  await enrolDemoFactor(session, { home, password: secret, clock: systemClock });
  const file = join(folder, `${handle}.secret`);
  await writeFile(file, `${secret}\n`);
  homes.set(handle, ["--home", home, "--password-file", file, "--passphrase-file", file]);
  return personFingerprint(keys);
}

describe("medcloudlet emergency", () => {
  it("goes from the card in the pocket to the readings on the doctor's screen, and over", async () => {
    const heron = await newcomer("trustee-heron", "doctor");
    const crane = await newcomer("trustee-crane", "security-officer");
    const swift = await newcomer("dr-swift", "doctor");

    const prepare = ["emergency", "prepare", "--trustee", "trustee-heron", "trustee-crane"];
    expect(await failure("patient", ...prepare)).toEqual({ exit: 2, code: "CLI_FINGERPRINT_UNKNOWN" });
    const swapped = ["--fingerprint", `trustee-heron=${crane}`, `trustee-crane=${heron}`];
    expect(await failure("patient", ...prepare, ...swapped)).toEqual({ exit: 5, code: "TRUSTEE_CHANGED" });
    const pairs = ["--fingerprint", `trustee-heron=${heron}`, `trustee-crane=${crane}`];
    const card = await run("patient", ...prepare, ...pairs);
    expect(card).toMatchObject({ threshold: 2, epochs: 1 });

    // Another epoch: the trustees get their shares of it by the way. (Devices seal to it from their next ticket on.)
    await run("patient", "keys", "epoch");
    const device = join(folder, "watch");
    await run("patient", "keys", "pair", "--device", device);
    const simulate = ["simulate", "--device", device, "--minutes", "2", "--speed", "0", "--json"];
    expect(JSON.parse((await runCli(simulate)).stdout)).toMatchObject({ accepted: 2 });

    const ask = ["emergency", "request", "--patient", card.handle, "--reason", "Unconscious after a fall"];
    const { emergencyId } = await run("dr-swift", ...ask, "--minutes", "30");
    const id = emergencyId.slice(0, 8);
    expect(await failure("dr-swift", "emergency", "read", id)).toEqual({
      exit: 3,
      code: "EMERGENCY_PENDING",
    });

    const told = await run("patient", "emergency", "notices");
    expect(told.find(({ object }: { object: string }) => object === emergencyId)).toMatchObject({
      kind: "emergency.requested",
      who: "dr-swift",
      object: emergencyId,
    });
    expect(await run("patient", "emergency", "notices")).toEqual([]);

    const approve = ["emergency", "approve", id];
    expect(await failure("dr-swift", ...approve, "--fingerprint", swift, "--yes")).toEqual({
      exit: 3,
      code: "EMERGENCY_OWN_APPROVAL",
    });
    expect(await failure("trustee-heron", ...approve)).toMatchObject({ code: "CLI_FINGERPRINT_UNKNOWN" });
    expect(await failure("trustee-heron", ...approve, "--fingerprint", heron, "--yes")).toMatchObject({
      code: "REQUESTER_CHANGED",
    });
    expect(await failure("trustee-heron", ...approve, "--fingerprint", swift)).toEqual({
      exit: 2,
      code: "CLI_NOT_CONFIRMED",
    });
    await run("trustee-heron", ...approve, "--fingerprint", swift, "--yes");
    await run("trustee-heron", "emergency", "withdraw", id);
    expect(await run("trustee-heron", ...approve, "--yes")).toMatchObject({ phase: "pending" });
    const words = await runCli([...approve, "--fingerprint", swift, "--yes", ...as("trustee-crane")]);
    expect(words.code).toBe(0);
    for (const text of ["dr-swift", card.handle, "Unconscious after a fall", "UTC", "It is open now"]) {
      expect(words.stdout).toContain(text);
    }

    // Nothing is shown of somebody whom nobody compared with a card, unless that is said.
    expect(await failure("dr-swift", "emergency", "read", id)).toEqual({
      exit: 2,
      code: "CLI_FINGERPRINT_UNKNOWN",
    });
    const unseen = await runCli(["emergency", "read", id, "--without-card", ...as("dr-swift")]);
    expect(unseen.code).toBe(0);
    expect(unseen.stderr).toContain("Nobody has compared the fingerprint");
    expect(unseen.stdout).toContain("no part of the record is saved here");
    const csv = join(folder, "emergency.csv");
    const wrong = ["emergency", "read", id, "--fingerprint", swift];
    expect(await failure("dr-swift", ...wrong)).toEqual({ exit: 5, code: "PATIENT_CHANGED" });
    const right = ["emergency", "read", id, "--fingerprint", card.fingerprint, "--csv", csv];
    const summary = await run("dr-swift", ...right);
    expect(summary).toMatchObject({ patient: card.handle, region: "medical", refusedBatches: 0, batches: 2 });

    const { emergencyId: another } = await run("dr-swift", ...ask, "--minutes", "5");
    const { emergencies } = await run("trustee-crane", "emergency", "running");
    expect(emergencies.map((one: { emergencyId: string }) => one.emergencyId).sort()).toEqual(
      [emergencyId, another].sort(),
    );
    const stop = ["emergency", "stop", another, "--reason", "Asked for a second time by mistake"];
    expect(await run("trustee-crane", ...stop)).toMatchObject({ emergencyId: another, phase: "ended" });
    expect(await failure("trustee-crane", ...stop)).toEqual({ exit: 2, code: "CLI_EMERGENCY" });

    expect((await run("patient", "emergency", "end", id)).phase).toBe("ended");
    expect(await failure("dr-swift", "emergency", "read", id)).toEqual({ exit: 2, code: "CLI_EMERGENCY" });
    expect(await run("patient", "emergency", "afterwards")).toMatchObject({
      emergencies: [emergencyId],
      epoch: 3,
    });
    const kinds = (await run("patient", "emergency", "notices", "--all"))
      .filter(({ object }: { object: string }) => object === emergencyId)
      .map(({ kind }: { kind: string }) => kind.split(".")[1]);
    expect([...kinds].sort()).toEqual([
      "approval-withdrawn",
      "approved",
      "approved",
      "approved",
      "ended",
      "opened",
      "requested",
    ]);
  }, 600_000);
});
