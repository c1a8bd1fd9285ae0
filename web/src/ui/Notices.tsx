import { Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import type { Part } from '../model/parts';
import type { View } from '../model/session';
import type { Missed } from '../stream/transport';
import { tn } from './format';
import { Parts, SpokenTrouble } from './Parts';

/** Lines across the page that a person must not overlook, and how the parts are. */
export function Notices(props: { view: View; parts: Part[]; dismiss: () => void }): JSX.Element {
  return (
    <>
      <div class="line">
        <Show when={props.view.simulated}>
          <section class="simulated" aria-label={t('Simulated data')}>
            <p>
              <strong>{t('Simulated data')}</strong> <span>{t('These posts and people are made up.')}</span>
            </p>
          </section>
        </Show>
        <Parts parts={props.parts} now={props.view.now} lost={props.view.lostAt > 0} />
      </div>
      <SpokenTrouble parts={props.parts} />
      <Show when={props.view.notice}>
        {(missed) => (
          <section aria-label={t('Notices')}>
            <div class="strip missed" role="status">
              <span>{tell(missed())}</span>
              <button type="button" class="link" onClick={() => props.dismiss()}>
                {t('Dismiss')}
              </button>
            </div>
          </section>
        )}
      </Show>
    </>
  );
}

function whyOf(reason: string): string | undefined {
  const words: Record<string, string> = {
    trimmed: t('they are older than what is kept'),
    slow: t('this connection was too slow'),
    capped: t('they are more than one replay holds'),
    recreated: t('the stream was made anew'),
    backlog: t('they were dropped before they were read'),
  };
  return words[reason];
}

function tell({ reason, count: events }: Missed): string {
  if (reason === 'away') return t('This page was away for a while. It starts again from the present.');
  const why = whyOf(reason);
  if (events === 0) return why ? t('Some events were missed: {why}.', { why }) : t('Some events were missed.');
  if (!why) return tn(events, 'Up to {n} event was missed.', 'Up to {n} events were missed.');
  return tn(events, 'Up to {n} event was missed: {why}.', 'Up to {n} events were missed: {why}.', { why });
}
