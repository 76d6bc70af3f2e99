import type { Bytes } from "../base/index.ts";
import { toBase64Url } from "../base/index.ts";

/** One half of an exchange: what was signed, and what was sealed as long as it is kept. */
export interface Half {
  /** COMMUNITY_MESSAGE or OPENING, signed by the sender. */
  readonly statement: string;
  /** RECEIPT, signed by the sender. */
  readonly receipt: string;
  readonly sealed: Bytes | null;
}

/** A question and its answer: one document, so that no half is ever there without its receipt. */
export interface ExchangeRecord {
  readonly _id: string;
  readonly community: string;
  readonly exchange: string;
  readonly kind: "question" | "opening";
  /** Of an opening: asker, answerer and epoch; unique. Of a question: its own id. */
  readonly slot: string;
  readonly asker: string;
  readonly answerer: string;
  readonly epoch: number;
  readonly question: Half;
  readonly answer: Half | null;
  readonly state: "waiting" | "answered" | "declined";
  readonly askerReceived: boolean;
  readonly answererReceived: boolean;
  readonly createdAt: number;
  /** When what is sealed goes; the rest goes with {@link goesAt}. */
  readonly sealedUntil: number;
  readonly goesAt: number;
  /** Nothing sealed is left. */
  readonly emptied: boolean;
  /** Stamps of what each has yet to see; 0 for nothing. */
  readonly forAsker: number;
  readonly forAnswerer: number;
}

export type MessageKind = "question" | "answer";

/** An exchange as it leaves the relay; shapes in docs/PROTOCOL.md. */
export interface ExchangeView {
  readonly exchange: string;
  readonly kind: "question" | "opening";
  readonly asker: string;
  readonly answerer: string;
  readonly state: "waiting" | "answered" | "declined";
  readonly question: HalfView;
  readonly answer: HalfView | null;
  readonly held: boolean;
  readonly removed: readonly MessageKind[];
  readonly expiresAt: number;
}

interface HalfView {
  readonly statement: string;
  readonly receipt: string;
  readonly sealed: string | null;
}

/**
 * `inForce`: both agreements, at this moment. Statements and receipts always go: who withdraws an agreement shall not
 * escape a rating by it.
 */
export function viewOfExchange(
  record: ExchangeRecord,
  { inForce, removed }: { readonly inForce: boolean; readonly removed: readonly MessageKind[] },
): ExchangeView {
  const { exchange, kind, asker, answerer, state, question, answer, goesAt } = record;
  const held = kind === "question" && !inForce;
  const half = (which: MessageKind, { statement, receipt, sealed }: Half): HalfView => ({
    statement,
    receipt,
    sealed: sealed === null || held || removed.includes(which) ? null : toBase64Url(sealed),
  });
  return {
    exchange,
    kind,
    asker,
    answerer,
    state,
    question: half("question", question),
    answer: answer === null ? null : half("answer", answer),
    held,
    removed,
    expiresAt: goesAt,
  };
}
