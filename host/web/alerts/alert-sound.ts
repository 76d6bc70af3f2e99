const NAME = "medcloudlet-alert-sound";
const SECONDS = 0.18;

/** Whether this machine makes itself heard. */
export function soundIsOn(): boolean {
  return localStorage.getItem(NAME) === "on";
}

export function keepSound(on: boolean): void {
  if (on) {
    localStorage.setItem(NAME, "on");
  } else {
    localStorage.removeItem(NAME);
  }
}

/**
 * Three rising tones, made here: no file is fetched for them.
 * @returns false where the browser plays nothing, since nobody has touched the page yet
 */
export async function playAlert(): Promise<boolean> {
  const context = new AudioContext();
  // A browser that refuses leaves this waiting for ever.
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 300))]);
  if (context.state !== "running") {
    await context.close();
    return false;
  }
  const volume = context.createGain();
  volume.connect(context.destination);
  let last: OscillatorNode | null = null;
  for (const [i, hertz] of [660, 880, 1100].entries()) {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(volume);
    const from = context.currentTime + i * (SECONDS + 0.05);
    volume.gain.setValueAtTime(0.25, from);
    volume.gain.exponentialRampToValueAtTime(0.001, from + SECONDS);
    tone.start(from);
    tone.stop(from + SECONDS);
    last = tone;
  }
  last?.addEventListener("ended", () => void context.close());
  return true;
}
