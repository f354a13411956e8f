/** The lines that a guest says on its channel. */
export type Channel = {
  add(bytes: Uint8Array): void;
  /** Resolves when this line is said, from now on. */
  heard(line: string, signal: AbortSignal): Promise<void>;
};

/** No word of ours is longer: what else a guest says without an end is not kept. */
const longestLine = 100;

export function createChannel(): Channel {
  let rest = '';
  const waiting = new Set<(line: string) => void>();
  return {
    add: (bytes) => {
      const lines = (rest + Buffer.from(bytes).toString('latin1')).split('\n');
      rest = (lines.pop() ?? '').slice(-longestLine);
      for (const line of lines) for (const tell of waiting) tell(line.trim());
    },
    heard: (wanted, signal) =>
      new Promise((resolve, reject) => {
        const end = () => {
          waiting.delete(tell);
          signal.removeEventListener('abort', stop);
        };
        const stop = () => {
          end();
          reject(signal.reason as Error);
        };
        const tell = (line: string) => {
          if (line !== wanted) return;
          end();
          resolve();
        };
        if (signal.aborted) return stop();
        waiting.add(tell);
        signal.addEventListener('abort', stop, { once: true });
      }),
  };
}
