import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { type Decision, inWords, type Replay, replayLog } from "../ids/index.ts";
import { newCommand, outputOf } from "./command.ts";
import { paintMeasure } from "./ids-replay.ts";
import type { MeshLab } from "./mesh-lab.ts";
import { ATTACKER, type Play, playMesh, type Visit } from "./mesh-play.ts";
import { type Colours, type Output, table } from "./output.ts";
import { temporaryFolder } from "./temporary-folder.ts";

interface DemoOptions {
  readonly json?: true;
  readonly keep?: string;
}

const COUNT = 5;
const LIARS = [1, 3];
/** Characters of the longest bar. */
const BAR = 44;

/** A bar for each request: answered ones first, then those that were held back. */
function requestsBar({ answered, refusedWith, after }: Visit, colours: Colours): string {
  const held = (refusedWith === null ? 0 : 1) + after.filter((code) => code !== null).length;
  return `${colours.yellow("▮".repeat(answered))}${colours.red("✖".repeat(held))}`;
}

function visitLine(visit: Visit, lab: MeshLab, colours: Colours): string {
  const { cloudlet, answered, refusedWith, neighbour } = visit;
  const liar = lab.cloudlets.find(({ id }) => id === cloudlet)?.liar === true;
  const name = `${cloudlet}${liar ? " (liar)" : ""}`.padEnd(18);
  const patient = neighbour.every((answer) => answer === "accepted")
    ? colours.green("patient ✔")
    : colours.red(`patient refused: ${neighbour.join(", ")}`);
  const measure = refusedWith === null ? "let through" : refusedWith.replace("IDS_", "").toLowerCase();
  return `  ${name} ${requestsBar(visit, colours)}  ${colours.bold(measure)} after ${answered}   ${patient}`;
}

/** When each cloudlet acted, on one line of time, and why. */
function timeline(
  replays: readonly Replay[],
  lab: MeshLab,
  startedAt: number,
  endedAt: number,
  colours: Colours,
): string {
  const place = (at: number) =>
    Math.min(BAR - 1, Math.max(0, Math.round(((at - startedAt) / Math.max(1, endedAt - startedAt)) * BAR)));
  const lines = replays.map(({ decisions }, i) => {
    const row: string[] = new Array(BAR).fill(colours.dim("─"));
    for (const { at, measure } of decisions) {
      const mark = { throttle: "t", challenge: "c", ban: "b" }[measure];
      row[place(at)] = { throttle: colours.yellow, challenge: colours.magenta, ban: colours.red }[measure](
        mark,
      );
    }
    return `  ${(lab.cloudlets[i]?.id ?? "").padEnd(12)} ${row.join("")}`;
  });
  const seconds = ((endedAt - startedAt) / 1000).toFixed(1);
  const scale = `0 s${`${seconds} s`.padStart(BAR - 3)}`;
  return [...lines, colours.dim(`  ${"".padEnd(12)} ${scale}   t throttle, c challenge, b ban`)].join("\n");
}

function voices(decision: Decision, colours: Colours): string[] {
  const widest = Math.max(...decision.voices.map(({ weight }) => Math.abs(weight)), 0.01);
  return [...decision.voices].reverse().map(({ operator, alarm, weight, trust, trimmed }) => {
    const bar = "█".repeat(Math.max(1, Math.round((Math.abs(weight) / widest) * 16)));
    const painted = alarm ? colours.red(bar) : colours.green(bar);
    const left = trimmed ? colours.dim(" (left out as the most extreme)") : "";
    return `        ${operator.padEnd(10)} ${painted} ${weight.toFixed(2)}, counts ${(100 * trust).toFixed(0)} %${left}`;
  });
}

function why(replays: readonly Replay[], lab: MeshLab, colours: Colours): string {
  const lines = replays.flatMap(({ decisions }, i) =>
    decisions.flatMap((decision) => [
      `  ${colours.bold(lab.cloudlets[i]?.id ?? "")}  ${paintMeasure(decision.measure, colours)} for ${inWords(decision.until - decision.at)}`,
      `      ${decision.text}`,
      ...voices(decision, colours),
    ]),
  );
  return lines.join("\n");
}

function trust(replays: readonly Replay[], lab: MeshLab, colours: Colours): string {
  const honest = lab.cloudlets.map((_, i) => i).filter((i) => lab.cloudlets[i]?.liar === false);
  const rows = lab.cloudlets.map(({ id, liar }) => [
    `${id}${liar ? " (liar)" : ""}`,
    ...honest.map((i) => {
      const standing = replays[i]?.members.find(({ member }) => member.id === id);
      return standing === undefined || lab.cloudlets[i]?.id === id
        ? "-"
        : `${standing.trust.toFixed(2)} after ${standing.outcomes}`;
    }),
  ]);
  return table([["trusted by", ...honest.map((i) => lab.cloudlets[i]?.id ?? "")], ...rows], colours);
}

