import { For, type JSX } from 'solid-js';
import { WINDOWS, type Minutes, type Stats } from '../model/stats';
import type { Choices } from './choices';
import { count, country } from './format';

const HEADS: Record<Minutes, string> = { 1: 'Last minute', 5: '5 minutes', 60: 'Hour' };

/** What the map shows, for who would rather read it. */
export function MapTable(props: { stats: Stats; choices: Choices }): JSX.Element {
  const counts = (minutes: Minutes) => new Map((props.stats.windows[minutes]?.countries ?? []).map(({ name, count: n }) => [name, n]));
  const rows = () => {
    const windows = WINDOWS.map(counts);
    const codes = [...new Set(windows.flatMap((window) => [...window.keys()]))];
    const all = codes.map((code) => ({ code, counts: windows.map((window) => window.get(code) ?? 0) }));
    return all.sort((a, b) => b.counts[2]! - a.counts[2]! || b.counts[1]! - a.counts[1]! || (a.code < b.code ? -1 : 1));
  };
  return (
    <div class="map-table" tabindex="0" role="region" aria-label="Positions by country">
      <table>
        <thead>
          <tr>
            <th scope="col">Country</th>
            <For each={WINDOWS}>{(minutes) => <th scope="col">{HEADS[minutes]}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={rows()} fallback={<tr><td colspan="4">No places yet</td></tr>}>
            {(row) => (
              <tr>
                <th scope="row">
                  <button type="button" class="link" aria-pressed={props.choices.filter().country.includes(row.code)} onClick={() => props.choices.toggle('country', row.code)}>
                    {country(row.code)}
                  </button>
                </th>
                <For each={row.counts}>{(n) => <td>{count(n)}</td>}</For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}
