import type { Me } from '../../src/web/routes/session.ts';
import { CallPage } from './call/callPage.tsx';
import { CallsPage } from './calls/callsPage.tsx';
import { CollectionsPage } from './collections/collectionsPage.tsx';
import { FiguresPage } from './figures/figuresPage.tsx';
import { LivePage } from './live/livePage.tsx';
import { isPage } from './pages.ts';
import { Link, usePlace } from './router.tsx';
import { useSession, type SessionControl } from './session.ts';
import { Shell } from './shell.tsx';
import { SignInPage } from './signIn/signInPage.tsx';
import { SystemPage } from './system/systemPage.tsx';
import { SpeakingWithNames, useSpeech } from './text/say.tsx';
import { Empty, ProblemNote } from './ui/notes.tsx';
import { usePageTitle } from './ui/title.ts';
import { UnrecordedPage } from './unrecorded/unrecordedPage.tsx';
import { mayLookAfter } from './rooms.tsx';
import { KeepingDrafts } from './ui/drafts.tsx';
import { Later } from './ui/later.tsx';
import { Unseen, useMe, Who } from './who.ts';

function NotFound() {
  const { say } = useSpeech();
  usePageTitle(say.app.notFoundTitle);

  return (
    <Empty isPage title={say.app.notFoundTitle} text={say.app.notFound}>
      <Link class="button" href="/calls">
        {say.app.toCalls}
      </Link>
    </Empty>
  );
}

// Fetched when somebody goes there.
const retention = async () => (await import('./retention/retentionPage.tsx')).RetentionPage;
const persons = async () => (await import('./persons/personsPage.tsx')).PersonsPage;
const audit = async () => (await import('./audit/auditPage.tsx')).AuditPage;
const approvals = async () => (await import('./approvals/approvalsPage.tsx')).ApprovalsPage;

function Page() {
  const { path } = usePlace();
  const { say } = useSpeech();
  const { acts } = useMe();
  const [, room = '', id] = path.split('/');
  if (!isPage(path)) return <NotFound />;
  if (!acts.includes('list') && (room === '' || room === 'calls')) {
    return (
      <Empty isPage title={say.app.nothingForRoleTitle} text={say.app.nothingForRole}>
        {acts.includes('readSystem') && (
          <Link class="button" href="/system">
            {say.app.toSystem}
          </Link>
        )}
      </Empty>
    );
  }
  if (room === '' || (room === 'calls' && id === undefined)) return <CallsPage />;
  if (room === 'calls' && id !== undefined) return <CallPage key={id} id={id} />;
  if (room === 'collections' && acts.includes('list')) return <CollectionsPage name={id} />;
  if (room === 'live' && acts.includes('seeLive')) return <LivePage />;
  if (room === 'figures' && acts.includes('readReport')) return <FiguresPage />;
  if (room === 'system' && acts.includes('readSystem')) return <SystemPage />;
  if (room === 'unrecorded' && acts.includes('readReport')) return <UnrecordedPage />;
  if (room === 'retention' && mayLookAfter(acts)) return <Later load={retention} />;
  if (room === 'persons' && acts.includes('answerPersons')) return <Later load={persons} />;
  if (room === 'approvals' && acts.includes('askApproval')) return <Later load={approvals} />;
  if (room === 'audit' && acts.includes('readAudit')) return <Later load={audit} />;

  return <NotFound />;
}

function Signed({ me, session, isHidden }: { me: Me; session: SessionControl; isHidden: boolean }) {
  return (
    <Who.Provider value={me}>
      {/* Kept as it is, with what was typed; nothing of it is shown to who is not known any more. */}
      <Unseen.Provider value={isHidden}>
        <div class="signed" hidden={isHidden}>
          <SpeakingWithNames me={me}>
            <KeepingDrafts>
              <Shell onSignOut={session.signOut}>
                <Page />
              </Shell>
            </KeepingDrafts>
          </SpeakingWithNames>
        </div>
      </Unseen.Provider>
    </Who.Provider>
  );
}

export function App() {
  const session = useSession();
  const { state } = session;
  switch (state.kind) {
    case 'unknown':
      return <div class="blank" aria-busy="true" />;
    case 'failed':
      return (
        <main class="alone">
          <h1>Préavis</h1>
          <ProblemNote problem={state.problem} onRetry={session.again} />
        </main>
      );
    case 'out':
      return <SignInPage session={session} why={state.isLeft ? 'signedOut' : undefined} />;
    case 'in':
    case 'ended':
      return (
        <>
          <Signed key={state.me.name} me={state.me} session={session} isHidden={state.kind === 'ended'} />
          {state.kind === 'ended' && <SignInPage session={session} why="ended" />}
        </>
      );
  }
}
