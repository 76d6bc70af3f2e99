/** What is said about files with readings. */
export const EXPORT = {
  open: "Export…",
  title: "Export what is shown",
  range: (from: string, to: string) => `${from} to ${to}, all quantities.`,
  warning:
    "The file is not protected any more: whoever gets it can read it, no revocation reaches it, and nobody hears who opens it. Keep it where patients' data belong, and delete it when it has served.",
  incomplete: "Older readings are still being opened: the file may miss some.",
  refused: (count: number) =>
    `${count} ${count === 1 ? "batch is" : "batches are"} not what the patient's wearable sealed, and not in the file.`,
  named: "Put the patient's name into the file's name",
  csv: "CSV",
  fhir: "FHIR bundle",
  done: (name: string) => `Saved as ${name}.`,
  close: "Close",
  fileName: "readings",
} as const;
