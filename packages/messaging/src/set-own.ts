/** Sets a record's entry whatever its name: by assignment, `__proto__` would replace the prototype instead. */
export function setOwn<T>(
  record: Record<string, T>,
  name: string,
  value: T,
): void {
  if (name === "__proto__")
    Object.defineProperty(record, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  else record[name] = value;
}
