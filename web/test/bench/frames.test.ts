import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Bench } from '../e2e/harness';
import { flood } from '../flood';

const bench = new Bench();
const RATES = [100, 500, 1_000, 3_000];
const WARM_MS = 4_000;
const WINDOW_MS = 5_000;
/** A page that has drawn so little for so long has stopped. */
const GIVE_UP_MS = 15_000;

/** How others do it, and the old page did: one circle per event, animated by style. */
const NAIVE = `<!doctype html><style>
  svg { position: fixed; inset: 0; width: 100%; height: 100% }
  circle { fill: #ffb45428; stroke: #ffb454; animation: grow 2.4s ease-out forwards; transform-box: fill-box; transform-origin: center }
  @keyframes grow { from { transform: scale(.2); opacity: .75 } to { transform: scale(1); opacity: 0 } }
</style><svg viewBox="-180 -80 360 140"></svg><script>
  const map = document.querySelector('svg');
  new EventSource('/live').addEventListener('frame', ({ data }) => {
    for (const { lat, lon } of JSON.parse(data).cells) {
      const circle = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
      circle.setAttribute('cx', lon); circle.setAttribute('cy', -lat); circle.setAttribute('r', 4);
      circle.addEventListener('animationend', () => circle.remove());
      map.append(circle);
    }
  });
</script>`;

interface Pace {
  fps: number;
  /** 95th percentile of the time between pictures, in milliseconds. */
  p95: number;
  /** CPU time of all the browser's processes for a picture, in milliseconds: says the same on a busy machine. */
  cpu: number;
}

async function measure(page: Page): Promise<Pace> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const before = await spent(session);
  const { frames, ...pace } = await watch(page);
  const cpu = ((await spent(session)) - before) / frames;
  await session.detach();
  return { ...pace, cpu };
}

/** CPU time of all the browser's processes so far, in milliseconds. */
async function spent(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0);
}

function watch(page: Page): Promise<{ fps: number; p95: number; frames: number }> {
  return page.evaluate(
    (windowMs) =>
      new Promise<{ fps: number; p95: number; frames: number }>((done) => {
        const times: number[] = [];
        const begin = performance.now();
        const note = (now: number) => {
          times.push(now);
          if (now - begin < windowMs) return requestAnimationFrame(note);
          const gaps = times.slice(1).map((time, i) => time - times[i]!).sort((a, b) => a - b);
          const fps = (gaps.length * 1_000) / (times.at(-1)! - times[0]!);
          return done({ fps, p95: gaps[Math.floor(gaps.length * 0.95)]!, frames: times.length });
        };
        requestAnimationFrame(note);
      }),
    WINDOW_MS,
  );
}

async function paceOf(path: string, perSecond: number): Promise<Pace> {
  const page = await bench.blank();
  await page.route('**/naive', (route) => route.fulfill({ contentType: 'text/html', body: NAIVE }));
  await page.goto(bench.gateway.url + path);
  const stream = (await bench.gateway.stream()).hello();
  const stop = flood(() => stream, perSecond);
  await page.waitForTimeout(WARM_MS);
  const pace = await Promise.race([measure(page), nothing()]);
  stop();
  // A page that draws nothing any more does not close in order either; the browser takes it along.
  if (pace.fps > 0) await page.context().close();
  return pace;
}

/** What is to be said of a page that has come to a standstill. */
function nothing(): Promise<Pace> {
  return new Promise((done) => setTimeout(() => done({ fps: 0, p95: Number.POSITIVE_INFINITY, cpu: Number.POSITIVE_INFINITY }), GIVE_UP_MS));
}

describe('pictures a second, without a graphics card', () => {
  it.each(RATES)('at %i blips a second, beside one animated circle per event', { timeout: 90_000 }, async (rate) => {
    const ours = await paceOf('/step-4', rate);
    const naive = await paceOf('/naive', rate);
    const words = ({ fps, p95, cpu }: Pace) =>
      `${fps.toFixed(1).padStart(5)} fps, p95 ${p95.toFixed(0).padStart(4)} ms, CPU ${cpu.toFixed(1).padStart(5)} ms a picture`;
    console.log(`${String(rate).padStart(5)} blips/s   page ${words(ours)}   naive ${words(naive)}${naive.fps > 0 ? `   ${(ours.fps / naive.fps).toFixed(1)}x` : ' (stopped)'}`);
    expect(ours.fps).toBeGreaterThan(0);
  });
});
