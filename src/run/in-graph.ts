/** How tasks are run that need each other; every task that one needs is among them. */
export type GraphWork<T, R> = {
  /** How many at once, at least 1. */
  readonly jobs: number;
  needs(task: T): readonly T[];
  /** Called once for each task, when all that it needs are done; `done` has their results. */
  run(task: T, done: ReadonlyMap<T, R>): Promise<R>;
};

/** Run tasks side by side, each as soon as those it needs are done, earlier ones first; results in their order. */
export async function inGraph<T, R>(tasks: readonly T[], work: GraphWork<T, R>): Promise<readonly R[]> {
  const waiting = new Set(tasks);
  const running = new Map<T, Promise<void>>();
  const done = new Map<T, R>();
  const start = (task: T): void => {
    waiting.delete(task);
    const end = work.run(task, done).then((result) => {
      done.set(task, result);
      running.delete(task);
    });
    running.set(task, end);
  };
  try {
    while (waiting.size + running.size > 0) {
      for (const task of waiting) {
        if (running.size >= work.jobs) break;
        if (work.needs(task).every((other) => done.has(other))) start(task);
      }
      if (running.size === 0) throw new Error('tasks need each other in a circle');
      await Promise.race(running.values());
    }
  } finally {
    await Promise.allSettled(running.values());
  }
  return tasks.map((task) => done.get(task) as R);
}
