import { createResource, createSignal, For, Show, type JSX } from 'solid-js';
import { fetchPast, type Past } from '../stream/reader';
import type { Choices } from './choices';
import { clock, count } from './format';

/** How far back one can go, and how fine: 120 steps each. */
const SPANS = [
  { text: '10 min', window: '10m', step: '5s', spoken: 'The last ten minutes' },
  { text: '1 h', window: '1h', step: '30s', spoken: 'The last hour' },
  { text: '24 h', window: '24h', step: '12m', spoken: 'The last day' },
] as const;
const SPEEDS = [1, 4, 16];

/** The past as a row of bars: choose where to begin and how fast, and come back to the present. */
export function ReplayBar(props: { choices: Choices; now: number; close: () => void }): JSX.Element {
  const [span, setSpan] = createSignal<(typeof SPANS)[number]>(SPANS[0]);
  const [past, { refetch }] = createResource(span, ({ window, step }) => fetchPast(window, step));
  const [at, setAt] = createSignal<number>();
  /** Where it begins unless told otherwise: nobody wants to look at what was before there was anything. */
  const first = () => {
    const known = past();
    return known && known.from + Math.max(0, known.counts.findIndex((n) => n > 0)) * known.stepMs;
  };
  const replay = () => props.choices.replay();
  const speed = () => replay()?.speed ?? 1;
  const start = (ms: number, pace = speed()) => {
    setAt(ms);
    props.choices.setReplay({ since: new Date(ms).toISOString(), speed: pace });
  };
  const setPace = (pace: number) => start(replay() ? props.now : (at() ?? first() ?? props.now), pace);
  const live = () => {
    props.choices.setReplay(undefined);
    props.close();
  };
  const choose = (next: (typeof SPANS)[number]) => (next === span() ? void refetch() : setSpan(next));
  return (
    <section class="replay" aria-label="Replay" classList={{ running: replay() !== undefined }}>
      <div class="choice" role="group" aria-label="How far back">
        <For each={SPANS}>
          {(each) => (
            <button type="button" title={each.spoken} aria-pressed={span() === each} onClick={() => choose(each)}>
              {each.text}
            </button>
          )}
        </For>
      </div>
      <Show when={past()} fallback={<p class="histogram aside">{past.loading ? 'Looking back…' : 'The past is not to be had now.'}</p>}>
        {(known) => <Histogram past={known()} at={replay() ? props.now : (at() ?? first())} start={start} />}
      </Show>
      <div class="choice" role="group" aria-label="Speed">
        <For each={SPEEDS}>
          {(pace) => (
            <button type="button" aria-pressed={replay() !== undefined && speed() === pace} onClick={() => setPace(pace)}>
              {pace}×
            </button>
          )}
        </For>
      </div>
      <Show when={replay()} fallback={<Play start={() => start(at() ?? first() ?? props.now)} ready={past() !== undefined} />}>
        <output class="figure-time">{clock(props.now)}</output>
      </Show>
      <button type="button" class="tool back" onClick={live}>
        {replay() ? 'Back to live' : 'Close'}
      </button>
    </section>
  );
}

function Play(props: { start: () => void; ready: boolean }): JSX.Element {
  return (
    <button type="button" class="tool play" disabled={!props.ready} onClick={() => props.start()}>
      Play again
    </button>
  );
}

/** How much happened when; a slider over it says where to begin. */
function Histogram(props: { past: Past; at: number | undefined; start: (ms: number) => void }): JSX.Element {
  const most = () => Math.max(1, ...props.past.counts);
  const bars = () => props.past.counts.map((n, i) => `M${i + 0.5},24v${(-22 * n) / most() - (n > 0 ? 1 : 0)}`).join('');
  const place = () => {
    const step = ((props.at ?? props.past.from) - props.past.from) / props.past.stepMs;
    return Math.min(props.past.counts.length - 1, Math.max(0, Math.floor(step)));
  };
  const time = (step: number) => clock(props.past.from + step * props.past.stepMs);
  return (
    <div class="histogram">
      <svg viewBox={`0 0 ${props.past.counts.length} 24`} preserveAspectRatio="none" aria-hidden="true">
        <path d={bars()} />
      </svg>
      <input
        type="range"
        aria-label="Replay from"
        aria-valuetext={`${time(place())}, ${count(props.past.counts[place()] ?? 0)} events`}
        min="0"
        max={props.past.counts.length - 1}
        value={place()}
        onChange={(event) => props.start(props.past.from + Number(event.currentTarget.value) * props.past.stepMs)}
      />
      <span class="ends aside" aria-hidden="true">
        <span>{time(0)}</span>
        <span>now</span>
      </span>
    </div>
  );
}
