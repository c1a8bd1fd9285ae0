import { createEffect, createSignal, onCleanup, onMount, Show, untrack, type JSX } from 'solid-js';
import type { WorldMap } from '../map/worldmap';
import type { PostType } from '../model/events';
import type { Figures } from '../model/figures';
import type { View } from '../model/session';
import { count, country } from './format';
import { Mark } from './icons';
import type { Page } from './page';

/** How often the spoken summary of the map may change, in milliseconds. */
const SUMMARY_EVERY_MS = 15_000;
const TYPES: PostType[] = ['post', 'reply', 'repost'];

/** The map with its legend and where its data comes from. */
export function MapPane(props: { map: WorldMap; view: View; page: Page }): JSX.Element {
  const [failed, setFailed] = createSignal(false);
  props.map.load().catch(() => setFailed(true));
  return (
    <section class="map" classList={{ still: props.view.status.phase !== 'open' }} aria-label="Map">
      <Canvas map={props.map} label={useSummary(() => props.view.figures)()} />
      <Show when={failed()}>
        <p class="map-note">The coasts could not be loaded; positions are shown without them.</p>
      </Show>
      <Show when={!props.page.kiosk}>
        <ul class="legend" aria-label="Legend">
          {TYPES.map((type) => (
            <li>
              <Mark type={type} />
              {type}
            </li>
          ))}
        </ul>
      </Show>
      <Credits simulated={props.view.simulated} map />
    </section>
  );
}

function Canvas(props: { map: WorldMap; label: string }): JSX.Element {
  let pane!: HTMLDivElement;
  onMount(() => {
    const measure = () => props.map.resize({ width: pane.clientWidth, height: pane.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(pane);
    measure();
    onCleanup(() => observer.disconnect());
  });
  return (
    <div class="canvas" role="img" aria-label={props.label} ref={pane}>
      {props.map.element}
    </div>
  );
}

/** What the map shows, in a sentence that changes seldom enough to be read. */
function useSummary(figures: () => Figures): () => string {
  const [summary, setSummary] = createSignal(summarise(untrack(figures)));
  let toldAt = 0;
  createEffect(() => {
    const latest = summarise(figures());
    const now = performance.now();
    if (toldAt && now - toldAt < SUMMARY_EVERY_MS) return;
    if (figures().positions > 0) toldAt = now;
    setSummary(latest);
  });
  return summary;
}

function summarise({ positions, countries }: Figures): string {
  if (positions === 0) return 'World map. No positions in the last minute.';
  const places = countries.slice(0, 3).map((row) => country(row.code));
  const most = places.length > 0 ? `, most from ${places.join(', ')}` : '';
  return `World map. ${count(positions)} positions in the last minute${most}.`;
}

/** Whose data is on display. */
export function Credits(props: { simulated: boolean; map?: boolean }): JSX.Element {
  return (
    <p class="credits">
      <Show when={props.map}>
        Map: <Out href="https://www.naturalearthdata.com/">Natural Earth</Out>, by{' '}
        <Out href="https://github.com/topojson/world-atlas">world-atlas</Out>
      </Show>
      {props.map ? ' · ' : ''}
      {props.simulated ? 'Simulated places' : 'Cities'}: <Out href="https://www.geonames.org/">GeoNames</Out>,{' '}
      <Out href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</Out>
    </p>
  );
}

function Out(props: { href: string; children: JSX.Element }): JSX.Element {
  return (
    <a href={props.href} target="_blank" rel="noopener noreferrer">
      {props.children}
    </a>
  );
}