/** What was to be shown, and whether it was. */
function verdict(
  play: Play,
  replays: readonly Replay[],
  colours: Colours,
): { readonly good: boolean; readonly text: string } {
  let allGood = true;
  const say = (good: boolean, text: string) => {
    allGood &&= good;
    return `  ${good ? colours.green("✔") : colours.red("✖")} ${text}`;
  };
  const [first, ...others] = play.visits.map(({ answered }) => answered);
  const all = [...play.visits.flatMap(({ neighbour }) => neighbour)];
  const accused = play.accused.flatMap(({ uploads }) => uploads);
  const spared = play.accused.every(({ keyless }) => keyless === null || !keyless.startsWith("IDS_"));
  const same = replays.every(({ differences }) => differences.length === 0);
  const decisions = replays.reduce((sum, replay) => sum + replay.decisions.length, 0);
  const text = [
    say(
      others.every((one) => one < (first ?? 0)),
      `the first cloudlet answered ${first} requests of the scanner, the others ${others.join(", ")}`,
    ),
    say(
      all.every((one) => one === "accepted"),
      `the patient behind the scanner's address: ${all.filter((one) => one === "accepted").length} of ${all.length} uploads taken`,
    ),
    say(
      spared && accused.every((one) => one === "accepted"),
      `the patient whom the liars accuse: ${accused.filter((one) => one === "accepted").length} of ${accused.length} uploads taken, requests without a key too`,
    ),
    say(
      same,
      `${decisions} decisions in ${replays.length} logs replayed, ${same ? "each to the same" : "not all to the same"}`,
    ),
  ].join("\n");
  return { good: allGood, text };
}

async function run(options: DemoOptions, output: Output): Promise<void> {
  const { colours } = output;
  const temporary = temporaryFolder(join(tmpdir(), "medcloudlet-ids-demo-"));
  const mongodbUrl = process.env.MONGODB_URL;
  let play: Play;
  let lab: MeshLab;
  try {
    // Five cloudlets, a cloud and a KDC: nothing that other commands should wait for.
    const { startMeshLab } = await import("./mesh-lab.ts");
    lab = await startMeshLab({
      ...{ folder: temporary.path, count: COUNT, liars: LIARS },
      ...(mongodbUrl === undefined || mongodbUrl === "" ? {} : { mongodbUrl }),
      onStep: (text) => output.note(`  ${text} …`),
    });
    const startedAt = Date.now();
    try {
      output.heading(
        `\n  ${colours.bold("medcloudlet ids demo")}  five cloudlets of five operators, two of which lie\n`,
      );
      play = await playMesh(lab, {
        scene: (text) => output.heading(`\n  ${colours.cyan(text)}`),
        visited: (visit) => output.heading(visitLine(visit, lab, colours)),
      });
    } finally {
      await lab.close();
    }
    const endedAt = Date.now();
    const journals = await Promise.all(lab.cloudlets.map((cloudlet) => cloudlet.journal()));
    const replays = await Promise.all(journals.map((journal) => replayLog(journal)));
    if (options.keep !== undefined) {
      await mkdir(options.keep, { recursive: true });
      for (const [i, journal] of journals.entries()) {
        await writeFile(join(options.keep, `${lab.cloudlets[i]?.id}.jsonl`), journal.join("\n"));
      }
    }
    const { good, text } = verdict(play, replays, colours);
    output.result(
      {
        good,
        attacker: ATTACKER,
        visits: play.visits,
        accused: play.accused,
        cloudlets: lab.cloudlets.map(({ id, operator, liar }, i) => ({
          ...{ id, operator, liar },
          decisions: replays[i]?.decisions,
          members: replays[i]?.members,
          differences: replays[i]?.differences,
        })),
      },
      [
        `\n  ${colours.cyan("who acted when")}`,
        timeline(replays, lab, startedAt, endedAt, colours),
        `\n  ${colours.cyan("and why")}`,
        why(replays, lab, colours),
        `\n  ${colours.cyan("whom the honest trust afterwards (lower bound; 0.72 to begin with)")}`,
        trust(replays, lab, colours),
        "",
        text,
        ...(options.keep === undefined
          ? []
          : ["", `  logs: medcloudlet ids replay ${join(options.keep, "cloudlet-1.jsonl")} --explain`]),
        "",
      ].join("\n"),
    );
    if (!good) {
      throw new MedcloudletError(
        "IDS_DEMO_FAILED",
        "Not all was as it should be: see the lines with ✖ above.",
      );
    }
  } finally {
    await temporary.remove();
  }
}

/** `medcloudlet ids demo`. */
export function idsDemoCommand(): Command {
  return newCommand("demo", "five real cloudlets guard each other against a scanner, and two of them lie")
    .option("--keep <folder>", "keep the five logs there, for `ids replay`")
    .action((options: DemoOptions) => run(options, outputOf(options)));
}
