import { t } from '../i18n/words';
import type { PostType } from '../model/events';
import type { ListName } from '../stream/query';
import { country, language } from './format';

/** What a limit is called: a country and a language by name. */
export function limitText(name: ListName, value: string): string {
  const texts: Record<ListName, () => string> = {
    country: () => country(value),
    lang: () => language(value),
    user: () => `@${value}`,
    type: () => t('type {value}', { value: typeName(value) }),
    source: () => t('source {value}', { value }),
    kind: () => t('kind {value}', { value }),
  };
  return texts[name]();
}

/** What a sort of post is called; as it came if it is a new one. */
export function typeName(type: string): string {
  const names: Record<PostType, string> = {
    post: t('post'),
    reply: t('reply'),
    repost: t('repost'),
    edit: t('edit'),
    quake: t('quake'),
  };
  return names[type as PostType] ?? type;
}

/** What a click does that limits the page. */
export function only(what: string): string {
  return t('Only {what}', { what });
}
