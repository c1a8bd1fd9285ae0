import { afterEach, describe, expect, it, vi } from 'vitest';
import { signIn, signOut, takeTickets, Tickets } from './signin';

afterEach(() => vi.unstubAllGlobals());

/** Has fetch answer, and returns what was asked. */
function gateway(answer: () => Promise<unknown>): [string, RequestInit][] {
  const asked: [string, RequestInit][] = [];
  vi.stubGlobal('fetch', (address: string, init: RequestInit) => (asked.push([address, init]), answer()));
  return asked;
}

const says = (status: number, body: unknown) => async () => ({ status, ok: status < 300, text: async () => JSON.stringify(body) });

describe('signing in', () => {
  it('sends the token in the body, and nowhere else', async () => {
    const asked = gateway(says(200, { expiresIn: 60 }));
    expect(await signIn('a.b.c')).toEqual({ seconds: 60 });
    expect(asked[0]![0]).toBe('/api/session');
    expect(asked[0]![1]).toMatchObject({ method: 'POST', body: '{"token":"a.b.c"}' });
  });

  it.each([
    [says(401, { title: 'Sign-in needed', detail: 'the token has expired' }), 'the token has expired'],
    [says(429, { title: 'Too many attempts' }), 'Too many attempts'],
    [says(502, '<html>'), 'the gateway answered 502'],
    [async () => Promise.reject(new TypeError('refused')), 'the gateway does not answer'],
  ])('says what is wrong (%#)', async (answer, problem) => {
    gateway(answer);
    expect(await signIn('x')).toEqual({ problem });
  });

  it('signs out, or says that it could not', async () => {
    const asked = gateway(says(204, ''));
    expect(await signOut()).toBe(true);
    expect(asked[0]![1].method).toBe('DELETE');
    gateway(async () => Promise.reject(new TypeError('refused')));
    expect(await signOut()).toBe(false);
  });
});

/** A window that messages are sent to. */
function around() {
  return { postMessage: vi.fn() } as unknown as Window & { postMessage: ReturnType<typeof vi.fn> };
}

describe('tickets', () => {
  it('are taken out of the address, whose other parts stay', () => {
    const replaceState = vi.fn();
    vi.stubGlobal('history', { replaceState });
    const page = {};
    vi.stubGlobal('window', Object.assign(page, { parent: page }));
    const place = (search: string) => ({ pathname: '/step-4', search }) as Location;
    expect(takeTickets(place('?embed=1'))).toBeUndefined();
    expect(replaceState).not.toHaveBeenCalled();
    expect(takeTickets(place('?embed=1&ticket=abc-_1&lang=ja'))?.take()).toBe('abc-_1');
    expect(replaceState).toHaveBeenLastCalledWith(null, '', '/step-4?embed=1&lang=ja');
    expect(takeTickets(place('?ticket=no%20ticket'))).toBeUndefined();
    expect(replaceState).toHaveBeenLastCalledWith(null, '', '/step-4');
  });

  it('are asked for at once by a page that comes back to an address without one', () => {
    const replaceState = vi.fn();
    vi.stubGlobal('history', { replaceState });
    const parent = around();
    const place = { pathname: '/', search: '?embed=1&ticket=abc' } as Location;
    expect(takeTickets(place, parent)?.take()).toBe('abc');
    expect(replaceState).toHaveBeenLastCalledWith(null, '', '/?embed=1&ticket=');
    expect(takeTickets({ ...place, search: '?embed=1&ticket=' }, parent)?.take()).toBeUndefined();
    expect(parent.postMessage).toHaveBeenCalledTimes(1);
  });

  it('are used once each, and asked for of the page around', () => {
    const page = new EventTarget();
    vi.stubGlobal('window', page);
    const parent = around();
    const tickets = new Tickets('one', parent);
    const came = vi.fn();
    const stop = tickets.follow(came);
    const say = (source: unknown, data: unknown) => page.dispatchEvent(Object.assign(new Event('message'), { source, data }));
    expect(tickets.take()).toBe('one');
    expect(parent.postMessage).not.toHaveBeenCalled();
    expect(tickets.take()).toBeUndefined();
    expect(parent.postMessage).toHaveBeenCalledWith({ blipstream: 'ticket-wanted' }, '*');
    say(around(), { ticket: 'of-a-stranger' });
    say(parent, { ticket: 'bad ticket' });
    say(parent, null);
    expect(came).not.toHaveBeenCalled();
    say(parent, { ticket: 'two' });
    expect(came).toHaveBeenCalledTimes(1);
    expect(tickets.take()).toBe('two');
    stop();
    say(parent, { ticket: 'three' });
    expect(tickets.take()).toBeUndefined();
  });
});
