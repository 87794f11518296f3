/** What one listener takes at once, and how long it waits. */
export const bounds = {
  patience: { idle: 75_000, head: 15_000, body: 60_000 },
  mostConnections: 4096,
  mostRequests: 2048,
} as const;
