/** A fitted model: the chance of an event from numbers. */
export interface LogisticModel {
  readonly means: readonly number[];
  readonly scales: readonly number[];
  /** The intercept first. */
  readonly weights: readonly number[];
}

/**
 * Ridge logistic regression by Newton's method (iteratively reweighted least squares; Hastie et al., Elements of
 * Statistical Learning, section 4.4.1). Features are standardised; the intercept is not penalised.
 *
 * @param penalty in units of observations: 0 is none
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  events: readonly boolean[],
  penalty = 10,
): LogisticModel {
  const width = rows[0]?.length ?? 0;
  const means = columnwise(
    rows,
    width,
    (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  );
  const scales = columnwise(rows, width, (values, column) => {
    const mean = means[column] as number;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return Math.sqrt(variance) || 1;
  });
  const model = { means, scales };
  const inputs = rows.map((row) => [1, ...standardised(model, row)]);
  let weights = Array<number>(width + 1).fill(0);
  for (let round = 0; round < 25; round++) {
    const gradient = weights.map((weight, j) => (j === 0 ? 0 : -penalty * weight));
    const hessian = weights.map((_, j) => weights.map((__, k) => (j === k && j > 0 ? penalty : 0)));
    for (const [i, input] of inputs.entries()) {
      const chance = sigmoid(dot(input, weights));
      const error = (events[i] === true ? 1 : 0) - chance;
      const weight = Math.max(1e-9, chance * (1 - chance));
      for (let j = 0; j <= width; j++) {
        const value = input[j] as number;
        (gradient[j] as number) += error * value;
        const line = hessian[j] as number[];
        for (let k = 0; k <= j; k++) {
          (line[k] as number) += weight * value * (input[k] as number);
        }
      }
    }
    const step = solve(hessian, gradient);
    weights = weights.map((weight, j) => weight + (step[j] as number));
    if (Math.max(...step.map(Math.abs)) < 1e-8) {
      break;
    }
  }
  return { ...model, weights };
}

/** Chance of an event, 0 to 1. */
export function predict(model: LogisticModel, row: readonly number[]): number {
  return sigmoid(dot([1, ...standardised(model, row)], model.weights));
}

function columnwise(
  rows: readonly (readonly number[])[],
  width: number,
  of: (values: readonly number[], column: number) => number,
): number[] {
  return Array.from({ length: width }, (_, column) =>
    of(
      rows.map((row) => row[column] as number),
      column,
    ),
  );
}

function standardised({ means, scales }: Omit<LogisticModel, "weights">, row: readonly number[]): number[] {
  return row.map((value, j) => (value - (means[j] as number)) / (scales[j] as number));
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Cholesky decomposition of a symmetric positive definite matrix of which the lower half is given. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const n = right.length;
  const lower = matrix.map((row) => [...row]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i]?.[j] as number;
      for (let k = 0; k < j; k++) {
        sum -= (lower[i]?.[k] as number) * (lower[j]?.[k] as number);
      }
      (lower[i] as number[])[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (lower[j]?.[j] as number);
    }
  }
  const half: number[] = [];
  for (let i = 0; i < n; i++) {
    const sum = half.reduce((rest, value, k) => rest - (lower[i]?.[k] as number) * value, right[i] as number);
    half.push(sum / (lower[i]?.[i] as number));
  }
  const solution = Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = half[i] as number;
    for (let k = i + 1; k < n; k++) {
      sum -= (lower[k]?.[i] as number) * (solution[k] as number);
    }
    solution[i] = sum / (lower[i]?.[i] as number);
  }
  return solution;
}
