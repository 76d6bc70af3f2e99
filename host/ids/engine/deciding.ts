import { createHash } from "node:crypto";
import { fuseVotes, logRatio, type Vote } from "../fusion.ts";
import type { Consequences, Decision, EngineSettings, Member } from "./contract.ts";
import { aimsAtVictim } from "./early.ts";
import { explainLocal, explainMesh, voicesOf, type Worth } from "./explain.ts";
import {
  atLeastAsStrict,
  createHeld,
  type Held,
  localMeasure,
  meshMeasure,
  repetitions,
  strike,
} from "./measures.ts";
import { DEFAULT_ENGINE_SETTINGS, pseudonymEpoch } from "./settings.ts";
import { createStandings, type Standings } from "./standings.ts";
import {
  bestFinding,
  createSuspects,
  EARLY_WORTH,
  type Finding,
  type Suspect,
  type Suspects,
  subjectOf,
} from "./suspects.ts";
import { createHeardVotes, type HeardVote, type HeardVotes, meshKey } from "./votes.ts";

/** Harmless deeds after which this service's own silence says something. */
export const HARMLESS_DEEDS = 12;

export type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** All that an engine remembers. Each part is bounded. */
export interface EngineState {
  settings: EngineSettings;
  stakes: { readonly prior: number; readonly missCost: number; readonly askCost: number };
  self: string;
  /** By id, so that the order of a roster does not matter. */
  members: readonly Member[];
  /** The latest time that was observed. */
  now: number;
  readonly suspects: Suspects;
  readonly votes: HeardVotes;
  readonly standings: Standings;
  readonly held: Held;
}

export function createState(): EngineState {
  const settings = DEFAULT_ENGINE_SETTINGS;
  const state: EngineState = {
    settings,
    stakes: { prior: settings.prior, missCost: settings.missCost, askCost: 0 },
    self: "",
    members: [],
    now: 0,
    suspects: createSuspects(),
    votes: createHeardVotes(() => state.settings.voteMs),
    standings: createStandings(),
    held: createHeld(),
  };
  return state;
}

