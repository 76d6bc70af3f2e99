import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { openKeys, withMemberFolder } from "../../../host/cli/community-home.ts";
import { demoCode, enrolDemoFactor } from "../../../host/cli/demo-authenticator.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { keepAddresses, registerPerson, startWork } from "../../../host/cli/home.ts";
import { type CommunityMember, personFingerprint } from "../../../host/client/index.ts";
import { runCli } from "../../support/processes.ts";

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

interface Home {
  readonly home: string;
  readonly passphraseFile: string;
  readonly member: string[];
  readonly person: string[];
}

let world: DemoWorld;
let folder: string;
let weeks = 0;
/** Options that show whose home it is, with the password where somebody logs in. */
const homes = new Map<string, Home>();

function knows(who: string, home: string, passwordFile: string, passphraseFile: string): void {
  const member = ["--home", home, "--passphrase-file", passphraseFile];
  const person = [...member, "--password-file", passwordFile];
  homes.set(who, { home, passphraseFile, member, person });
}

beforeAll(async () => {
  // Weeks go by in the services, which run here, and in the commands, which are processes of their own.
  const now = Date.now;
  vi.spyOn(Date, "now").mockImplementation(() => now() + weeks * WEEK_MS);
  folder = await mkdtemp(join(tmpdir(), "medcloudlet-cli-community-"));
  world = await startDemoWorld({ folder: join(folder, "demo"), freePorts: true, onStep: () => {} });
  for (const { part, home, passwordFile, passphraseFile } of world.logins) {
    knows(part, home, passwordFile, passphraseFile);
  }
});
afterAll(async () => {
  await world?.close();
  vi.restoreAllMocks();
});

const as = (who: string) => homes.get(who) as Home;
const SHIFT = "data:text/javascript,globalThis.n=Date.now;Date.now=()=>n()+process.env.WEEKS*604800000";
const cli = (args: readonly string[]) =>
  runCli(args, { NODE_OPTIONS: `--import ${SHIFT}`, WEEKS: String(weeks) });

/** Runs a command of the community that has to go well, and gives its JSON. */
async function run(who: string, ...args: string[]) {
  const flags = ["found", "moderate", "share"].includes(args[0] as string) ? as(who).person : as(who).member;
  const { code, stdout, stderr } = await cli(["community", ...args, ...flags, "--json"]);
  expect(code, `${args.join(" ")}: ${stderr}`).toBe(0);
  return JSON.parse(stdout);
}
async function words(who: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(["community", ...args, ...as(who).member]);
  expect(code, stderr).toBe(0);
  return stdout;
}
async function failure(who: string, ...args: string[]) {
  const { code, stderr } = await cli(["community", ...args, ...as(who).member, "--json"]);
  const lines = stderr.trim().split("\n");
  return { exit: code, ...JSON.parse(lines.at(-1) as string) };
}

async function newcomer(handle: string, role: string): Promise<{ card: string; fingerprint: string }> {
  const { toolkit, addresses } = world;
  const { code } = await (await world.signIn("operator")).session.invite(role);
  const [home, secret] = [join(folder, handle), `a long secret of ${handle}`];
  const person = { home, addresses, password: secret, passphrase: secret };
  await registerPerson(toolkit, { ...person, handle, name: `${handle} (demo)`, invitation: code });
  const work = await startWork(toolkit, { ...person, code: () => demoCode(home, systemClock) });
  if (work.session.secondFactor === "missing") {
    await enrolDemoFactor(work.session, { home, password: secret, clock: systemClock });
  }
  await keepAddresses(home, addresses);
  const file = join(folder, `${handle}.secret`);
  await writeFile(file, `${secret}\n`);
  knows(handle, home, file, file);
  const { accountId, identity } = work.session.account;
  const card = join(folder, `${handle}.card`);
  await writeFile(card, JSON.stringify({ accountId, handle, identity }));
  return { card, fingerprint: personFingerprint(work.keys) };
}

