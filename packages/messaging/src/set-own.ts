/** Sets an entry of an object, whatever its name. A plain assignment to `__proto__` would replace the object's prototype instead. */
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
