import { createSignal, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { WorldMap } from '../map/worldmap';
import { isTrouble, type Part } from '../model/parts';
import { Session } from '../model/session';
import { EventStream } from '../stream/eventstream';
import { followPage } from '../stream/lifecycle';
import { followParts } from '../stream/parts';
import type { Transport } from '../stream/transport';
import { Feed } from './Feed';
import { followKeys } from './keys';
import { Credits, MapPane } from './MapPane';
import { isCalm } from './motion';
import { Notices } from './Notices';
import { kindsOf, type Page } from './page';
import { Stats } from './Stats';
import { TopBar } from './TopBar';

/** The whole page: one session, fed by one transport, drawn in panes. */
export function App(props: { page: Page }): JSX.Element {
  const page = props.page;
  const map = page.map ? new WorldMap(isCalm) : undefined;
  const session = new Session({ map, posts: page.feed });
  const transport = new EventStream({ path: '/events', kinds: kindsOf(page) });
  const [parts, setParts] = createSignal<Part[]>([]);
  onMount(() => [...runAll(session, transport), followParts(setParts)].forEach(onCleanup));

  const { feed, view } = session;
  // A screen on a wall shows what is wrong, and no more.
  const shownParts = () => (page.kiosk ? parts().filter(isTrouble) : parts());
  const isStale = () => view().status.phase !== 'open';
  return (
    <div class="page" classList={{ 'with-feed': page.feed, 'with-map': page.map, kiosk: page.kiosk }}>
      <TopBar
        page={page}
        view={view()}
        feed={feed()}
        retry={() => transport.retryNow()}
        pause={(paused) => session.pause(paused)}
      />
      <Notices view={view()} parts={shownParts()} dismiss={() => session.dismiss()} />
      <main>
        <Show when={map}>{(shown) => <MapPane map={shown()} view={view()} page={page} />}</Show>
        <Show when={!page.kiosk}>
          <Stats figures={view().figures} page={page} stale={isStale()} now={view().now} />
        </Show>
        <Show when={page.feed}>
          <Feed session={session} feed={feed()} view={view()} />
        </Show>
        <Show when={!page.map && view().simulated}>
          <Credits simulated />
        </Show>
      </main>
    </div>
  );
}

/** Starts everything that runs; returns what stops it. */
function runAll(session: Session, transport: Transport): (() => void)[] {
  const stopTicks = session.run();
  transport.start(session);
  const unfollow = followPage(transport);
  const unkey = followKeys({ ' ': () => session.pause(!session.view().paused) });
  return [stopTicks, () => transport.stop(), unfollow, unkey];
}
