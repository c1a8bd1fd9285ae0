import { createEffect, createSignal, For, Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import { fetchPast, type Past } from '../stream/reader';
import type { Choices } from './choices';
import { clock, count, hours, minutes, tn } from './format';

/** How far back one can go, and how fine: 120 steps each. */
const SPANS = [
  { window: '10m', step: '5s', text: () => minutes(10), spoken: () => t('The last ten minutes') },
  { window: '1h', step: '30s', text: () => hours(1), spoken: () => t('The last hour') },
  { window: '24h', step: '12m', text: () => hours(24), spoken: () => t('The last day') },
] as const;
type Span = (typeof SPANS)[number];
const SPEEDS = [1, 4, 16];

/** The past as a row of bars: choose where to begin and how fast, and come back to the present. */
export function ReplayBar(props: { choices: Choices; now: number; close: () => void }): JSX.Element {
  const [span, setSpan] = createSignal<Span>(SPANS[0]);
  const [past, setPast] = createSignal<Past>();
  const [looking, setLooking] = createSignal(true);
  const look = async (asked: Span) => {
    setLooking(true);
    const found = await fetchPast(asked.window, asked.step);
    if (asked !== span()) return;
    setPast(found);
    setLooking(false);
  };
  createEffect(() => void look(span()));
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
  const choose = (next: Span) => (next === span() ? void look(next) : setSpan(next));
  return (
    <section class="replay" aria-label={t('Replay')} classList={{ running: replay() !== undefined }}>
      <div class="choice" role="group" aria-label={t('How far back')}>
        <For each={SPANS}>
          {(each) => (
            <button type="button" title={each.spoken()} aria-pressed={span() === each} onClick={() => choose(each)}>
              {each.text()}
            </button>
          )}
        </For>
      </div>
      <Show when={past()} fallback={<p class="histogram aside">{looking() ? t('Looking back…') : t('The past is not to be had now.')}</p>}>
        {(known) => <Histogram past={known()} at={replay() ? props.now : (at() ?? first())} start={start} />}
      </Show>
      <div class="choice" role="group" aria-label={t('Speed')}>
        <For each={SPEEDS}>
          {(pace) => (
            <button type="button" aria-pressed={replay() !== undefined && speed() === pace} onClick={() => setPace(pace)}>
              {t('{n}×', { n: count(pace) })}
            </button>
          )}
        </For>
      </div>
      <Show when={replay()} fallback={<Play start={() => start(at() ?? first() ?? props.now)} ready={past() !== undefined} />}>
        <output class="figure-time">{clock(props.now)}</output>
      </Show>
      <button type="button" class="tool back" onClick={live}>
        {replay() ? t('Back to live') : t('Close')}
      </button>
    </section>
  );
}

function Play(props: { start: () => void; ready: boolean }): JSX.Element {
  return (
    <button type="button" class="tool play" disabled={!props.ready} onClick={() => props.start()}>
      {t('Play again')}
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
    // Time runs to the right in every language, as it does in the line of the throughput: charts are read
    // that way in Arabic, too, and a row of hours that ran two ways on one page would be read wrong.
    <div class="histogram" dir="ltr">
      <svg viewBox={`0 0 ${props.past.counts.length} 24`} preserveAspectRatio="none" aria-hidden="true">
        <path d={bars()} />
      </svg>
      <input
        type="range"
        aria-label={t('Replay from')}
        aria-valuetext={tn(props.past.counts[place()] ?? 0, '{time}, {n} event', '{time}, {n} events', { time: time(place()) })}
        min="0"
        max={props.past.counts.length - 1}
        value={place()}
        onChange={(event) => props.start(props.past.from + Number(event.currentTarget.value) * props.past.stepMs)}
      />
      <span class="ends aside" aria-hidden="true">
        <bdi>{time(0)}</bdi>
        <bdi>{t('now')}</bdi>
      </span>
    </div>
  );
}
