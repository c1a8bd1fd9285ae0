/** Path data of a line and of the area under it. */
export interface Spark {
  line: string;
  area: string;
}

/**
 * Draws the last values of a row of so many as a line in a box, the newest at
 * the right, the largest at the top, zero at the bottom: where nothing is known
 * is no line. Half a pixel above and below is left for the stroke.
 */
export function spark(values: readonly number[], of: number, width: number, height: number): Spark {
  if (values.length < 2) return { line: '', area: '' };
  const top = Math.max(...values, Number.EPSILON);
  const step = width / (of - 1);
  const left = width - (values.length - 1) * step;
  const points = values.map((value, i) => {
    const y = height - 1 - (value / top) * (height - 2);
    return `${(left + i * step).toFixed(1)},${y.toFixed(1)}`;
  });
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L${width},${height}L${left.toFixed(1)},${height}z` };
}
