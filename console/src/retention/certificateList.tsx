import { useState } from 'preact/hooks';
import type { Certificate } from '../api/types.ts';
import { fill } from '../text/fill.ts';
import { personText } from '../text/law.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { CertificateFacts, ruleText } from './certificateFacts.tsx';

function Item({ certificate, onShow }: { certificate: Certificate; onShow: () => void }) {
  const speech = useSpeech();
  const { say, format } = speech;
  const { number, verifiedAt } = certificate.content;

  return (
    <li class="live-call">
      <div class="live-what">
        <p>
          <strong>{fill(say.call.certificate, { number })}</strong>{' '}
          <span class="quiet">
            <time dateTime={verifiedAt}>{format.dayAndTime(verifiedAt)}</time> · {personText(certificate.by)}
          </span>
        </p>
        <p class="quiet">{ruleText(certificate, speech)}</p>
      </div>
      <button
        type="button"
        class="button button-small"
        aria-label={fill(say.retention.showNumber, { number })}
        onClick={onShow}
      >
        {say.retention.show}
      </button>
    </li>
  );
}

export function CertificateList({ certificates }: { certificates: readonly Certificate[] }) {
  const { say } = useSpeech();
  const [shown, show] = useState<Certificate>();

  return (
    <>
      <ul class="live">
        {certificates.map((certificate) => (
          <Item
            key={certificate.jws}
            certificate={certificate}
            onShow={() => {
              show(certificate);
            }}
          />
        ))}
      </ul>
      {shown !== undefined && (
        <Dialog
          title={fill(say.call.certificate, { number: shown.content.number })}
          onClose={() => {
            show(undefined);
          }}
        >
          <CertificateFacts certificate={shown} />
        </Dialog>
      )}
    </>
  );
}