async function textFile(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

/** What a member's commands do, in this process: weeks of them would be a hundred processes. */
async function desks(...people: string[]): Promise<<T>(who: string, work: Work<T>) => Promise<T>> {
  const opened = new Map<string, Awaited<ReturnType<typeof openKeys>>>();
  for (const who of people) {
    const { home, passphraseFile } = as(who);
    opened.set(who, await openKeys({ home, passphraseFile }));
  }
  return (who, work) =>
    withMemberFolder(
      { home: as(who).home },
      opened.get(who) as Awaited<ReturnType<typeof openKeys>>,
      async ({ member }) => {
        await member.visit();
        return work(member);
      },
    );
}
type Work<T> = (member: CommunityMember) => Promise<T>;

describe("medcloudlet community", () => {
  it("goes from the application to the closed gate and the moderator's desk", async () => {
    const owl = await newcomer("fair-owl", "moderator");
    const wren = await newcomer("brave-wren", "patient");
    const doctor = await world.signIn("doctor");
    const { accountId, handle, identity } = doctor.session.account;
    const doctorCard = await textFile("doctor.card", JSON.stringify({ accountId, handle, identity }));
    const title = ["--title", "Living with type 2", "--doctor", doctorCard, "--moderator", owl.card];
    const unsure = await cli(["community", "found", ...title, ...as("operator").person, "--json"]);
    expect(JSON.parse(unsure.stderr)).toMatchObject({ code: "CLI_FINGERPRINT_UNKNOWN" });
    const { community } = await run("operator", "found", ...title, "--compared");
    expect(await run("patient", "list")).toMatchObject([{ community, title: "Living with type 2" }]);

    // Apply, be admitted, join.
    const names: Record<string, string> = {};
    for (const who of ["patient", "brave-wren"]) {
      const application = join(folder, `${who}.application`);
      await run(who, "apply", "--out", application);
      const admission = join(folder, `${who}.admission`);
      const record = ["--patient", `record of ${who}`, "--diagnosis", "44054006", "38341003"];
      await run("doctor", "admit", application, ...record, "--out", admission);
      names[who] = (await run(who, "join", admission)).name;
      expect(await readFile(admission, "utf8")).not.toContain("44054006");
    }
    const [ada, ben] = [names.patient as string, names["brave-wren"] as string];
    const theirs = join(folder, "patient.admission");
    expect(await failure("brave-wren", "join", theirs)).toMatchObject({ code: "ADMISSION_MISMATCH" });
    const again = join(folder, "patient.application");
    const outsider = ["admit", again, "--patient", "1", "--diagnosis", "1"];
    expect(await failure("brave-wren", ...outsider)).toMatchObject({ exit: 2, code: "CLI_NOT_ISSUER" });

    // Find each other; nobody is trusted for being alike.
    await run("patient", "compare");
    const desk = await desks("patient", "brave-wren");
    await desk("brave-wren", async () => {});
    expect(await run("patient", "partners", ben)).toMatchObject([{ overlap: { common: 2, jaccard: 1 } }]);
    const early = await failure("patient", "agree", ben);
    expect(early).toMatchObject({ exit: 3, code: "GATE_CLOSED", decision: { reason: "TOO_UNCERTAIN" } });

    for (; weeks < 3; weeks++) {
      for (const [asker, answerer] of [
        ["patient", "brave-wren"],
        ["brave-wren", "patient"],
      ] as const) {
        const { pseudonym } = await desk(answerer, async (member) => member);
        const exchange = await desk(asker, (member) => member.open(pseudonym, 0));
        await desk(answerer, (member) => member.answer(exchange, "It got easier."));
        await desk(asker, (member) => member.rate(exchange, true));
      }
    }
    await run("patient", "threshold", "0.4");
    await desk("brave-wren", (member) => member.setThreshold(0.4));
    expect(await words("patient", "partners")).toMatch(/trust {4}█+.*│.* 0\.4\d of 0\.40/);
    await run("patient", "agree", ben);
    expect((await run("brave-wren", "inbox")).offers).toHaveLength(1);
    await run("brave-wren", "agree", ada);

    // A question as oneself, an answer as oneself, and data to whom that was.
    const question = await textFile("question.txt", "Does it upset your stomach?");
    const { sent } = await run("patient", "ask", "--file", question, "--as-myself");
    const [asked] = (await run("brave-wren", "inbox")).exchanges;
    expect(asked).toMatchObject({
      exchange: sent[0].exchange,
      question: { card: { handle: "quiet-otter" } },
    });
    const share = ["share", ben, "--region", "medical"];
    const unnamed = await cli(["community", ...share, ...as("patient").person, "--json"]);
    expect(JSON.parse(unnamed.stderr)).toMatchObject({ code: "PARTNER_UNNAMED" });
    await run("brave-wren", "answer", asked.exchange, "--file", question, "--as-myself");
    const wrong = [...share, "--fingerprint", owl.fingerprint, ...as("patient").person, "--json"];
    expect(JSON.parse((await cli(["community", ...wrong])).stderr)).toMatchObject({ code: "READER_CHANGED" });
    const shared = await run("patient", ...share, "--fingerprint", wren.fingerprint);
    const read = await cli(["doctor", "read", ...as("brave-wren").person, "--json"]);
    expect(read.code, read.stderr).toBe(0);
    expect(JSON.parse(read.stdout)).toMatchObject({ region: "medical" });

    // A bad answer: the gate closes, in words, and what is shared is named.
    const next = await desk("patient", async (member) => (await member.ask("And evenings?")).sent[0]);
    const bad = next?.exchange as string;
    await desk("brave-wren", (member) => member.answer(bad, "Just stop it."));
    const rated = await run("patient", "rate", bad.slice(0, 8), "bad");
    expect(rated).toMatchObject({ good: false, told: true, shares: [shared.consentId] });
    expect(rated.closed[0].decision.text).toMatch(/^Not shared: trust is 0\.\d\d of 0\.40 needed/);
    expect(await words("patient", "decisions", ben)).toContain(rated.closed[0].decision.text);
    expect(await failure("patient", "ask", "--file", question, "--to", ben)).toMatchObject({
      code: "GATE_CLOSED",
    });
    const held = await failure("brave-wren", "ask", "--file", question, "--to", ada);
    expect(held).toMatchObject({ exit: 3, decision: { reason: "CONSENT_MISSING" } });

    // The report.
    const { report } = await run("patient", "report", bad);
    const code = () => demoCode(as("fair-owl").home, systemClock);
    const look = ["moderate", report.slice(0, 8), "--code", await code()];
    expect(await run("fair-owl", ...look)).toMatchObject({ text: "Just stop it.", decisions: [] });
    const decide = ["moderate", report, "--suspend", "30", "--reason", "harmful-advice"];
    await run("fair-owl", ...decide, "--note-file", await textFile("note.txt", "That is dangerous."));
    const told = await words("brave-wren", "inbox");
    for (const text of ["suspended", "harmful-advice", "That is dangerous.", "appeal"]) {
      expect(told).toContain(text);
    }
    expect(await failure("brave-wren", "opening", ada)).toMatchObject({ exit: 3, code: "MEMBER_SUSPENDED" });
    await run("brave-wren", "appeal", report, "--file", await textFile("sorry.txt", "I am sorry."));
    expect((await run("fair-owl", "moderate"))[0]).toMatchObject({ appeal: "I am sorry." });
  }, 600_000);
});
