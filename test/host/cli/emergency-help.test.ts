import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { randomBytes, systemClock } from "../../../host/base/index.ts";
import { memoryOf, openKeys } from "../../../host/cli/community-home.ts";
import { enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { registerPerson, startWork } from "../../../host/cli/home.ts";
import {
  admitMember,
  applyTo,
  createMemberKeys,
  createRelay,
  foundCommunity,
  issuerSecrets,
  joinCommunity,
  newMemberState,
  openMemberKeys,
} from "../../../host/client/community/index.ts";
import { runCli } from "../../support/processes.ts";

interface Home {
  readonly member: string[];
  readonly person: string[];
}
let world: DemoWorld;
let folder: string;
const homes = new Map<string, Home>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-cli-help-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  for (const { part, home, passwordFile, passphraseFile } of world.logins) {
    knows(part, home, passwordFile, passphraseFile);
  }
});
afterAll(() => world?.close());

function knows(who: string, home: string, passwordFile: string, passphraseFile: string): void {
  const member = ["--home", home, "--passphrase-file", passphraseFile];
  homes.set(who, { member, person: [...member, "--password-file", passwordFile] });
}
const as = (who: string) => homes.get(who) as Home;

async function newcomer(handle: string, role: string): Promise<void> {
  const { toolkit, addresses } = world;
  const { code } = await (await world.signIn("operator")).session.invite(role);
  const [home, secret] = [join(folder, handle), `a long secret of ${handle}`];
  const person = { home, addresses, password: secret, passphrase: secret };
  await registerPerson(toolkit, { ...person, handle, name: "", invitation: code });
  const noCode = () => Promise.reject(new Error("no code was to be asked for"));
  const { session } = await startWork(toolkit, { ...person, code: noCode });
  if (role !== "patient") {
    await enrolDemoFactor(session, { home, password: secret, clock: systemClock });
  }
  const file = join(folder, `${handle}.secret`);
  await writeFile(file, `${secret}\n`);
  knows(handle, home, file, file);
}

/** Runs a command that has to go well. */
async function run(args: readonly string[], flags: readonly string[]) {
  const { code, stdout, stderr } = await runCli([...args, ...flags, "--json"]);
  expect(code, `${args.join(" ")}: ${stderr}`).toBe(0);
  return JSON.parse(stdout);
}

it("medcloudlet emergency equip, duty and help: a wearable that falls is answered by who stands by", async () => {
  await newcomer("walker", "patient");
  const doctor = await world.signIn("doctor");
  const operator = await world.signIn("operator");
  const { accountId, handle, identity } = doctor.session.account;
  const card = { accountId, handle, identity };
  const { toolkit, addresses } = world;
  const { suite, clock } = toolkit;
  const relay = createRelay({ http: toolkit.http, cloudletUrl: addresses.cloudlet });
  const { community } = await foundCommunity({
    plan: {
      title: "Neighbours",
      issuers: [card],
      moderators: [card],
      openingQuestions: ["How long have you lived with it?"],
    },
    clock,
    relay,
    staff: await operator.session.staffTicket(operator.keys.signing),
    keepSeed: async () => {},
  });
  const id = community.community;
  const secrets = issuerSecrets(randomBytes(32), id);
  const walker = as("walker").member;
  const early = await runCli(["emergency", "help", "--rounds", "1", ...walker]);
  expect(early.code).not.toBe(0);
  for (const who of ["patient", "walker"]) {
    const { secrets: keys } = await createMemberKeys(suite, clock);
    const { file } = await admitMember({
      ...{ suite, clock, community: id, patient: `record of ${who}`, standing: "patient", days: 30 },
      issuer: { id: accountId, key: doctor.keys.signing, secrets },
      application: await applyTo(id, await openMemberKeys(suite, keys), clock),
      codes: ["44054006", "38341003"],
    });
    const [, home = "", , passphraseFile = ""] = as(who).member;
    const { contents } = await openKeys({ home, passphraseFile });
    const state = newMemberState(await relay.community(id), keys);
    await joinCommunity({
      suite,
      clock,
      relay,
      state,
      memory: memoryOf(contents, home, id),
      admission: file,
    });
  }
  const device = join(folder, "watch");
  await run(["keys", "pair", "--device", device], as("patient").person);
  const tooHigh = await runCli([
    "emergency",
    "equip",
    "--device",
    device,
    "--threshold",
    "3",
    ...as("patient").member,
  ]);
  expect(tooHigh.stderr).toContain("CLI_THRESHOLD");
  const equip = ["emergency", "equip", "--device", device, "--threshold", "2"];
  expect(await run(equip, as("patient").member)).toMatchObject({ threshold: 2, codes: 2 });
  const { from, until } = await run(["emergency", "duty", "--hours", "2"], as("doctor").person);
  expect(until - from).toBe(2 * 3_600_000);

  const fall = [
    "simulate",
    "--device",
    device,
    "--minutes",
    "1",
    "--speed",
    "12",
    "--fall-after",
    "0",
    "--json",
  ];
  const [measured, helped] = await Promise.all([
    runCli(fall),
    run(["emergency", "help", "--every", "1", "--rounds", "12"], walker),
  ]);
  expect(measured.code, measured.stderr).toBe(0);
  expect(helped).toMatchObject({ answered: 1, relayed: 0, bytes: 0, rounds: 12, missed: 0 });
  // The demo's patient prepared nothing: the KDC heard the call and opened nothing.
  expect(JSON.parse(measured.stdout)).toMatchObject({
    waiting: 0,
    call: { answered: 1, helpers: 1, emergencyTeam: "unprepared" },
  });
  const told = await run(["emergency", "notices", "--all"], as("patient").person);
  expect(told.map(({ kind }: { kind: string }) => kind)).toContain("emergency.called");
  expect(await run(["emergency", "duty", "--end"], as("doctor").person)).toBeTruthy();
}, 90_000);
