const [WIDTH, HEIGHT] = [120, 28];

/** A small line without axes; gaps are gaps. */
export function Course({ values }: { readonly values: readonly (number | null)[] }) {
  const present = values.filter((value) => value !== null);
  if (present.length < 2) {
    return <svg class="course" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />;
  }
  const least = Math.min(...present);
  const span = Math.max(10, Math.max(...present) - least);
  let pen = "M";
  const path = values
    .map((value, i) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const x = (i / (values.length - 1)) * WIDTH;
      const y = HEIGHT - 3 - ((value - least) / span) * (HEIGHT - 6);
      const step = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
  return (
    <svg class="course" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
