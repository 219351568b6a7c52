/** SQL text literal. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** SQL identifier. */
export const named = (name: string): string => `"${name.replaceAll('"', '""')}"`;
