import { For, onCleanup, onMount, Show, type JSX } from 'solid-js';
import type { FeedView, Session, View } from '../model/session';
import { Card } from './Card';
import { atMost999 } from './format';
import { followReader, walk } from './reading';

/** The feed: newest first, still while somebody reads it. */
export function Feed(props: { session: Session; feed: FeedView; view: View }): JSX.Element {
  let list!: HTMLDivElement;
  let section!: HTMLElement;
  onMount(() => onCleanup(followReader(section, list, (held) => props.session.hold(held))));
  const isEmpty = () => props.feed.rows.length === 0;
  const showHeld = () => {
    list.scrollTo({ top: 0 });
    if (section.getBoundingClientRect().top < 0) section.scrollIntoView();
    props.session.release();
  };
  return (
    <section class="feed" aria-labelledby="feed-title" ref={section}>
      <div class="feed-head">
        <h2 id="feed-title">Feed</h2>
        <Show when={!isEmpty()}>
          <span class="aside">newest first</span>
        </Show>
      </div>
      <Show when={props.feed.held > 0 && !props.view.paused}>
        <button type="button" class="new-posts" onClick={showHeld}>
          <span aria-hidden="true">↑</span> {atMost999(props.feed.held)} new {props.feed.held === 1 ? 'post' : 'posts'}
        </button>
      </Show>
      <Show when={isEmpty()}>
        <Nothing view={props.view} />
      </Show>
      {/* An empty list is no feed: the role promises articles. */}
      <div
        class="list"
        role={isEmpty() ? undefined : 'feed'}
        aria-labelledby={isEmpty() ? undefined : 'feed-title'}
        tabindex={isEmpty() ? undefined : 0}
        ref={list}
        onKeyDown={(event) => walk(list, event)}
      >
        <For each={props.feed.rows}>
          {(post, index) => <Card post={post} position={index() + 1} now={props.view.now} />}
        </For>
      </div>
    </section>
  );
}

/** What stands where no posts are: shapes of cards while connecting, else the reason. */
function Nothing(props: { view: View }): JSX.Element {
  return (
    <Show when={props.view.state !== 'connecting'} fallback={<Skeleton />}>
      <p class="nothing">{REASONS[props.view.state]}</p>
    </Show>
  );
}

const REASONS: Record<View['state'], string> = {
  connecting: '',
  live: 'The next post will appear here.',
  lagging: 'The next post will appear here.',
  paused: 'Paused. Posts wait until you resume.',
  reconnecting: 'The connection is lost. It comes back by itself.',
  offline: 'This device is offline. The feed goes on when it is back.',
  empty: 'Connected. The first post will appear here.',
  quiet: 'The source has sent nothing for two minutes; the connection is up.',
};

function Skeleton(): JSX.Element {
  return (
    <div class="skeleton" aria-hidden="true">
      <For each={[0, 1, 2, 3, 4, 5]}>
        {() => (
          <div class="bones">
            <i />
            <i />
            <i />
          </div>
        )}
      </For>
    </div>
  );
}
