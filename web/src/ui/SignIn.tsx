import { createEffect, createMemo, createSignal, on, onCleanup, Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import type { View } from '../model/session';
import { signIn, signOut } from '../stream/signin';
import { keep, stored } from './motion';

/** When the session that was begun on this page ends, in milliseconds since 1970. */
const KEY = 'blipstream.session';
/** A refusal so soon after signing in is the browser's doing. */
const KEPT_MS = 5_000;

/** Asks for a token where the gateway does, and goes on when it has been given. */
export function SignIn(props: { view: View; retry: () => void }): JSX.Element {
  let dialog!: HTMLDialogElement;
  let field!: HTMLInputElement;
  const [open, setOpen] = createSignal(false);
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal('');
  let signedAt = 0;
  const code = createMemo(() => (props.view.status.phase === 'refused' ? props.view.status.code : 0));
  createEffect(
    on(code, (now) => {
      setOpen(now === 401);
      setProblem(now === 401 && Date.now() - signedAt < KEPT_MS ? t('this browser does not keep the cookie') : '');
    }),
  );
  createEffect(() => {
    if (open() && !dialog.open) dialog.showModal();
    if (!open() && dialog.open) dialog.close();
  });
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const outcome = await signIn(field.value.trim());
    setBusy(false);
    setProblem('problem' in outcome ? outcome.problem : '');
    if ('problem' in outcome) return field.select();
    field.value = '';
    signedAt = Date.now();
    keep(KEY, String(signedAt + outcome.seconds * 1_000));
    props.retry();
  };
  onCleanup(followOthers(() => props.retry()));
  return (
    <>
      <Show when={code() === 401 || code() === 403}>
        <section aria-label={t('Sign-in')}>
          <p class="strip missed">
            <span>{code() === 401 ? t('Sign in to read this.') : t('Your sign-in does not allow this.')}</span>
            <button type="button" class="link" onClick={() => setOpen(true)}>
              {t('Sign in')}
            </button>
          </p>
        </section>
      </Show>
      <dialog class="help signin" aria-labelledby="signin-title" ref={dialog} onClose={() => setOpen(false)}>
        <form onSubmit={(event) => void send(event)}>
          <h2 id="signin-title">{t('Sign in')}</h2>
          <label for="signin-token">{t('Token from whoever runs this Blipstream')}</label>
          <input
            id="signin-token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            aria-invalid={problem() !== ''}
            aria-describedby="signin-problem"
            ref={field}
          />
          <p id="signin-problem" role="alert">
            {problem() && t('Not signed in: {why}.', { why: problem() })}
          </p>
          <p class="ways">
            <button type="submit" class="tool" disabled={busy()}>
              {t('Sign in')}
            </button>
            <button type="button" class="tool" onClick={() => setOpen(false)}>
              {t('Cancel')}
            </button>
          </p>
        </form>
      </dialog>
    </>
  );
}

/** What another page of this browser does, holds here as well. */
function followOthers(signedIn: () => void): () => void {
  const stop = new AbortController();
  const changed = ({ key, newValue }: StorageEvent) => {
    if (key !== KEY) return;
    if (newValue) signedIn();
    else location.reload();
  };
  window.addEventListener('storage', changed, { signal: stop.signal });
  return () => stop.abort();
}

/** Signs out who signed in on this page; a session that something else began is not ours to end. */
export function SignOut(): JSX.Element {
  const out = async () => {
    if (!(await signOut())) return;
    keep(KEY, undefined);
    location.reload();
  };
  return (
    <Show when={Number(stored(KEY)) > Date.now()}>
      <button type="button" onClick={() => void out()}>
        {t('Sign out')}
      </button>
    </Show>
  );
}
