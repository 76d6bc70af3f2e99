const [WIDTH, HEIGHT, BOTTOM, MARK] = [600, 84, 62, 7];

/**
 * Counts of equal spans of time, the oldest first: those named in `above` as bars upon each other, those in `below` as
 * marks where there was any. Each name is a class; a row has its counts in the order of the names.
 */
export function Bars(props: {
  readonly label: string;
  readonly rows: readonly (readonly number[])[];
  readonly above: readonly string[];
  readonly below: readonly string[];
}) {
  const { label, rows, above, below } = props;
  const most = Math.max(4, ...rows.map((row) => row.slice(0, above.length).reduce((sum, one) => sum + one)));
  const step = WIDTH / Math.max(1, rows.length);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <line class="base" x1="0" x2={WIDTH} y1={BOTTOM} y2={BOTTOM} />
      {rows.flatMap((row, i) => {
        let top = BOTTOM;
        return row.map((count, at) => {
          const isBar = at < above.length;
          const height = isBar ? (count / most) * (BOTTOM - 4) : MARK;
          top -= isBar ? height : 0;
          return count === 0 ? null : (
            <rect
              key={`${i} ${at}`}
              class={[...above, ...below][at]}
              x={i * step + 1}
              y={isBar ? top : BOTTOM + 3 + (at - above.length) * (MARK + 3)}
              width={step - 2}
              height={height}
            />
          );
        });
      })}
    </svg>
  );
}
