import { ruleSetHash } from "../rules/index.ts";
import { createScenarioEngine, type Overflow } from "../scenarios/engine.ts";
import type { IdsEvent } from "../scenarios/event.ts";
import { SCENARIOS } from "../scenarios/list.ts";
import type {
  Alert,
  Consequences,
  Decision,
  Engine,
  Observation,
  Ruling,
  SharedAlert,
  SubjectKind,
} from "./contract.ts";
import { createDeciding, createState, HARMLESS_DEEDS, idOf, type Mutable } from "./deciding.ts";
import { aimsAtVictim, EARLY, hashOfScenario } from "./early.ts";
import { atLeastAsStrict } from "./measures.ts";
import { addFinding, bestFinding, type Finding, type Suspect, subjectOf } from "./suspects.ts";
import { meshKey } from "./votes.ts";

/** What cannot be done without a key, an account or a consent; requests alone prove nothing. */
const HARMLESS: readonly IdsEvent["kind"][] = ["upload", "login-ok", "record-read"];
/** Alerts about single requests of one place: one in this time. */
const REQUEST_ALERT_MS = 60_000;
const KINDS: readonly SubjectKind[] = ["source", "account", "device"];

type EventObservation = Extract<Observation, { kind: "event" }>;

function isScope(scope: string): scope is SubjectKind {
  return (KINDS as readonly string[]).includes(scope);
}

/**
 * The engine of one service. Pure but for its own memory: no clock, no random numbers, nothing asynchronous. Suspects,
 * votes, decisions and buckets are bounded in number, each peer's votes apart, so that nobody's flood pushes out
 * another's word.
 */
