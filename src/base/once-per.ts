/** The value that belongs to an object: worked out when it is first asked for, and kept as long as the object lives. */
export function oncePer<K extends WeakKey, V extends object>(make: (of: K) => V): (of: K) => V {
  const made = new WeakMap<K, V>();
  return (of) => {
    let value = made.get(of);
    if (value === undefined) {
      value = make(of);
      made.set(of, value);
    }
    return value;
  };
}
