// Text that an agent, an upstream or a file wrote must not steer a person's terminal, nor read differently
// from what it is: controls, bidirectional marks and what has no width are shown by their code point.
// \p{Cf} holds the bidirectional marks, the zero-width characters, the soft hyphen and the tag characters;
// the Hangul fillers are letters by category and still print as nothing.
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;

export function visible(text: string): string {
  return text.replace(hidden, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}
