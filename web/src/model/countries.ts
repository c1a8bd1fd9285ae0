/** One country's share of the last minute. */
export interface CountryCount {
  /** ISO 3166-1 alpha-2. */
  code: string;
  count: number;
}

const WINDOW_S = 60;

/** Counts events per country over the last minute. */
export class Countries {
  readonly #seconds = new Map<number, Map<string, number>>();

  /** Counts one event; events without a country are not told apart and not counted. */
  add(second: number, code: string): void {
    if (!code) return;
    let counts = this.#seconds.get(second);
    if (!counts) this.#seconds.set(second, (counts = new Map()));
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }

  /** The n countries with most events, most first; ties in order of code. */
  top(second: number, n: number): CountryCount[] {
    this.#forget(second - WINDOW_S);
    const totals = new Map<string, number>();
    for (const counts of this.#seconds.values()) {
      for (const [code, count] of counts) totals.set(code, (totals.get(code) ?? 0) + count);
    }
    return [...totals]
      .map(([code, count]) => ({ code, count }))
      .sort((a, b) => b.count - a.count || a.code.localeCompare(b.code))
      .slice(0, n);
  }

  #forget(until: number): void {
    for (const second of this.#seconds.keys()) if (second <= until) this.#seconds.delete(second);
  }
}
