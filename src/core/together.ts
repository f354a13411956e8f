/** What several gave that ran side by side; a failure is told when all have ended, so that nobody uses what is cleaned up then. */
export async function together<const All extends readonly Promise<unknown>[]>(all: All) {
  await Promise.allSettled(all);
  return Promise.all(all);
}
