import { createUniqueId, For, Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import type { Post, PostType } from '../model/events';
import type { ListName } from '../stream/query';
import { age, country, moment } from './format';
import { Mark } from './icons';
import { linkify } from './linkify';
import { only } from './limits';

/** What is said before the author's name. */
function kindOf(type: PostType): string {
  const kinds: Record<PostType, string> = {
    post: t('Post by'),
    reply: t('Reply by'),
    repost: t('Repost by'),
    edit: t('Edit by'),
    quake: t('Earthquake by'),
  };
  return kinds[type];
}

interface Props {
  post: Post;
  position: number;
  now: number;
  /** Limits the page to what was clicked. */
  limit: (name: ListName, value: string) => void;
}

/** One post. Everything that comes from outside is inserted as text, set apart by its own direction. */
export function Card(props: Props): JSX.Element {
  const name = createUniqueId();
  const body = createUniqueId();
  return (
    <article
      class="card"
      tabindex="-1"
      aria-labelledby={name}
      aria-describedby={body}
      aria-posinset={props.position}
      aria-setsize={-1}
      data-key={props.post.key}
    >
      <Mark type={props.post.type} />
      <div class="who">
        <span class="unseen">{kindOf(props.post.type)} </span>
        {/* In no language that is known: what surrounds them is in the page's. */}
        <bdi class="name" id={name} lang="">
          {props.post.name}
        </bdi>
        <button type="button" class="pick handle" title={only(`@${props.post.username}`)} onClick={() => props.limit('user', props.post.username.toLowerCase())}>
          <bdi lang="">@{props.post.username}</bdi>
        </button>
        <Show when={props.post.country}>
          <button
            type="button"
            class="pick"
            title={only(country(props.post.country))}
            onClick={() => props.limit('country', props.post.country)}
          >
            <span class="chip">{props.post.country}</span>
          </button>
        </Show>
        <Age post={props.post} now={props.now} />
      </div>
      <p class="text" id={body} dir="auto" lang={props.post.lang}>
        <Text body={props.post.body} />
      </p>
    </article>
  );
}

/** How old a post is; where its source shows it, the way there. */
function Age(props: { post: Post; now: number }): JSX.Element {
  const stamp = () => (Number.isNaN(props.post.time) ? undefined : new Date(props.post.time));
  const text = (at: Date) => (
    <time datetime={at.toISOString()} title={moment(props.post.time)}>
      {age(props.now - props.post.time, props.post.time)}
    </time>
  );
  return (
    <Show when={stamp()}>
      {(at) => (
        <Show when={props.post.url} fallback={text(at())}>
          <a class="at" href={props.post.url} target="_blank" rel="noopener noreferrer nofollow ugc">
            {text(at())}
          </a>
        </Show>
      )}
    </Show>
  );
}

function Text(props: { body: string }): JSX.Element {
  return (
    <For each={linkify(props.body)}>
      {(piece) => (
        <Show when={piece.href} fallback={piece.text}>
          <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow ugc">
            {piece.text}
          </a>
        </Show>
      )}
    </For>
  );
}
