import { useEffect, useRef } from "preact/hooks";
import { dateText } from "../format.ts";
import { TEXTS } from "../texts/index.ts";
import type { ShownPreview } from "../worker/patient/questions.ts";
import { regionsText } from "./words.ts";

const text = TEXTS.home.preview;

function linesOf({ opens, devices, record }: ShownPreview["regions"][number]): string[] {
  const readings =
    opens === null
      ? text.unknown
      : opens.batches === 0 || opens.firstTime === null || opens.lastTime === null
        ? text.noBatches
        : text.batches(opens.batches, dateText(opens.firstTime), dateText(opens.lastTime));
  return [readings, text.comes, text.devices(devices), text.record[record]];
}

/** "What would this reader see?" in words. */
export function PreviewOf({ who, preview }: { readonly who: string; readonly preview: ShownPreview }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Another preview is shown in the same place.
  useEffect(() => heading.current?.focus(), [preview]);
  return (
    <section class="preview" aria-labelledby="preview-title">
      <h4 id="preview-title" ref={heading} tabIndex={-1}>
        {text.title(who)}
      </h4>
      <p class="dim">{text.bounds(dateText(preview.from), dateText(preview.until))}</p>
      {preview.regions.map((region) => (
        <div key={region.region}>
          <strong>{TEXTS.home.regions[region.region]}</strong>{" "}
          <span class="dim">({region.contents.join(", ")})</span>
          <ul>
            {linesOf(region).map((line) => (
              <li key={line}>{line}</li>
            ))}
            {region.had && region.closedBatches > 0 ? <li>{text.had}</li> : null}
            {region.closedBatches === 0 ? null : <li class="dim">{text.closed(region.closedBatches)}</li>}
          </ul>
        </div>
      ))}
      <p>{text.name(preview.name)}</p>
      <p class="dim">
        {text.standing}{" "}
        {preview.standing.length === 0
          ? text.none
          : preview.standing
              .map(
                ({ regions, until }) =>
                  `${regionsText(regions)} ${TEXTS.home.sharing.until(dateText(until))}`,
              )
              .join("; ")}
      </p>
    </section>
  );
}
