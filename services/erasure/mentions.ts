/** Whether a JSON text, or a plain one, names this user: as a whole value anywhere in it, never as a part of a word. */
export function mentions(text: string, user: string): boolean {
  if (text === user) return true;
  if (!text.includes(JSON.stringify(user).slice(1, -1)) && !text.includes(user)) return false;
  try {
    return holds(JSON.parse(text), user);
  } catch {
    return false;
  }
}

function holds(value: unknown, user: string): boolean {
  if (typeof value === "string") return value === user;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key === user || holds(inner, user));
}