export function createEngine(): Engine {
  const state = createState();
  const { suspects, votes, standings, held } = state;
  const { oldest, votesOn, isWarned, alertOf, quorum, actAlone, actTogether } = createDeciding(state);
  const contentRules = ruleSetHash();
  const scenarios = createScenarioEngine(SCENARIOS);
  const early = createScenarioEngine(EARLY);

  /** Own evidence bears out who had warned before. Who says the same afterwards may only be an echo. */
  const bearOut = (suspect: Suspect): void => {
    for (const { member, vote } of votesOn(suspect)) {
      if (!vote.judged) {
        vote.judged = true;
        if (vote.heardAt < state.now) {
          standings.confirmed(member.id, state.now);
        }
      }
    }
  };

  const foundStrong = (suspect: Suspect, finding: Finding, then: Mutable<Consequences>): void => {
    addFinding(suspect, finding, oldest());
    bearOut(suspect);
    alertOf(suspect, finding, then);
    actAlone(suspect, finding, then);
  };

  const findingOf = (overflow: Overflow, strong: boolean, evidence: Alert["evidence"]): Finding => ({
    rule: overflow.scenario,
    ruleHash: strong ? overflow.hash : (hashOfScenario(overflow.scenario) as string),
    about: overflow.about,
    score: overflow.confidence,
    at: state.now,
    from: overflow.from,
    to: overflow.to,
    count: overflow.count,
    strong,
    victim: aimsAtVictim(overflow.scenario),
    evidence,
    alert: null,
  });

  const harmlessDeed = (suspect: Suspect): void => {
    if (state.now - suspect.windowFrom >= state.settings.voteMs) {
      const silent = bestFinding(suspect, oldest()) === undefined;
      if (silent && suspect.harmless >= HARMLESS_DEEDS) {
        const loud = new Set(votesOn(suspect).map(({ member }) => member.id));
        standings.quiet(state.members.map(({ id }) => id).filter((id) => !loud.has(id)));
      }
      const justBefore = state.now - suspect.windowFrom < 2 * state.settings.voteMs;
      suspect.harmlessBefore = justBefore ? suspect.harmless : 0;
      suspect.harmless = 0;
      suspect.windowFrom = state.now;
    }
    suspect.harmless++;
    if (!isWarned(suspect) || bestFinding(suspect, oldest()) !== undefined) {
      return;
    }
    const heard = votesOn(suspect);
    const alarming = new Set(heard.map(({ member }) => member.operator)).size;
    for (const { member, vote } of heard) {
      vote.harmless++;
      // So many operators who agree know more than one who saw nothing.
      if (!vote.judged && vote.harmless >= HARMLESS_DEEDS && alarming < quorum(true)) {
        vote.judged = standings.contradicted(member.id, `${suspect.kind}:${suspect.local}`, state.now);
      }
    }
  };

  const onEvent = (observation: EventObservation, then: Mutable<Consequences>): void => {
    const { event, shared, sharedBefore } = observation;
    const present: Suspect[] = [];
    for (const kind of KINDS) {
      const local = event[kind];
      if (local !== undefined) {
        present.push(suspects.meet(kind, local, [shared[kind], sharedBefore?.[kind]], state.now));
      }
    }
    if (HARMLESS.includes(event.kind) && (event.status ?? 200) < 400) {
      present.forEach(harmlessDeed);
    }
    const evidence = observation.evidence ?? [];
    for (const overflow of early.take(event)) {
      const suspect = isScope(overflow.scope) ? suspects.find(overflow.scope, overflow.subject) : undefined;
      if (suspect !== undefined) {
        addFinding(suspect, findingOf(overflow, false, evidence), oldest());
      }
    }
    for (const overflow of scenarios.take(event)) {
      const suspect = isScope(overflow.scope) ? suspects.find(overflow.scope, overflow.subject) : undefined;
      if (suspect !== undefined) {
        foundStrong(suspect, findingOf(overflow, true, evidence), then);
      }
    }
    if (event.kind === "attack-found") {
      onAttackFound(observation, then);
    }
    for (const suspect of present) {
      if (isWarned(suspect)) {
        actTogether(suspect, then);
      }
    }
  };

  /** One request that looks like an attack: written down, for the peers only once there are several. */
  const onAttackFound = (observation: EventObservation, then: Mutable<Consequences>): void => {
    const suspect = suspects.find("source", observation.event.source);
    if (suspect === undefined || state.now - suspect.requestAlertAt < REQUEST_ALERT_MS) {
      return;
    }
    suspect.requestAlertAt = state.now;
    const evidence = observation.evidence ?? [];
    const rule = evidence[0]?.rule ?? "anomaly-model";
    then.alerts.push({
      id: idOf("request", state.self, suspect.local, state.now),
      at: state.now,
      subject: subjectOf(suspect),
      rule,
      ruleHash: contentRules,
      about: "A request looks like an attack.",
      score: observation.score ?? 0.5,
      count: 1,
      from: state.now,
      to: state.now,
      evidence,
    });
  };

  const onHeard = (alert: SharedAlert, then: Mutable<Consequences>): void => {
    // Only unmodified scenarios of members that the roster names count, and nobody hears their own echo.
    const known = state.members.some(({ id }) => id === alert.member) && alert.member !== state.self;
    if (!known || hashOfScenario(alert.rule) !== alert.ruleHash || !votes.add(alert, state.now)) {
      return;
    }
    standings.heard(alert.member, state.now);
    const suspect = suspects.findShared(alert.subject.kind, alert.subject.shared);
    if (suspect !== undefined) {
      const vote = votes.of(alert.member, meshKey(alert.subject.kind, alert.subject.shared), state.now);
      if (vote !== undefined && bestFinding(suspect, oldest())?.strong === true) {
        vote.judged = true;
      }
      actTogether(suspect, then);
    }
  };

  /** An officer's word: whoever spoke is judged by it; a lifted measure ends with all others on the same suspect. */
  const onRuling = ({ decision: id, ruling }: Ruling, then: Mutable<Consequences>): void => {
    const decision = held.find(id);
    if (decision === undefined) {
      return;
    }
    if (ruling === "confirm" && !held.confirm(id)) {
      return;
    }
    const suspect = suspects.find(decision.subject.kind, decision.subject.local);
    const about = `${decision.subject.kind}:${decision.subject.local}`;
    for (const voice of decision.voices) {
      for (const member of voice.members) {
        standings.ruled(member, voice.alarm, ruling === "confirm", about, state.now);
      }
    }
    if (ruling === "confirm") {
      return;
    }
    for (const running of held.running(decision.subject, state.now)) {
      held.end(running.id);
      then.ended.push(running.id);
    }
    held.end(id);
    for (const shared of suspect?.shared ?? [decision.subject.shared]) {
      votes.clear(meshKey(decision.subject.kind, shared));
    }
    if (suspect !== undefined) {
      suspect.findings = [];
      suspect.strikes = 0;
      suspect.strikesBefore = 0;
      suspect.sparedUntil = state.now + state.settings.voteMs;
    }
  };

  const take = (observation: Observation, then: Mutable<Consequences>): void => {
    switch (observation.kind) {
      case "settings":
        state.settings = observation.settings;
        state.stakes = { prior: state.settings.prior, missCost: state.settings.missCost, askCost: 0 };
        return;
      case "roster":
        state.self = observation.self;
        state.members = [...observation.members].sort((a, b) => (a.id < b.id ? -1 : 1));
        standings.setRoster(state.members);
        votes.keepOnly(new Set(state.members.map(({ id }) => id)));
        return;
      case "event":
        onEvent(observation, then);
        return;
      case "heard":
        onHeard(observation.alert, then);
        return;
      case "ruling":
        onRuling(observation.ruling, then);
        return;
      case "exempt":
        held.exempt(observation.subject, observation.until, state.now);
        if (observation.until > state.now) {
          for (const { id } of held.running(observation.subject, state.now)) {
            held.end(id);
            then.ended.push(id);
          }
        }
    }
  };

  return {
    observe(observation) {
      // Observations may come a little late; what runs out never runs backwards.
      state.now = Math.max(state.now, observation.at);
      const then: Mutable<Consequences> = { alerts: [], share: [], decisions: [], ended: [] };
      take(observation, then);
      return then;
    },
    inForce(asked, at) {
      let best: Decision | null = null;
      for (const subject of asked) {
        const one = held.isExempt(subject, at) ? null : held.strictest(subject, at);
        if (one !== null && (best === null || !atLeastAsStrict(best.measure, one.measure))) {
          best = one;
        }
      }
      return best;
    },
    members: () => standings.list(state.now),
  };
}
