import { z } from 'zod';

const stats = z.array(
  z.object({ 'node-name': z.string().optional(), stats: z.object({ rd_bytes: z.number(), wr_bytes: z.number() }) }),
);

/** Bytes that a machine has read from its drives and written to them, from QMP's `query-blockstats`. */
export function bytesMoved(blockstats: unknown): number {
  return stats.parse(blockstats).reduce((sum, { stats: one }) => sum + one.rd_bytes + one.wr_bytes, 0);
}

/** Bytes that a machine has written to one of its drives. */
export function bytesWritten(blockstats: unknown, drive: string): number {
  const mine = stats.parse(blockstats).filter((one) => one['node-name'] === drive);
  return mine.reduce((sum, { stats: one }) => sum + one.wr_bytes, 0);
}
