/** A deterioration that the simulated patient goes through. It does not get better by itself. */
export interface Episode {
  readonly kind: "sepsis" | "hypoxia";
  /** Seconds from the start of the simulation to the first change. */
  readonly onsetSeconds: number;
  /** Seconds from the onset to the full picture; 6 hours where left out. */
  readonly durationSeconds?: number;
  /**
   * Compression for demonstrations: the course (and the pause between two cuff measurements from the onset on)
   * runs this many times faster. 1 where left out.
   */
  readonly timeFactor?: number;
}

/** Change of each vital sign from the person's own normal. */
export interface VitalShift {
  readonly heartRate: number;
  readonly respiratoryRate: number;
  readonly oxygenSaturation: number;
  readonly bodyTemperature: number;
  readonly systolicPressure: number;
  readonly diastolicPressure: number;
}

/** How far the course has come, and what it does to the vital signs now. */
export interface EpisodeState {
  /** 0 before the onset, 1 at the full picture. */
  readonly severity: number;
  readonly shift: VitalShift;
  /** 1, or the episode's time factor from its onset on. */
  readonly haste: number;
}

const SIX_HOURS = 6 * 60 * 60;

/**
 * The full picture. Sepsis: fever, tachycardia, tachypnoea, hypotension, some desaturation. Hypoxia
 * (respiratory failure): desaturation and tachypnoea first, the rest less. Both reach an emergency NEWS2 from a
 * healthy adult's values.
 */
const FULL_PICTURE: Readonly<Record<Episode["kind"], VitalShift>> = {
  sepsis: {
    heartRate: 52,
    respiratoryRate: 14,
    oxygenSaturation: -6.5,
    bodyTemperature: 2.4,
    systolicPressure: -36,
    diastolicPressure: -24,
  },
  hypoxia: {
    heartRate: 40,
    respiratoryRate: 15,
    oxygenSaturation: -14,
    bodyTemperature: 0.3,
    systolicPressure: -18,
    diastolicPressure: -10,
  },
};

/**
 * State of the episode at a number of seconds after the start of the simulation. The course is a smoothstep
 * (3s^2 - 2s^3), slow at both ends.
 */
export function episodeAt(episode: Episode | undefined, seconds: number): EpisodeState {
  const severity = severityAt(episode, seconds);
  const full = FULL_PICTURE[episode?.kind ?? "sepsis"];
  return {
    severity,
    haste: severity > 0 ? (episode?.timeFactor ?? 1) : 1,
    shift: {
      heartRate: severity * full.heartRate,
      respiratoryRate: severity * full.respiratoryRate,
      oxygenSaturation: severity * full.oxygenSaturation,
      bodyTemperature: severity * full.bodyTemperature,
      systolicPressure: severity * full.systolicPressure,
      diastolicPressure: severity * full.diastolicPressure,
    },
  };
}

function severityAt(episode: Episode | undefined, seconds: number): number {
  if (episode === undefined || seconds <= episode.onsetSeconds) {
    return 0;
  }
  const length = (episode.durationSeconds ?? SIX_HOURS) / (episode.timeFactor ?? 1);
  const share = Math.min(1, (seconds - episode.onsetSeconds) / length);
  return share * share * (3 - 2 * share);
}