/** 32 hex digits that depend on these alone: the same in live traffic and in a replay. */
export function idOf(...parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** Decides on suspects, alone and with the peers, and adds what follows to `then`. */
export interface Deciding {
  /** From when on findings count. */
  oldest(): number;
  votesOn(suspect: Suspect): { readonly member: Member; readonly vote: HeardVote }[];
  isWarned(suspect: Suspect): boolean;
  alertOf(suspect: Suspect, finding: Finding, then: Mutable<Consequences>): string;
  /** Operators that must alarm; one more, as far as the honest can give it, where this service vouches for somebody. */
  quorum(vouches: boolean): number;
  actAlone(suspect: Suspect, finding: Finding, then: Mutable<Consequences>): void;
  actTogether(suspect: Suspect, then: Mutable<Consequences>): void;
}

export function createDeciding(state: EngineState): Deciding {
  const { votes, standings, held } = state;
  const oldest = () => state.now - state.settings.voteMs;
  const isMeshed = () => standings.operators() >= 2;
  const votesOn = (suspect: Suspect): { member: Member; vote: HeardVote }[] => {
    const found: { member: Member; vote: HeardVote }[] = [];
    for (const member of state.members) {
      if (member.id !== state.self) {
        for (const shared of suspect.shared) {
          const vote = votes.of(member.id, meshKey(suspect.kind, shared), state.now);
          if (vote !== undefined) {
            found.push({ member, vote });
            break;
          }
        }
      }
    }
    return found;
  };
  const isWarned = (suspect: Suspect) =>
    suspect.shared.some((shared) => votes.warned(meshKey(suspect.kind, shared)));

  /** Writes an alert of this finding, if none was written yet, and tells the peers. */
  const alertOf = (suspect: Suspect, finding: Finding, then: Mutable<Consequences>): string => {
    if (finding.alert !== null) {
      return finding.alert;
    }
    const { rule, ruleHash, about, count, from, to, evidence } = finding;
    const score = finding.score * (finding.strong ? 1 : EARLY_WORTH);
    const id = idOf(
      "alert",
      state.self,
      suspect.kind,
      suspect.local,
      rule,
      finding.at,
      Number(finding.strong),
    );
    finding.alert = id;
    const subject = subjectOf(suspect);
    then.alerts.push({ id, at: state.now, subject, rule, ruleHash, about, score, count, from, to, evidence });
    if (subject.shared !== "" && isMeshed() && !held.isExempt(suspect, state.now)) {
      then.share.push({
        id,
        member: state.self,
        epoch: pseudonymEpoch(state.now),
        subject: { kind: suspect.kind, shared: subject.shared },
        rule,
        ruleHash,
        score,
        count,
        from,
        to,
      });
    }
    return id;
  };

  const decide = (
    suspect: Suspect,
    decision: Omit<Decision, "id" | "subject" | "at" | "simulated">,
  ): Decision => {
    const id = idOf(
      "decision",
      state.self,
      suspect.kind,
      suspect.local,
      state.now,
      decision.measure,
      decision.origin,
    );
    const simulated = state.settings.mode === "simulate";
    const made: Decision = { id, at: state.now, subject: subjectOf(suspect), simulated, ...decision };
    held.add(made);
    strike(suspect, state.now);
    return made;
  };

  const actAlone = (suspect: Suspect, finding: Finding, then: Mutable<Consequences>): void => {
    if (held.isExempt(suspect, state.now)) {
      return;
    }
    const repeated = repetitions(suspect, state.now);
    const { measure, lastsMs } = localMeasure(finding.score, repeated, finding.victim, state.settings);
    const running = held.strictest(suspect, state.now, { simulated: true });
    if (running !== null && atLeastAsStrict(running.measure, measure)) {
      return;
    }
    const rates = standings.rates(state.self);
    const weight = logRatio(true, rates) * finding.score;
    const own = state.members.find(({ id }) => id === state.self);
    then.decisions.push(
      decide(suspect, {
        until: state.now + lastsMs,
        measure,
        origin: "local",
        alerts: [alertOf(suspect, finding, then)],
        rules: [finding.rule],
        logRatio: weight,
        threshold: Math.log((1 - state.settings.prior) / (state.settings.missCost * state.settings.prior)),
        quorum: 1,
        voices: [
          {
            operator: own?.operator ?? state.self,
            members: [state.self],
            alarm: true,
            weight,
            trust: finding.score,
            ...rates,
            trimmed: false,
          },
        ],
        text: explainLocal({
          measure,
          lastsMs,
          finding,
          repeated,
          simulated: state.settings.mode === "simulate",
        }),
      }),
    );
  };

  const quorum = (vouches: boolean): number => {
    const operators = standings.operators();
    const liars = Math.max(0, Math.floor((operators - 1) / 3));
    const needed = standings.quorum(state.stakes);
    return vouches ? Math.max(needed, Math.min(needed + 1, operators - liars - 1)) : needed;
  };

  /** Decides with the peers. Silence of a peer says nothing, as who was never visited is silent too. */
  const actTogether = (suspect: Suspect, then: Mutable<Consequences>): void => {
    if (!isMeshed() || state.now < suspect.sparedUntil || held.isExempt(suspect, state.now)) {
      return;
    }
    const running = held.strictest(suspect, state.now, { simulated: true, origin: "mesh" });
    if (running?.measure === "ban") {
      return;
    }
    const heard = votesOn(suspect);
    if (heard.length === 0) {
      return;
    }
    const finding = bestFinding(suspect, oldest());
    const harmless = suspect.harmless + suspect.harmlessBefore;
    const vouches = finding === undefined && harmless >= HARMLESS_DEEDS;
    const worth = new Map<string, Worth>();
    const cast = state.members.map((member): Vote => {
      const rates = standings.rates(member.id);
      const vote = heard.find((one) => one.member.id === member.id)?.vote;
      let alarm = vote !== undefined;
      let trust = vote === undefined ? 0 : standings.trust(member.id, state.now) * vote.alert.score;
      if (member.id === state.self) {
        alarm = finding !== undefined;
        trust = finding === undefined ? Number(vouches) : finding.score * (finding.strong ? 1 : EARLY_WORTH);
      }
      worth.set(member.id, { trust, ...rates });
      return { member: member.id, operator: member.operator, alarm, rates, trust };
    });
    // Of an operator's members only those speak that have something to say, or one of them where none has.
    const loud = new Set(cast.filter(({ trust }) => trust > 0).map(({ operator }) => operator));
    const heeded = cast.filter(({ trust, operator }) => trust > 0 || !loud.has(operator));
    const operators = standings.operators();
    const needed = quorum(vouches);
    const fused = fuseVotes(heeded, state.stakes, { correlation: standings.correlation, quorum: needed });
    if (!fused.block) {
      return;
    }
    const rules = [
      ...new Set([
        ...heard.map(({ vote }) => vote.alert.rule),
        ...(finding === undefined ? [] : [finding.rule]),
      ]),
    ].sort();
    const mild = vouches || rules.every(aimsAtVictim);
    const { measure, lastsMs } = meshMeasure(repetitions(suspect, state.now), mild, state.settings);
    if (running !== null && atLeastAsStrict(running.measure, measure)) {
      return;
    }
    const own = finding === undefined ? [] : [alertOf(suspect, finding, then)];
    then.decisions.push(
      decide(suspect, {
        until: state.now + lastsMs,
        measure,
        origin: "mesh",
        alerts: [...heard.map(({ vote }) => vote.alert.id), ...own].sort(),
        rules,
        logRatio: fused.logRatio,
        threshold: fused.threshold,
        quorum: needed,
        voices: voicesOf(fused.voices, (member) => worth.get(member) as Worth),
        text: explainMesh({
          measure,
          lastsMs,
          finding,
          harmless,
          rules,
          fused,
          operators,
          simulated: state.settings.mode === "simulate",
        }),
      }),
    );
  };

  return { oldest, votesOn, isWarned, alertOf, quorum, actAlone, actTogether };
}
