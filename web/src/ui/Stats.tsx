import { createMemo, createSignal, For, onCleanup, Show, type JSX } from 'solid-js';
import { rich, t } from '../i18n/words';
import { BUCKETS } from '../model/figures';
import type { View } from '../model/session';
import { RECORDED_MS } from '../model/state';
import { WINDOWS, type Count, type Minutes, type Rank } from '../model/stats';
import { isEmpty, type ListName } from '../stream/query';
import type { Choices } from './choices';
import { age, count, country, date, duration, hours, language, minutes as inMinutes, rate, tn } from './format';
import { only } from './limits';
import { media } from './motion';
import type { Page } from './page';
import { spark } from './sparkline';

const WIDTH = 300;
const HEIGHT = 44;
const TOP = 4;

/** Below this width the cards are one row to swipe, which the keyboard must reach to scroll. */
const narrow = media('(max-width: 819px)');

interface Props {
  view: View;
  page: Page;
  stale: boolean;
  choices: Choices;
}

/** The instruments under the map. */
export function Stats(props: Props): JSX.Element {
  const [isNarrow, setNarrow] = createSignal(narrow?.matches ?? false);
  const follow = (event: MediaQueryListEvent) => setNarrow(event.matches);
  narrow?.addEventListener('change', follow);
  onCleanup(() => narrow?.removeEventListener('change', follow));
  return (
    <section class="stats" classList={{ stale: props.stale }} aria-label={t('Figures')} tabindex={isNarrow() ? 0 : undefined}>
      <Throughput {...props} />
      <LatencyCard view={props.view} less={props.choices.less()} />
      <Tops {...props} />
    </section>
  );
}

function Throughput(props: Props): JSX.Element {
  const figures = () => props.view.figures;
  const lines = () => spark(figures().history, BUCKETS, WIDTH, HEIGHT);
  const parts = () => [
    ...(props.page.feed ? [t('{n} posts/s', { n: rate(figures().posts) })] : []),
    ...(props.page.map ? [t('{n} positions/s', { n: rate(figures().blips) })] : []),
  ];
  return (
    <div class="card-stat throughput">
      <h2>
        {t('Throughput')} <span class="aside">{props.view.lostAt > 0 ? lost(props.view) : t('last {time}', { time: inMinutes(5) })}</span>
      </h2>
      <p class="figure">
        {rich('{n} events/s', { n: <b>{rate(figures().rate)}</b> })}
        <span class="aside">{parts().join(' · ')}</span>
      </p>
      <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="area" d={lines().area} />
        <path class="line" d={lines().line} />
      </svg>
    </div>
  );
}

/** How old the figures are that stand since the connection was lost. */
function lost({ lostAt }: View): string {
  return t('as of {age} ago', { age: age(Math.max(2_000, Date.now() - lostAt), lostAt) });
}

function LatencyCard(props: { view: View; less: number }): JSX.Element {
  const latency = () => props.view.figures.latency;
  const line = () => props.view.stats.latency;
  /** Without posts to judge by the line's own figure stands for it; a replay has neither. */
  const shown = () => latency() ?? line();
  const isOfPosts = createMemo(() => Boolean(latency() || !line()));
  const recorded = () => (latency()?.p50 ?? 0) >= RECORDED_MS;
  const losses = () =>
    [
      props.view.stats.backlog ? t('backlog {n}', { n: count(props.view.stats.backlog) }) : '',
      props.view.figures.missed > 0 ? tn(props.view.figures.missed, '{n} event missed', '{n} events missed') : '',
      props.view.figures.dropped > 0 ? tn(props.view.figures.dropped, '{n} event not drawn', '{n} events not drawn') : '',
      props.less > 1 ? t('drawing less to keep up') : '',
    ].filter(Boolean);
  return (
    <div class="card-stat latency">
      <h2>
        {t('Latency')} <span class="aside">{t('last minute')}</span>
      </h2>
      <Show when={!recorded()} fallback={<Recording time={props.view.now - (latency()?.p50 ?? 0)} />}>
        <p class="figure" title={latency() ? t('From the time on the post to this page') : t('From the arrival of an item to the gateway')}>
          {rich(isOfPosts() ? '{time} p95, post to page' : '{time} p95, in the pipeline', {
            time: <b>{shown() ? duration(shown()!.p95) : '–'}</b>,
          })}
        </p>
        <p class="aside">{t('Median {time}', { time: shown() ? duration(shown()!.p50) : '–' })}</p>
      </Show>
      <Show when={latency() && line()}>{(own) => <p class="aside">{t('In the pipeline p95 {time}', { time: duration(own().p95) })}</p>}</Show>
      <p class="aside">{losses().join(' · ')}</p>
    </div>
  );
}

