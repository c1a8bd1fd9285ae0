import { Hub, Seat } from './hub';
import { obey, whenGone, type Ask, type Greeting } from './shared';

/** The shared worker: it holds the streams of all pages of this browser. */
const hub = new Hub();

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports }) => {
  const port = ports[0]!;
  const seat = new Seat(hub, (told, turn) => port.postMessage({ told, turn }));
  port.onmessage = ({ data }: MessageEvent<Ask | Greeting>) => {
    if ('alive' in data) whenGone(data.alive, () => seat.close());
    else obey(seat, data);
  };
};
