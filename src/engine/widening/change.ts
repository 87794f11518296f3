// One line of what an edit does to a policy.

export interface Change {
  readonly widens: boolean;
  readonly line: string;
}

export function wider(line: string): Change {
  return { widens: true, line };
}

export function other(line: string): Change {
  return { widens: false, line };
}

export function named(subject: string, list: readonly Change[]): Change[] {
  return list.map(({ widens, line }) => ({ widens, line: `${subject}: ${line}` }));
}

export function setChanges(key: string, before: readonly string[], after: readonly string[]): Change[] {
  const more = after.filter((one) => !before.includes(one));
  const less = before.filter((one) => !after.includes(one));
  return [
    ...(more.length > 0 ? [wider(`${key}: also ${listed(more)}`)] : []),
    ...(less.length > 0 ? [other(`${key}: no longer ${listed(less)}`)] : []),
  ];
}

export function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(", ");
}
