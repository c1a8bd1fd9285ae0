import { createEffect, createMemo, createSignal, on, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { WorldMap } from '../map/worldmap';
import { HISTORY_S, BUCKET_S } from '../model/figures';
import { isTrouble } from '../model/parts';
import { Session } from '../model/session';
import { ownChannel, sharedChannel, ticketChannel } from '../stream/channels';
import { followPage, type Follower } from '../stream/lifecycle';
import { isEmpty } from '../stream/query';
import { fetchPast, Reader, type Channels } from '../stream/reader';
import { takeTickets, type Tickets } from '../stream/signin';
import { createChoices, type Choices } from './choices';
import { Feed } from './Feed';
import { FilterBar } from './Filter';
import { Help } from './Help';
import { followKeys } from './keys';
import { Credits, MapPane } from './MapPane';
import { isCalm } from './motion';
import { Notices } from './Notices';
import { kindsOf, MODES, type Page } from './page';
import { ReplayBar } from './ReplayBar';
import { SignIn } from './SignIn';
import { Stats } from './Stats';
import { TopBar } from './TopBar';

/** A page asks for a post more a second than it shows: what waits evens out what comes unevenly. */
const SPARE = 1;
/** Posts a second that an unthrottled page gets at most: the gateway's ten a frame. */
const MOST_POSTS = 100;

/** The whole page: one session, fed by one reader, drawn in panes. */
export function App(props: { page: Page }): JSX.Element {
  const page = props.page;
  const tickets = takeTickets(location);
  const choices = createChoices(location);
  const map = page.map ? new WorldMap({ calm: isCalm, pace: (verdict) => adapt(choices, verdict) }) : undefined;
  const session = new Session(map);
  const reader = new Reader(session, channelsOf(tickets));
  const [replayOpen, setReplayOpen] = createSignal(false);
  const [helpOpen, setHelpOpen] = createSignal(false);
  follow(page, session, reader, choices);
  if (!tickets) fillPast(page, session, choices);
  if (tickets) onCleanup(tickets.follow(() => reader.retryNow()));
  onMount(() => {
    const stopKeys = followKeys(keysOf({ page, session, choices, setReplayOpen, setHelpOpen }));
    [session.run(), () => reader.stop(), followPage(awoken(reader, session, choices)), stopKeys].forEach(onCleanup);
  });

  const { feed, view } = session;
  // A screen on a wall shows what is wrong, and no more.
  const shownParts = () => (page.kiosk || page.embed ? view().stats.parts.filter(isTrouble) : view().stats.parts);
  const isStale = () => view().status.phase !== 'open';
  return (
    <div class="page" classList={{ 'with-feed': page.feed, 'with-map': page.map, kiosk: page.kiosk, embed: page.embed }}>
      <TopBar
        page={page}
        view={view()}
        feed={feed()}
        choices={choices}
        map={map}
        retry={() => reader.retryNow()}
        pause={(paused) => session.pause(paused)}
        openReplay={() => setReplayOpen((open) => !open)}
        openHelp={() => setHelpOpen(true)}
      />
      <div class="notices">
        <Show when={replayOpen() || choices.replay()}>
          <ReplayBar choices={choices} now={view().now} close={() => setReplayOpen(false)} />
        </Show>
        <Show when={!page.feed && !page.kiosk && !page.embed}>
          <FilterBar choices={choices} stats={view().stats} />
        </Show>
        <Show when={!page.embed}>
          <SignIn view={view()} retry={() => reader.retryNow()} />
        </Show>
        <Notices view={view()} parts={shownParts()} dismiss={() => session.dismiss()} />
      </div>
      <main>
        <Show when={map}>{(shown) => <MapPane map={shown()} view={view()} page={page} choices={choices} />}</Show>
        <Show when={!page.kiosk && !page.embed}>
          <Stats view={view()} page={page} stale={isStale()} choices={choices} />
        </Show>
        <Show when={page.feed}>
          <Feed session={session} feed={feed()} view={view()} choices={choices} page={page} retry={() => reader.retryNow()} />
        </Show>
        <Show when={!page.map}>
          <Credits simulated={view().simulated} />
        </Show>
      </main>
      <Show when={!page.kiosk && !page.embed}>
        <Help open={helpOpen()} close={() => setHelpOpen(false)} />
      </Show>
    </div>
  );
}

/** How this page comes by its connections: with tickets, if it was opened with one. */
function channelsOf(tickets: Tickets | undefined): Channels {
  if (!tickets) return { shared: sharedChannel, own: ownChannel };
  return { shared: ticketChannel(tickets), own: ticketChannel(tickets), bare: true };
}

/** A reader that wakes to a replay goes on with it where it was. */
function awoken(reader: Reader, session: Session, choices: Choices): Follower {
  const wake = () => {
    const past = choices.replay();
    const { status, now } = session.view();
    if (past && status.phase === 'asleep') choices.setReplay({ ...past, since: new Date(now).toISOString() });
    else reader.wake();
  };
  return { retryNow: () => reader.retryNow(), sleep: () => reader.sleep(), wake };
}

/** Reads what is chosen, whenever that changes. */
function follow(page: Page, session: Session, reader: Reader, choices: Choices): void {
  const rate = createMemo(() => Math.min(choices.throttle() + SPARE, MOST_POSTS / choices.less()));
  createEffect(() => session.throttle(choices.throttle()));
  createEffect(
    on([choices.filter, choices.replay, rate], ([filter, replay, most]) => {
      session.reset(replay && Date.parse(replay.since));
      reader.ask({ filter, kinds: kindsOf(page), rate: most < MOST_POSTS ? Math.ceil(most) : 0, ...replay });
    }),
  );
}

/**
 * Draws the last minutes of the throughput of before each connection; once more
 * when the page has counted a whole step itself, as up to there the past was
 * not over yet. The gateway counts all kinds, so only a page of all kinds asks.
 */
function fillPast(page: Page, session: Session, choices: Choices): void {
  const isWhole = () => !choices.replay() && isEmpty(choices.filter()) && kindsOf(page).length === 0;
  const wanted = createMemo(() => (isWhole() && session.view().status.phase === 'open' ? session.view().openedAt : 0));
  createEffect(() => {
    if (!wanted()) return;
    let current = true;
    const fill = async () => {
      const past = await fetchPast(`${HISTORY_S}s`, `${BUCKET_S}s`);
      if (past && current) session.past(past.from, past.stepMs, past.counts.slice(0, -1));
    };
    void fill();
    const again = setTimeout(() => void fill(), 1_000 * (BUCKET_S + 1));
    onCleanup(() => {
      current = false;
      clearTimeout(again);
    });
  });
}

/** A device that cannot draw what it gets asks for less, and later for more again. */
function adapt(choices: Choices, verdict: 'less' | 'more'): void {
  choices.setLess(Math.min(64, Math.max(1, choices.less() * (verdict === 'less' ? 2 : 0.5))));
}

interface Handles {
  page: Page;
  session: Session;
  choices: Choices;
  setReplayOpen: (change: (open: boolean) => boolean) => void;
  setHelpOpen: (open: boolean) => void;
}

function keysOf({ page, session, choices, setReplayOpen, setHelpOpen }: Handles): Record<string, () => void> {
  const pause = { ' ': () => session.pause(!session.view().paused) };
  if (page.kiosk || page.embed) return pause;
  const modes = MODES.map((mode, i) => [String(i + 1), () => choices.setMode(mode)]);
  const next = () => choices.setMode(MODES[(MODES.indexOf(choices.mode()) + 1) % MODES.length]!);
  return {
    ...pause,
    ...(page.map ? { ...Object.fromEntries(modes), m: next } : {}),
    '/': () => document.querySelector<HTMLElement>('.filter input')?.focus(),
    j: () => focusFeed(),
    r: () => setReplayOpen((open) => !open),
    '?': () => setHelpOpen(true),
    Escape: () => choices.clear(),
  };
}

/** Begins reading: from there on, the feed's own keys work. */
function focusFeed(): void {
  document.querySelector<HTMLElement>('.feed article')?.focus();
}
