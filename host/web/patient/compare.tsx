import { useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { FoundReader } from "../worker/patient/questions.ts";

const text = TEXTS.home.sharing;

/** What is said around a fingerprint, where it is about something else than sharing. */
export interface CompareWords {
  readonly title: string;
  readonly how: string;
  readonly why: string;
  readonly differentDone: string;
  readonly typedDiffers: string;
}

/** Hex digits as somebody typed them, in groups or not. */
function plainHex(typed: string): string {
  return typed.replace(/[\s:-]+/g, "").toLowerCase();
}

/** A fingerprint in its sixteen groups of four, to be compared one by one. */
export function Fingerprint({ hex }: { readonly hex: string }) {
  return (
    <code class="fingerprint">
      {(hex.match(/.{1,4}/g) ?? []).map((group, i) => (
        // The place is what tells two equal groups apart.
        <span key={i}>{group} </span>
      ))}
    </code>
  );
}

/**
 * Asks a person to compare a fingerprint with whom it should be of; the KDC alone is not believed. What a person reads out
 * takes a minute, and the page asks again meanwhile: the fingerprint stays the one that was shown first, and where another
 * came in its place, comparing begins anew.
 */
export function Compare(props: {
  readonly found: Pick<FoundReader, "handle" | "fingerprint" | "known">;
  readonly busy: boolean;
  /** Somebody compared it, or entered the very same: this fingerprint is what they stand for, and no later one. */
  readonly onSame: (fingerprint: string) => void;
  readonly onCancel: () => void;
  readonly words?: CompareWords;
}) {
  const { found, busy, onSame, onCancel } = props;
  const words = props.words ?? {
    title: text.compareTitle(found.handle),
    how: text.compareHow(found.handle),
    why: text.compareWhy,
    differentDone: text.differentDone(found.handle),
    typedDiffers: text.typedDiffers(found.handle),
  };
  const [fingerprint, setFingerprint] = useState(found.fingerprint);
  const [typed, setTyped] = useState("");
  const [different, setDifferent] = useState(false);
  const [mistyped, setMistyped] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  if (fingerprint !== found.fingerprint) {
    return (
      <div class="compare">
        <Failure text={text.changedMeanwhile(found.handle)} />
        <div class="acts">
          <button
            type="button"
            onClick={() => {
              setFingerprint(found.fingerprint);
              setTyped("");
              setMistyped(false);
            }}
          >
            {text.compareAnew}
          </button>
          <button type="button" onClick={onCancel}>
            {text.cancel}
          </button>
        </div>
      </div>
    );
  }
  if (different) {
    return (
      <div class="compare">
        <Failure text={words.differentDone} />
        <button type="button" onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
    );
  }
  return (
    <div class="compare">
      <h3 ref={heading} tabIndex={-1}>
        {words.title}
      </h3>
      {found.known === "changed" ? (
        <p class="banner" role="alert">
          {text.knownChanged(found.handle)}
        </p>
      ) : null}
      <p>{words.how}</p>
      <Fingerprint hex={fingerprint} />
      <p class="dim">{words.why}</p>
      <div class="acts">
        <button type="button" class="accent" disabled={busy} onClick={() => onSame(fingerprint)}>
          {text.same}
        </button>
        <button type="button" disabled={busy} onClick={() => setDifferent(true)}>
          {text.different}
        </button>
        <button type="button" disabled={busy} onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          const same = plainHex(typed) === fingerprint;
          setMistyped(!same);
          if (same) {
            onSame(fingerprint);
          }
        }}
      >
        <Field
          id="typed-fingerprint"
          label={text.typed}
          hint={text.typedHint}
          value={typed}
          maxLength={120}
          onValue={setTyped}
        />
        <button type="submit" disabled={busy}>
          {text.typedUse}
        </button>
      </form>
      <Failure text={mistyped ? words.typedDiffers : null} />
    </div>
  );
}
