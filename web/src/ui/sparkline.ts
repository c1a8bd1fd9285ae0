/** Path data of a line and of the area under it. */
export interface Spark {
  line: string;
  area: string;
}

/**
 * Draws values as a line from left to right in a box, the largest at the top,
 * zero at the bottom. Half a pixel above and below is left for the stroke.
 */
export function spark(values: readonly number[], width: number, height: number): Spark {
  const top = Math.max(...values, Number.EPSILON);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, i) => {
    const y = height - 1 - (value / top) * (height - 2);
    return `${(i * step).toFixed(1)},${y.toFixed(1)}`;
  });
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L${width},${height}L0,${height}z` };
}
