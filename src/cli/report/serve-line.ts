import type { IngotEvent } from '../../core/events.ts';
import { bytes, duration, oneLine } from '../text.ts';

/** What the artifact service did: `127.0.0.1 GET /images/ 200, 3.1 kB in 2 ms`. */
export function serveLine(event: IngotEvent & { type: 'serve.start' | 'access' }): string {
  if (event.type === 'serve.start') return `serving ${event.url} (the token for uploads is in ${event.tokenFile})`;
  const { remote, method, path, status, seconds, whole } = event;
  const time = seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds);
  const end = whole ? '' : ', broken off';
  return oneLine(`${remote} ${method} ${path} ${status}, ${bytes(event.bytes)} in ${time}${end}`);
}
