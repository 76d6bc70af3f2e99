import type { Fused, Voice } from "../fusion.ts";
import type { DecisionVoice, Measure } from "./contract.ts";
import { EARLY_WORTH, type Finding } from "./suspects.ts";

const DONE: Readonly<Record<Measure, string>> = {
  throttle: "Slowed down",
  challenge: "Asked to prove a key",
  ban: "Banned",
};

/** A duration in the two largest units that it has: "1 h 30 min". */
export function inWords(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ] as const;
  const words: string[] = [];
  let rest = Math.max(0, ms);
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && words.length < 2) {
      words.push(`${count} ${unit}`);
    }
  }
  return words.length === 0 ? `${Math.round(ms)} ms` : words.join(" ");
}

/** A client chose the name: nothing in it may move a cursor or begin a line. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, "?").slice(0, 40);
}

function own(finding: Finding | undefined, harmless: number): string {
  if (finding === undefined) {
    return harmless === 0
      ? "This service saw nothing of it itself."
      : `This service saw ${harmless} harmless deed${harmless === 1 ? "" : "s"} and nothing suspicious.`;
  }
  const events = `${finding.count} event${finding.count === 1 ? "" : "s"}`;
  const within = finding.to > finding.from ? ` in ${inWords(finding.to - finding.from)}` : "";
  const belief = finding.score * (finding.strong ? 1 : EARLY_WORTH);
  const what = finding.strong ? finding.rule : `the beginnings of ${finding.rule}`;
  const fired = finding.evidence.map(
    ({ rule, place, name }) => `${rule} in ${place}${name === "" ? "" : ` ${printable(name)}`}`,
  );
  return `Seen here: ${what} (${events}${within}, belief ${belief.toFixed(2)})${fired.length === 0 ? "" : `: ${fired.join(", ")}`}.`;
}

/** Why a measure was taken on this service's own evidence. */
export function explainLocal(input: {
  readonly measure: Measure;
  readonly lastsMs: number;
  readonly finding: Finding;
  readonly repeated: number;
  readonly simulated: boolean;
}): string {
  const { measure, lastsMs, finding, repeated, simulated } = input;
  const again =
    repeated === 0 ? "the first time" : `after ${repeated} measure${repeated === 1 ? "" : "s"} in a day`;
  return `${simulated ? "Simulated: " : ""}${DONE[measure]} for ${inWords(lastsMs)} at this service alone, ${again}. ${finding.about} ${own(finding, 0)}`;
}

/** Why a measure was taken on the word of several. */
export function explainMesh(input: {
  readonly measure: Measure;
  readonly lastsMs: number;
  readonly finding: Finding | undefined;
  readonly harmless: number;
  readonly rules: readonly string[];
  readonly fused: Fused;
  readonly operators: number;
  readonly simulated: boolean;
}): string {
  const { measure, lastsMs, finding, harmless, rules, fused, operators, simulated } = input;
  const { alarms, quorum, logRatio, threshold, tolerates } = fused;
  return [
    `${simulated ? "Simulated: " : ""}${DONE[measure]} for ${inWords(lastsMs)} on the word of ${alarms} of ${operators} operators (${quorum} needed): ${rules.join(", ")}.`,
    own(finding, harmless),
    `Log-likelihood ratio ${logRatio.toFixed(2)}, needed ${threshold.toFixed(2)}${tolerates === 0 ? "" : `; stands ${tolerates} liar${tolerates === 1 ? "" : "s"}`}.`,
  ].join(" ");
}

/** What a member's word counted by. */
export interface Worth {
  readonly trust: number;
  readonly detection: number;
  readonly falseAlarm: number;
}

/** The voices of a decision with what they were worth; who said nothing is left out. */
export function voicesOf(voices: readonly Voice[], worth: (member: string) => Worth): DecisionVoice[] {
  return voices
    .filter(({ alarm, weight }) => alarm || weight !== 0)
    .map(({ operator, members, alarm, weight, trimmed }) => {
      const all = members.map(worth);
      const mean = (pick: (one: Worth) => number) =>
        all.reduce((sum, one) => sum + pick(one), 0) / all.length;
      return {
        operator,
        members,
        alarm,
        weight,
        trust: mean(({ trust }) => trust),
        detection: mean(({ detection }) => detection),
        falseAlarm: mean(({ falseAlarm }) => falseAlarm),
        trimmed,
      };
    });
}
