import { createSignal, Show, type JSX } from 'solid-js';
import { linkTo } from '../i18n/languages';
import { rich, t } from '../i18n/words';
import type { WorldMap } from '../map/worldmap';
import type { FeedView, View } from '../model/session';
import { RECORDED_MS } from '../model/state';
import { isEmpty } from '../stream/query';
import type { Choices } from './choices';
import { duration, rate, ratio } from './format';
import { PauseIcon, ReplayIcon, Sign, ThemeIcon } from './icons';
import { Menu } from './Menu';
import type { Page } from './page';
import { Pill } from './Pill';
import { chooseTheme, nextTheme, storedTheme, type Theme } from './theme';

interface Props {
  page: Page;
  view: View;
  feed: FeedView;
  choices: Choices;
  map: WorldMap | undefined;
  retry: () => void;
  pause: (paused: boolean) => void;
  openReplay: () => void;
  openHelp: () => void;
}

/** The bar at the top: what this is, how it is doing, and how to stop it. */
export function TopBar(props: Props): JSX.Element {
  return (
    <header class="bar">
      <h1 class="brand">
        <Sign />
        <Show when={props.page.embed} fallback={<span>Blipstream</span>}>
          <a href={linkTo(location.pathname)} target="_blank" rel="noopener">
            Blipstream
          </a>
        </Show>
      </h1>
      <Pill view={props.view} choices={props.choices} retry={props.retry} />
      <p class="pulse" classList={{ stale: props.view.lostAt > 0 }}>
        <span>
          <Rate view={props.view} choices={props.choices} />
        </span>
        <Show when={props.feed.oneIn > 1}>
          <span class="sampling" title={t('Of so many posts, the feed shows one. The map and the figures count them all.')}>
            {t('showing 1 in {n}', { n: ratio(props.feed.oneIn) })}
          </span>
        </Show>
        <Show when={lag(props.view)}>{(time) => <span>{t('lag {time}', { time: time() })}</span>}</Show>
      </p>
      <Show when={!props.page.kiosk}>
        <div class="tools">
          <Show when={!props.page.embed}>
            <Views page={props.page} />
            <button
              type="button"
              class="tool again"
              aria-keyshortcuts="r"
              title={t('See the last minutes again')}
              onClick={() => props.openReplay()}
            >
              <ReplayIcon />
              <span class="word">{t('Replay')}</span>
            </button>
          </Show>
          <PauseButton paused={props.view.paused} pause={props.pause} />
          <Show when={!props.page.embed}>
            <ThemeButton />
            <Menu page={props.page} view={props.view} feed={props.feed} map={props.map} openHelp={props.openHelp} />
          </Show>
        </div>
      </Show>
    </header>
  );
}

/** The lag for the bar; undefined where ages are no delay: nothing came, or it is a recording. */
function lag(view: View): string | undefined {
  const latency = view.figures.latency;
  return latency && latency.p50 < RECORDED_MS ? duration(latency.p50) : undefined;
}

/** Events a second; of a filter beside all there are. */
function Rate(props: { view: View; choices: Choices }): JSX.Element {
  const here = () => <b>{rate(props.view.figures.rate)}</b>;
  return (
    <Show when={isEmpty(props.choices.filter()) || props.view.replay} fallback={rich('{n} of {all} events/s', { n: here(), all: <>{rate(props.view.stats.rate)}</> })}>
      {rich('{n} events/s', { n: here() })}
    </Show>
  );
}

function PauseButton(props: { paused: boolean; pause: (paused: boolean) => void }): JSX.Element {
  return (
    <button
      type="button"
      class="tool pause"
      aria-keyshortcuts="Space"
      onClick={() => props.pause(!props.paused)}
    >
      <PauseIcon paused={props.paused} />
      <span class="word">{props.paused ? t('Resume') : t('Pause')}</span>
      <kbd aria-hidden="true">{t('Space')}</kbd>
    </button>
  );
}

function nameOf(theme: Theme): string {
  const names: Record<Theme, string> = { system: t('system'), light: t('light'), dark: t('dark') };
  return names[theme];
}

function ThemeButton(): JSX.Element {
  const [theme, setTheme] = createSignal(storedTheme());
  const turn = () => {
    setTheme(nextTheme(theme()));
    chooseTheme(theme());
  };
  const label = () => t('Theme: {theme}. Change to {next}', { theme: nameOf(theme()), next: nameOf(nextTheme(theme())) });
  return (
    <button type="button" class="tool" aria-label={label()} title={label()} onClick={turn}>
      <ThemeIcon theme={theme()} />
    </button>
  );
}

const VIEWS = [
  { href: '/', text: () => t('Both'), feed: true, map: true },
  { href: '/step-4', text: () => t('Map'), feed: false, map: true },
  { href: '/step-3', text: () => t('Feed'), feed: true, map: false },
];

function Views(props: { page: Page }): JSX.Element {
  const isHere = (view: (typeof VIEWS)[number]) =>
    view.feed === props.page.feed && view.map === props.page.map;
  return (
    <nav class="views" aria-label={t('Views')}>
      {VIEWS.map((view) => (
        <a href={linkTo(view.href)} aria-current={isHere(view) ? 'page' : undefined}>
          {view.text()}
        </a>
      ))}
    </nav>
  );
}
