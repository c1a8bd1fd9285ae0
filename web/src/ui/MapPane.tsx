import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, untrack, type JSX } from 'solid-js';
import { followGestures } from '../map/gestures';
import { listed, rich, t } from '../i18n/words';
import type { WorldMap } from '../map/worldmap';
import type { PostType } from '../model/events';
import type { View } from '../model/session';
import type { Count } from '../model/stats';
import { isEmpty } from '../stream/query';
import type { Choices } from './choices';
import { count, country, minutes, percent, tn } from './format';
import { Mark } from './icons';
import { only, typeName } from './limits';
import { MapTable } from './MapTable';
import { MODES, type Mode, type Page } from './page';
import { reasonOf } from './statewords';

/** How often the spoken summary of the map may change, in milliseconds. */
const SUMMARY_EVERY_MS = 15_000;
const TYPES: PostType[] = ['post', 'reply', 'repost', 'edit', 'quake'];
const ALWAYS: PostType[] = ['post', 'reply', 'repost'];
/** Steps by which countries differ on the map. */
const LEVELS = 6;

interface Props {
  map: WorldMap;
  view: View;
  page: Page;
  choices: Choices;
}

/** The map with its legend and where its data comes from. */
export function MapPane(props: Props): JSX.Element {
  const [failed, setFailed] = createSignal(false);
  const [pointed, setPointed] = createSignal('');
  const loaded = props.map.load();
  loaded.catch(() => setFailed(true));
  void loaded.then(() => props.map.base.mark(props.choices.filter().country, untrack(pointed)), () => {});
  const ranks = () => props.view.stats.windows[5]?.countries ?? [];
  createEffect(() => props.map.base.mark(props.choices.filter().country, pointed()));
  createEffect(() => {
    const mode = props.choices.mode();
    if (mode !== 'table') props.map.show(mode);
  });
  createEffect(() => props.map.base.fill(props.choices.mode() === 'countries' ? levelsOf(ranks()) : new Map()));
  const isTable = () => props.choices.mode() === 'table';
  return (
    <section class="map" classList={{ still: props.view.status.phase !== 'open', tabled: isTable() }} aria-label={t('Map')}>
      <Canvas {...props} point={setPointed} />
      <Show when={isTable()}>
        <MapTable stats={props.view.stats} choices={props.choices} />
      </Show>
      <Note {...props} failed={failed()} />
      <Show when={pointed() && !isTable()}>
        <Readout code={pointed()} ranks={ranks()} />
      </Show>
      <Show when={!props.page.kiosk}>
        <Controls {...props} />
        <Legend {...props} />
      </Show>
      <Credits simulated={props.view.simulated} map />
    </section>
  );
}

/** Levels 0 to 5 by the logarithm: a country with ten times the posts is not ten times as bright. */
function levelsOf(ranks: Count[]): Map<string, number> {
  const top = Math.log1p(ranks[0]?.count ?? 1);
  return new Map(ranks.map(({ name, count: n }) => [name, Math.min(LEVELS - 1, Math.floor((LEVELS * Math.log1p(n)) / top))]));
}

