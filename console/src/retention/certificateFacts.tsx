import type { Certificate } from '../api/types.ts';
import { counted, fill } from '../text/fill.ts';
import { articleText, personText } from '../text/law.ts';
import { useSpeech, type Speech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { saveFile } from '../ui/taking.ts';

/** What a certificate of erasure says, in words. */

export function ruleText({ content: { rule } }: Certificate, { say, format }: Speech): string {
  const { rules } = say.retention;
  switch (rule.kind) {
    case 'due':
      return fill(rules.due, { day: format.day(rule.keepUntil) });
    case 'subject':
      return fill(rules.subject, { article: articleText(rule.article, say) });
    case 'decided':
      return fill(rules.decided, { article: articleText(rule.article, say) });
  }
}

function removedText({ content: { objects, copies } }: Certificate, { language, say }: Speech): string {
  const all = [...objects, ...(copies ?? []).flatMap((copy) => copy.objects)];

  return counted(language, say.retention.versions, all.length);
}

function factsOf(certificate: Certificate, speech: Speech): (readonly [string, string])[] {
  const { content, trusted, by } = certificate;
  const { say, format } = speech;
  const words = say.retention;
  const reference = content.rule.kind === 'decided' ? content.rule.reference : null;

  return [
    [words.rule, ruleText(certificate, speech)],
    ...(reference === null ? [] : [[words.reference, reference] as const]),
    [words.by, personText(by)],
    [words.at, `${format.day(content.verifiedAt)} ${format.clock(content.verifiedAt)}`],
    [words.removed, removedText(certificate, speech)],
    [words.signature, trusted ? words.trusted : words.untrusted],
    [say.call.recordingId, content.recording],
    ...(content.sha256 === null ? [] : [[words.fileWas, content.sha256] as const]),
  ];
}

export function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const speech = useSpeech();
  const { number } = certificate.content;

  return (
    <>
      <dl class="facts facts-small">
        {factsOf(certificate, speech).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{/^[0-9a-f]{64}$|^[0-9A-Z]{26}$/.test(value) ? <code>{value}</code> : value}</dd>
          </div>
        ))}
      </dl>
      <p>
        <button
          type="button"
          class="button"
          onClick={() => {
            saveFile([certificate.jws], { name: `certificate-${number}.jws`, type: 'application/jose' });
          }}
        >
          <Icon name="down" />
          {speech.say.retention.save}
        </button>
      </p>
    </>
  );
}
