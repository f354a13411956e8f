/** The lines that a guest says on its channel. */
export type Channel = {
  add(bytes: Uint8Array): void;
  /** Resolves when this line is said, from now on. */
  heard(line: string, signal: AbortSignal): Promise<void>;
};

export function createChannel(): Channel {
  let rest = '';
  const waiting = new Map<string, () => void>();
  return {
    add: (bytes) => {
      const lines = (rest + Buffer.from(bytes).toString('latin1')).split('\n');
      rest = (lines.pop() ?? '').slice(-100);
      for (const line of lines) waiting.get(line.trim())?.();
    },
    heard: (line, signal) =>
      new Promise((resolve, reject) => {
        const end = () => {
          waiting.delete(line);
          signal.removeEventListener('abort', stop);
        };
        const stop = () => {
          end();
          reject(signal.reason as Error);
        };
        if (signal.aborted) return stop();
        waiting.set(line, () => {
          end();
          resolve();
        });
        signal.addEventListener('abort', stop, { once: true });
      }),
  };
}
