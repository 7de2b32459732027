import type { Certificate } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Given } from '../ui/given.tsx';
import { CertificateFacts } from './certificateFacts.tsx';

/** A certificate of one recording, asked for when somebody wants to see it. */
export function CertificateDialog({
  recording,
  number,
  onClose,
}: {
  recording: string;
  number: number;
  onClose: () => void;
}) {
  const { say } = useSpeech();
  const asked = useAsked<{ certificates: Certificate[] }>(`/recordings/${recording}/certificates`);

  return (
    <Dialog title={fill(say.call.certificate, { number })} onClose={onClose}>
      <Given asked={asked}>
        {({ certificates }) =>
          certificates
            .filter((each) => each.content.number === number)
            .map((certificate) => <CertificateFacts key={certificate.jws} certificate={certificate} />)
        }
      </Given>
    </Dialog>
  );
}
