import { createSignal, For, onCleanup, Show, type JSX } from 'solid-js';
import type { Figures } from '../model/figures';
import { RECORDED_MS } from '../model/state';
import { count, country, date, duration, rate } from './format';
import { media } from './motion';
import type { Page } from './page';
import { spark } from './sparkline';

const WIDTH = 300;
const HEIGHT = 44;

/** Below this width the cards are one row to swipe, which the keyboard must reach to scroll. */
const narrow = media('(max-width: 819px)');

/** The instruments under the map. */
export function Stats(props: { figures: Figures; page: Page; stale: boolean; now: number }): JSX.Element {
  const [isNarrow, setNarrow] = createSignal(narrow?.matches ?? false);
  const follow = (event: MediaQueryListEvent) => setNarrow(event.matches);
  narrow?.addEventListener('change', follow);
  onCleanup(() => narrow?.removeEventListener('change', follow));
  return (
    <section
      class="stats"
      classList={{ stale: props.stale }}
      aria-label="Figures"
      tabindex={isNarrow() ? 0 : undefined}
    >
      <Throughput figures={props.figures} page={props.page} />
      <LatencyCard figures={props.figures} now={props.now} />
      <Countries figures={props.figures} />
    </section>
  );
}

function Throughput(props: { figures: Figures; page: Page }): JSX.Element {
  const lines = () => spark(props.figures.history, WIDTH, HEIGHT);
  const parts = () => [
    ...(props.page.feed ? [`${rate(props.figures.posts)} posts/s`] : []),
    ...(props.page.map ? [`${rate(props.figures.blips)} positions/s`] : []),
  ];
  return (
    <div class="card-stat throughput">
      <h2>
        Throughput <span class="aside">last 5 min</span>
      </h2>
      <p class="figure">
        <b>{rate(props.figures.rate)}</b> events/s
        <span class="aside">{parts().join(' · ')}</span>
      </p>
      <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="area" d={lines().area} />
        <path class="line" d={lines().line} />
      </svg>
    </div>
  );
}

function LatencyCard(props: { figures: Figures; now: number }): JSX.Element {
  const latency = () => props.figures.latency;
  const recorded = () => (latency()?.p50 ?? 0) >= RECORDED_MS;
  return (
    <div class="card-stat latency">
      <h2>
        Latency <span class="aside">last minute</span>
      </h2>
      <Show when={!recorded()} fallback={<Recording time={props.now - (latency()?.p50 ?? 0)} />}>
        <p class="figure">
          <b>{latency() ? duration(latency()!.p50) : '–'}</b> median
        </p>
        <p class="aside">95 % within {latency() ? duration(latency()!.p95) : '–'}</p>
        <p class="aside">From the time on the post to this page</p>
      </Show>
      <Show when={props.figures.missed > 0}>
        <p class="aside">{count(props.figures.missed)} events missed</p>
      </Show>
    </div>
  );
}

function Recording(props: { time: number }): JSX.Element {
  return (
    <>
      <p class="figure">
        <b>Recorded</b>
      </p>
      <p class="aside">Posts from {date(props.time)}</p>
    </>
  );
}

function Countries(props: { figures: Figures }): JSX.Element {
  const most = () => Math.max(1, props.figures.countries[0]?.count ?? 1);
  return (
    <div class="card-stat countries">
      <h2>
        Top countries <span class="aside">last minute</span>
      </h2>
      <ol>
        <For each={props.figures.countries} fallback={<li class="aside">No places yet</li>}>
          {(row) => (
            <li>
              <span class="name">{country(row.code)}</span>
              <span class="track" aria-hidden="true">
                <span class="fill" style={{ '--share': String(row.count / most()) }} />
              </span>
              <span class="number">{count(row.count)}</span>
            </li>
          )}
        </For>
      </ol>
    </div>
  );
}
