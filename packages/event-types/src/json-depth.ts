/** Whether lists and objects lie in each other more than `most` deep. Not a recursion: what is asked about would end it. */
export function isDeeperThan(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= most; depth += 1) {
    const next: unknown[] = [];
    for (const one of level)
      if (typeof one === "object" && one !== null)
        for (const inner of Object.values(one)) next.push(inner);
    if (next.length === 0) return false;
    level = next;
  }
  return true;
}

/** How many values there are: the value itself and all in it. */
export function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const inner of Object.values(value)) count += valuesIn(inner);
  return count;
}
