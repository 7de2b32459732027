import type { Certificate } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ProblemNote, Waiting } from '../ui/notes.tsx';
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
  const found =
    asked.kind === 'given' ? asked.answer.certificates.filter((each) => each.content.number === number) : [];

  return (
    <Dialog title={fill(say.call.certificate, { number })} onClose={onClose}>
      {asked.kind === 'waiting' && <Waiting />}
      {asked.kind === 'failed' && <ProblemNote problem={asked.problem} onRetry={asked.again} />}
      {found.map((certificate) => (
        <CertificateFacts key={certificate.jws} certificate={certificate} />
      ))}
    </Dialog>
  );
}
