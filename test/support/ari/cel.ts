/** Lines as Asterisk 22.10.1 writes them by config/asterisk/cel_custom.conf. */

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Asterisk gives microseconds. */
function celTime(at: number): string {
  return `${Math.floor(at / 1_000)}.${String(at % 1_000).padStart(3, '0')}749`;
}

export function celBegin(at: number, channel: string, sound: string, language = 'fr'): string {
  const extra = JSON.stringify({ sound, format: 'alaw', language });

  return ['STREAM_BEGIN', celTime(at), channel, extra].map(quoted).join(',');
}

export function celMusic(at: number, channel: string): string {
  return ['STREAM_BEGIN', celTime(at), channel, '{"class":"default"}'].map(quoted).join(',');
}

export function celEnd(at: number, channel: string): string {
  return ['STREAM_END', celTime(at), channel, ''].map(quoted).join(',');
}

export function celEnter(at: number, channel: string, bridge: string): string {
  return ['BRIDGE_ENTER', celTime(at), channel, JSON.stringify({ bridge_id: bridge })].map(quoted).join(',');
}

export function celLeave(at: number, channel: string, bridge: string): string {
  return ['BRIDGE_EXIT', celTime(at), channel, JSON.stringify({ bridge_id: bridge })].map(quoted).join(',');
}

export const celText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