function Canvas(props: Props & { point: (code: string) => void }): JSX.Element {
  let pane!: HTMLDivElement;
  const codeOf = (target: Element | undefined) => target?.getAttribute('data-code') ?? '';
  onMount(() => {
    const measure = () => props.map.resize({ width: pane.clientWidth, height: pane.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(pane);
    measure();
    onCleanup(() => observer.disconnect());
    if (props.page.kiosk) return;
    onCleanup(
      followGestures(pane, {
        zoom: (factor, at) => props.map.zoom(factor, at),
        move: (dx, dy) => props.map.move(dx, dy),
        whole: () => props.map.whole(),
        pick: (target) => codeOf(target) && props.choices.toggle('country', codeOf(target)),
        over: (target) => props.point(codeOf(target)),
      }),
    );
  });
  const summary = useSummary(() => props.view);
  return (
    <div
      class="canvas"
      role="group"
      tabindex={props.page.kiosk || props.choices.mode() === 'table' ? undefined : 0}
      aria-label={t('Map: arrow keys move it, plus and minus zoom')}
      hidden={props.choices.mode() === 'table'}
      ref={pane}
    >
      <div class="picture" role="img" aria-label={summary()}>
        {props.map.element}
      </div>
    </div>
  );
}

/** What the map shows, in a sentence that changes seldom enough to be read. */
function useSummary(view: () => View): () => string {
  const [summary, setSummary] = createSignal(summarise(untrack(view)));
  let toldAt = 0;
  createEffect(() => {
    const latest = summarise(view());
    const now = performance.now();
    if (toldAt && now - toldAt < SUMMARY_EVERY_MS) return;
    if (view().figures.positions > 0) toldAt = now;
    setSummary(latest);
  });
  return summary;
}

function summarise({ figures, stats }: View): string {
  const n = figures.positions;
  if (n === 0) return t('World map. No positions in the last minute.');
  const places = (stats.windows[1]?.countries ?? []).slice(0, 3).map(({ name }) => country(name));
  if (places.length === 0) return tn(n, 'World map. {n} position in the last minute.', 'World map. {n} positions in the last minute.');
  return tn(
    n,
    'World map. {n} position in the last minute, most from {places}.',
    'World map. {n} positions in the last minute, most from {places}.',
    { places: listed(places) },
  );
}

/** Says on the map itself why it is quiet. */
function Note(props: Props & { failed: boolean }): JSX.Element {
  const telling = ['quiet', 'down', 'empty', 'reconnecting', 'offline', 'signin', 'refused'];
  const words = () => {
    if (props.failed) return t('The coasts could not be loaded; positions are shown without them.');
    return telling.includes(props.view.state) ? reasonOf(props.view, !isEmpty(props.choices.filter())) : '';
  };
  return (
    <Show when={words()}>
      <p class="map-note">{words()}</p>
    </Show>
  );
}

/** What the country under the pointer is, and its share. */
function Readout(props: { code: string; ranks: Count[] }): JSX.Element {
  const all = () => props.ranks.reduce((sum, row) => sum + row.count, 0);
  const here = () => props.ranks.find(({ name }) => name === props.code)?.count ?? 0;
  return (
    <p class="readout" aria-hidden="true">
      <b>{country(props.code)}</b>
      <span>
        {t('{n} in {time}', { n: count(here()), time: minutes(5) })}
        {all() > 0 ? ` · ${percent(here() / all())}` : ''}
      </span>
      <span class="aside">{t('Click to see only this')}</span>
    </p>
  );
}

function modeName(mode: Mode): string {
  const names: Record<Mode, string> = { blips: t('Blips'), glow: t('Glow'), countries: t('Countries'), table: t('Table') };
  return names[mode];
}

function Controls(props: Props): JSX.Element {
  return (
    <div class="map-tools">
      <Show when={!props.page.embed}>
        <div class="choice modes" role="group" aria-label={t('Show the map as')}>
          <For each={MODES}>
            {(mode) => (
              <button type="button" aria-pressed={props.choices.mode() === mode} onClick={() => props.choices.setMode(mode)}>
                {modeName(mode)}
              </button>
            )}
          </For>
        </div>
      </Show>
      <Show when={props.choices.mode() !== 'table'}>
        <div class="zoom" role="group" aria-label={t('Zoom')}>
          <button type="button" aria-label={t('Zoom in')} onClick={() => props.map.zoomIn()}>
            +
          </button>
          <button type="button" aria-label={t('Zoom out')} onClick={() => props.map.zoomOut()}>
            −
          </button>
          <button type="button" aria-label={t('Whole world')} onClick={() => props.map.whole()}>
            ⤢
          </button>
        </div>
      </Show>
    </div>
  );
}

/** The sorts of posts; each limits the page to itself. Those that never came are left out. */
function Legend(props: Props): JSX.Element {
  const seen = new Set<PostType>(ALWAYS);
  const [types, setTypes] = createSignal<PostType[]>(ALWAYS);
  createEffect(
    on(
      () => props.view.figures,
      () => {
        for (const type of props.map.types) seen.add(type);
        if (seen.size !== types().length) setTypes(TYPES.filter((type) => seen.has(type)));
      },
    ),
  );
  const chosen = () => props.choices.filter().type;
  return (
    <ul class="legend" aria-label={t('Legend')}>
      <For each={types()}>
        {(type) => (
          <li>
            <Show when={!props.page.embed} fallback={<><Mark type={type} />{typeName(type)}</>}>
              <button type="button" aria-pressed={chosen().includes(type)} title={only(typeName(type))} onClick={() => props.choices.toggle('type', type)}>
                <Mark type={type} />
                {typeName(type)}
              </button>
            </Show>
          </li>
        )}
      </For>
      <Show when={props.choices.mode() === 'countries'}>
        <li class="scale">
          {rich('fewer {scale} more, last {time}', {
            scale: <For each={Array.from({ length: LEVELS }, (_, level) => level)}>{(level) => <i data-level={level} />}</For>,
            time: minutes(5),
          })}
        </li>
      </Show>
    </ul>
  );
}

/** Whose data is on display. */
export function Credits(props: { simulated: boolean; map?: boolean }): JSX.Element {
  // What is the same again must not make the links anew, under the focus.
  const simulated = createMemo(() => props.simulated);
  return (
    <p class="credits">
      <Show when={props.map}>
        {rich('Map: {source}, by {drawer}', {
          source: <Out href="https://www.naturalearthdata.com/">Natural Earth</Out>,
          drawer: <Out href="https://github.com/topojson/world-atlas">world-atlas</Out>,
        })}{' '}
        ·{' '}
      </Show>
      {rich(simulated() ? 'Simulated places: {source}, {licence}' : 'Cities: {source}, {licence}', {
        source: <Out href="https://www.geonames.org/">GeoNames</Out>,
        licence: <Out href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</Out>,
      })}
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
