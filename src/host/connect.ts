import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import type { Address, Connection, ConnectOptions } from '../core/host.ts';

/** Connect to a unix socket or a TCP port; see `Host.connect`. */
export async function connect(address: Address, options: ConnectOptions): Promise<Connection> {
  options.signal.throwIfAborted();
  const socket = connectSocket(address);
  socket.on('data', options.onData);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  try {
    await once(socket, 'connect', { signal: options.signal });
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    options.signal.throwIfAborted();
    throw error;
  }
  // What breaks a connection is told by `closed`; who uses it knows what that means.
  socket.on('error', () => undefined);
  return { write: (text) => void socket.write(text), close: () => void socket.destroy(), closed };
}