function Recording(props: { time: number }): JSX.Element {
  return (
    <>
      <p class="figure">
        <b>{t('Recorded')}</b>
      </p>
      <p class="aside">{t('Posts from {date}', { date: date(props.time) })}</p>
    </>
  );
}

const RANKS: { rank: Rank; text: () => string; none: () => string }[] = [
  { rank: 'countries', text: () => t('Countries'), none: () => t('No places yet') },
  { rank: 'langs', text: () => t('Languages'), none: () => t('No languages yet') },
  { rank: 'tags', text: () => t('Tags'), none: () => t('No hashtags yet') },
];

/** What is most frequent: each row limits the page to itself. */
function Tops(props: Props): JSX.Element {
  const [shown, setShown] = createSignal(RANKS[0]!);
  const [minutes, setMinutes] = createSignal<Minutes>(1);
  const window = () => (minutes() < 60 ? inMinutes(minutes()) : hours(1));
  const turn = () => setMinutes(WINDOWS[(WINDOWS.indexOf(minutes()) + 1) % WINDOWS.length]!);
  const limited = () => !isEmpty(props.choices.filter());
  // What is said of a filter takes the place of a row.
  const rows = () => (props.view.stats.windows[minutes()]?.[shown().rank] ?? []).slice(0, limited() ? TOP - 1 : TOP);
  return (
    <div class="card-stat tops">
      <h2 class="unseen">{t('Most frequent')}</h2>
      <div class="tops-head">
        <div class="choice" role="group" aria-label={t('Most frequent')}>
          <For each={RANKS}>
            {(each) => (
              <button type="button" aria-pressed={shown() === each} onClick={() => setShown(each)}>
                {each.text()}
              </button>
            )}
          </For>
        </div>
        <button type="button" class="link" aria-label={t('Of the last {time}; change', { time: window() })} onClick={turn}>
          {window()}
        </button>
      </div>
      <ol>
        <For each={rows()} fallback={<li class="aside">{shown().none()}</li>}>
          {(row) => <Top row={row} most={rows()[0]!.count} rank={shown().rank} choices={props.choices} />}
        </For>
      </ol>
      <Show when={limited()}>
        <p class="aside">{t('Of everything, whatever the filter')}</p>
      </Show>
    </div>
  );
}

const LIMITS: Partial<Record<Rank, ListName>> = { countries: 'country', langs: 'lang' };

function Top(props: { row: Count; most: number; rank: Rank; choices: Choices }): JSX.Element {
  const name = () => {
    if (props.rank === 'tags') return `#${props.row.name}`;
    return props.rank === 'langs' ? language(props.row.name) : country(props.row.name);
  };
  const limit = () => {
    const list = LIMITS[props.rank];
    if (list) props.choices.toggle(list, props.row.name);
    else props.choices.setFilter({ ...props.choices.filter(), q: name() });
  };
  return (
    <li>
      <button type="button" title={only(name())} onClick={limit}>
        <bdi class="name">{name()}</bdi>
        <span class="track" aria-hidden="true">
          <span class="fill" style={{ '--share': String(props.row.count / Math.max(1, props.most)) }} />
        </span>
        <span class="number">{count(props.row.count)}</span>
      </button>
    </li>
  );
}
