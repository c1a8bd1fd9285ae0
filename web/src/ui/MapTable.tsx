import { For, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import { WINDOWS, type Minutes, type Stats } from '../model/stats';
import type { Choices } from './choices';
import { count, country } from './format';

/** The window in which the gateway tells every country; in the others it tells so many, the most frequent. */
const WHOLE: Minutes = 5;
const TOLD = 20;

function headOf(minutes: Minutes): string {
  const heads: Record<Minutes, string> = { 1: t('Last minute'), 5: t('5 minutes'), 60: t('Hour') };
  return heads[minutes];
}

/** What the map shows, for who would rather read it. */
export function MapTable(props: { stats: Stats; choices: Choices }): JSX.Element {
  const counts = (minutes: Minutes) => new Map((props.stats.windows[minutes]?.countries ?? []).map(({ name, count: n }) => [name, n]));
  /** Few positions are not none: where a country may be left out for that, nothing is said. */
  const none = (minutes: Minutes, told: number) => (minutes === WHOLE || told < TOLD ? 0 : undefined);
  const rows = () => {
    const windows = WINDOWS.map((minutes) => ({ minutes, told: counts(minutes) }));
    const codes = [...new Set(windows.flatMap(({ told }) => [...told.keys()]))];
    const all = codes.map((code) => ({ code, counts: windows.map(({ minutes, told }) => told.get(code) ?? none(minutes, told.size)) }));
    const by = (i: number) => (a: (typeof all)[number], b: (typeof all)[number]) => (b.counts[i] ?? 0) - (a.counts[i] ?? 0);
    return all.sort((a, b) => by(1)(a, b) || by(2)(a, b) || (a.code < b.code ? -1 : 1));
  };
  return (
    <div class="map-table" tabindex="0" role="region" aria-label={t('Positions by country')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('Country')}</th>
            <For each={WINDOWS}>{(minutes) => <th scope="col">{headOf(minutes)}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={rows()} fallback={<tr><td colspan="4">{t('No places yet')}</td></tr>}>
            {(row) => (
              <tr>
                <th scope="row">
                  <button type="button" class="link" aria-pressed={props.choices.filter().country.includes(row.code)} onClick={() => props.choices.toggle('country', row.code)}>
                    {country(row.code)}
                  </button>
                </th>
                <For each={row.counts}>
                  {(n) => <td title={n === undefined ? t('Not among the {n} most frequent', { n: count(TOLD) }) : undefined}>{n === undefined ? '–' : count(n)}</td>}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}
