import type { AuditQuestions } from "./audit-questions.ts";
import type { KeysQuestions } from "./keys-questions.ts";
import type { ModelQuestions } from "./model-questions.ts";
import type { NetworkQuestions } from "./network-questions.ts";
import type { TrafficQuestions } from "./traffic-questions.ts";
import type { WatchQuestions } from "./watch-questions.ts";

/** What a security officer's page asks of the worker. */
export interface OfficerQuestions
  extends WatchQuestions,
    NetworkQuestions,
    ModelQuestions,
    TrafficQuestions,
    AuditQuestions,
    KeysQuestions {}
