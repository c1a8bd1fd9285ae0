import { For, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { rich, t } from '../i18n/words';
import { THROTTLE, type FeedView, type Session, type View } from '../model/session';
import { isEmpty as isUnlimited } from '../stream/query';
import { Card } from './Card';
import type { Choices } from './choices';
import { FilterBar } from './Filter';
import { atMost999, rate, tn } from './format';
import type { Page } from './page';
import { followReader, walk } from './reading';
import { actionOf, reasonOf } from './statewords';

interface Props {
  session: Session;
  feed: FeedView;
  view: View;
  choices: Choices;
  page: Page;
  retry: () => void;
}

/** The feed: newest first, still while somebody reads it. */
export function Feed(props: Props): JSX.Element {
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
        <h2 id="feed-title">{t('Feed')}</h2>
        <Show when={!props.page.embed}>
          <FilterBar choices={props.choices} stats={props.view.stats} />
          <Throttle choices={props.choices} view={props.view} />
        </Show>
      </div>
      <Show when={props.feed.held > 0 && !props.view.paused}>
        <button type="button" class="new-posts" onClick={showHeld}>
          <span aria-hidden="true">↑</span> {tn(props.feed.held, '{n} new post', '{n} new posts', { n: atMost999(props.feed.held) })}
        </button>
      </Show>
      <Show when={isEmpty()}>
        <Nothing {...props} />
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
          {(post, index) => <Card post={post} position={index() + 1} now={props.view.now} limit={props.choices.toggle} />}
        </For>
      </div>
    </section>
  );
}

/** Whether a person gets to read what is shown, at which rate, and what there is beside it. */
function Throttle(props: { choices: Choices; view: View }): JSX.Element {
  const isOn = () => Number.isFinite(props.choices.throttle());
  let last = THROTTLE;
  const set = (value: number) => {
    if (value >= 1 && value <= 50) props.choices.setThrottle((last = Math.floor(value)));
  };
  return (
    <div class="throttle aside">
      <label>
        <input
          type="checkbox"
          checked={isOn()}
          onChange={(event) => props.choices.setThrottle(event.currentTarget.checked ? last : Number.POSITIVE_INFINITY)}
        />
        {t('Throttle to')}
      </label>
      <label>
        <input
          type="number"
          min="1"
          max="50"
          value={last}
          disabled={!isOn()}
          aria-label={t('Posts a second to show')}
          onChange={(event) => set(event.currentTarget.valueAsNumber)}
        />
        {t('/s')}
      </label>
      <span class="rates" title={t('Posts a second: those shown, and all there are')}>
        {rich('{shown} of {all} posts/s', { shown: <b>{rate(props.view.shown)}</b>, all: <b>{rate(props.view.figures.posts)}</b> })}
      </span>
    </div>
  );
}

/** What stands where no posts are: shapes of cards while connecting, else the reason and the way out. */
function Nothing(props: Props): JSX.Element {
  const limited = () => !isUnlimited(props.choices.filter());
  const action = () => actionOf(props.view, limited(), { retry: props.retry, clear: props.choices.clear });
  return (
    <Show when={props.view.state !== 'connecting'} fallback={<Skeleton />}>
      <div class="nothing">
        <p>{reasonOf(props.view, limited())}</p>
        <Show when={action()}>
          {(way) => (
            <button type="button" class="tool" onClick={() => way().run()}>
              {way().text}
            </button>
          )}
        </Show>
      </div>
    </Show>
  );
}

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
