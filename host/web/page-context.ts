import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { WorkerPort } from "./worker/port.ts";
import type { Person, Places } from "./worker/session-questions.ts";

/** What every view of somebody who is at work may use. */
export interface PageContext {
  readonly port: WorkerPort;
  readonly person: Person;
  readonly places: Places;
  /** `light` or `dark`. */
  readonly theme: string;
}

export const PAGE = createContext<PageContext | null>(null);

/** @throws Error outside of the frame, which is a fault of the page's own */
export function usePage(): PageContext {
  const page = useContext(PAGE);
  if (page === null) {
    throw new Error("a view outside of the frame");
  }
  return page;
}
