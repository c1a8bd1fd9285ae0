import { Show, type JSX } from 'solid-js';
import type { Part } from '../model/parts';
import type { View } from '../model/session';
import type { Missed } from '../stream/transport';
import { count } from './format';
import { Parts, SpokenTrouble } from './Parts';

/** Lines across the page that a person must not overlook, and how the parts are. */
export function Notices(props: { view: View; parts: Part[]; dismiss: () => void }): JSX.Element {
  return (
    <>
      <div class="line">
        <Show when={props.view.simulated}>
          <section class="simulated" aria-label="Simulated data">
            <p>
              <strong>Simulated data</strong> <span>These posts and people are made up.</span>
            </p>
          </section>
        </Show>
        <Parts parts={props.parts} now={props.view.now} lost={props.view.lostAt > 0} />
      </div>
      <SpokenTrouble parts={props.parts} />
      <Show when={props.view.notice}>
        {(missed) => (
          <section aria-label="Notices">
            <div class="strip missed" role="status">
              <span>{tell(missed())}</span>
              <button type="button" class="link" onClick={() => props.dismiss()}>
                Dismiss
              </button>
            </div>
          </section>
        )}
      </Show>
    </>
  );
}

const WHY: Record<string, string> = {
  trimmed: 'they are older than what is kept',
  slow: 'this connection was too slow',
  capped: 'they are more than one replay holds',
  recreated: 'the stream was made anew',
  backlog: 'they were dropped before they were read',
};

function tell({ reason, count: events }: Missed): string {
  if (reason === 'away') return 'This page was away for a while. It starts again from the present.';
  const many = events > 0 ? `Up to ${count(events)} events were missed` : 'Some events were missed';
  const why = WHY[reason];
  return why ? `${many}: ${why}.` : `${many}.`;
}
