import { createUniqueId, For, Show, type JSX } from 'solid-js';
import type { Post, PostType } from '../model/events';
import { age, country } from './format';
import { Mark } from './icons';
import { linkify } from './linkify';

const KINDS: Record<PostType, string> = { post: 'Post', reply: 'Reply', repost: 'Repost' };

/** One post. Everything that comes from outside is inserted as text, set apart by its own direction. */
export function Card(props: { post: Post; position: number; now: number }): JSX.Element {
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
        <span class="unseen">{KINDS[props.post.type]} by </span>
        <bdi class="name" id={name}>
          {props.post.name}
        </bdi>
        <bdi class="handle">@{props.post.username}</bdi>
        <Show when={props.post.country}>
          <abbr class="chip" title={country(props.post.country)}>
            {props.post.country}
          </abbr>
        </Show>
        <Age time={props.post.time} now={props.now} />
      </div>
      <p class="text" id={body} dir="auto" lang={props.post.lang || undefined}>
        <Text body={props.post.body} />
      </p>
    </article>
  );
}

function Age(props: { time: number; now: number }): JSX.Element {
  const stamp = () => (Number.isNaN(props.time) ? undefined : new Date(props.time));
  return (
    <Show when={stamp()}>
      {(at) => (
        <time datetime={at().toISOString()} title={at().toLocaleString()}>
          {age(props.now - props.time, props.time)}
        </time>
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
