/**
 * What the Debian package has in another form than the checkout: the change log, the configuration, the units and the manual page. Pure:
 * text in, text out.
 */

/** A text of the checkout is not as this file knows it: whoever changed it looks here. */
function part(text: string, pattern: RegExp, what: string): RegExpExecArray {
  const found = pattern.exec(text);
  if (found === null) throw new Error(`packaging/debian: ${what} is not found. Has its form changed?`);

  return found;
}

function replaced(text: string, pattern: RegExp, by: string, what: string): string {
  part(text, pattern, what);

  return text.replace(pattern, () => by);
}

/** As Debian orders versions: 1.0.0~rc.1 comes before 1.0.0, as 1.0.0-rc.1 does in Semantic Versioning. */
export function debianVersion(version: string): string {
  return version.replace('-', '~').replaceAll('-', '.');
}

// --- change log ------------------------------------------------------------------------------------------------------

/** Characters of a line of a change log: lintian asks for at most 80. */
const changelogWidth = 78;

function wrapped(text: string, first: string, further: string): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (!isEmpty && line.length + 1 + word.length > changelogWidth) {
      lines.push(line);
      line = further;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }

  return [...lines, line].join('\n');
}

/** Without what only a reader of Markdown sees: links, bold and code. */
function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\*\*|`/g, '');
}

/** RFC 5322, as change logs of Debian have it, in UTC. */
function mailDate(at: Date): string {
  return at.toUTCString().replace(/GMT$/, '+0000');
}

type Release = { version: string; at: Date; text: string };

/** The sections of CHANGELOG.md, newest first. What is not released yet belongs to the version that is packed. */
function releases(markdown: string, version: string, builtAt: Date): Release[] {
  const sections = markdown.split(/^## /m).slice(1);

  return sections.map((section) => {
    const [heading = '', ...lines] = section.split('\n');
    const named = /^\[?(\d[^\]\s]*)\]?(?: +[-–(] *(\d{4}-\d\d-\d\d))?/.exec(heading);
    return {
      version: named?.[1] ?? version,
      at: named?.[2] === undefined ? builtAt : new Date(`${named[2]}T00:00:00Z`),
      text: lines.join('\n'),
    };
  });
}

function changes(text: string): string {
  const blocks = text.split(/\n(?=### |- )/).map((block) => block.trim());

  return blocks
    .filter((block) => block !== '')
    .map((block) => {
      if (block.startsWith('### ')) return `\n  [ ${block.slice(4).trim()} ]`;
      return wrapped(plain(block.replace(/^- /, '')), '  * ', '    ');
    })
    .join('\n')
    .trim();
}

/**
 * debian/changelog.
 *
 * @param version of package.json
 * @param builtAt the date of what CHANGELOG.md gives none
 * @param maintainer name and address
 */
export function debianChangelog(markdown: string, version: string, builtAt: Date, maintainer: string): string {
  const found = releases(markdown, version, builtAt).filter(({ text }) => text.trim() !== '');
  const newest = found.filter((release) => release.version === version);
  const earlier = found.filter((release) => release.version !== version);
  const all = [{ version, at: newest[0]?.at ?? builtAt, text: newest.map(({ text }) => text).join('\n') }, ...earlier];

  return all
    .map(
      (release) =>
        `preavis (${debianVersion(release.version)}) unstable; urgency=medium\n\n  ${changes(release.text) || '* No changes are noted.'}\n\n -- ${maintainer}  ${mailDate(release.at)}\n`,
    )
    .join('\n');
}

// --- configuration and units -----------------------------------------------------------------------------------------

/** config/preavis.yaml with the password of ARI in the file that docs/install.md makes. */
export function packagedConfiguration(yaml: string): string {
  return replaced(
    yaml,
    /^ {2}# passwordFile: \/etc\/preavis\/ari-password$/m,
    '  passwordFile: /etc/preavis/ari-password',
    'the password file of config/preavis.yaml',
  );
}

/** dialplan/preavis.conf in Asterisk's own folder. */
export function packagedDialplan(conf: string): string {
  return replaced(
    conf,
    /#include "\/opt\/preavis\/dialplan\/preavis\.conf"/,
    '#include "preavis.conf"',
    'the #include in the head of dialplan/preavis.conf',
  );
}

/** A unit of config/ with the folders of the package, whose head and page are these. */
function packagedUnit(service: string, name: string, { head, page }: { head: string; page: string }): string {
  const changesOfIt: readonly [RegExp, string, string][] = [
    [/^#[^]*?\n\n(?=\[Unit\])/, `${head}\n\n`, 'its head'],
    [
      /^Documentation=.*$/m,
      `Documentation=man:preavis(1) file:///usr/share/doc/preavis/docs/operations/${page}`,
      'Documentation=',
    ],
    [/^ExecStart=.*$/m, 'ExecStart=/usr/bin/preavis serve', 'ExecStart='],
    // The package makes the user a member where there is such a group; with an Asterisk elsewhere there is none.
    [/^SupplementaryGroups=asterisk\n/m, '', 'SupplementaryGroups='],
    [/^ReadWritePaths=\/var\/spool/m, 'ReadWritePaths=-/var/spool', 'ReadWritePaths='],
  ];

  return changesOfIt.reduce(
    (text, [pattern, by, what]) => replaced(text, pattern, by, `${what} of config/${name}`),
    service,
  );
}

/** Of config/preavis.service. */
export const packagedService = (service: string): string =>
  packagedUnit(service, 'preavis.service', {
    head:
      '# Préavis. Change it by `systemctl edit preavis`: if recording.spoolFolder, catalogue.file or archive.directory.folder\n' +
      '# lie elsewhere, name their folders in ReadWritePaths=.',
    page: 'README.md',
  });

/** Of config/preavis@.service. */
export const packagedWorker = (service: string): string =>
  packagedUnit(service, 'preavis@.service', {
    head:
      '# One of two workers of Préavis, in the place of preavis.service: `systemctl enable --now preavis@a preavis@b`. Change both by\n' +
      '# `systemctl edit preavis@`, as preavis.service.',
    page: 'workers.md',
  });

export type Job = { name: 'upload' | 'retention'; arguments: string; what: string; onCalendar: string };

export const jobs: readonly Job[] = [
  {
    name: 'upload',
    arguments: 'upload',
    what: 'send finished recordings to the archive',
    onCalendar: '*:0/5',
  },
  {
    name: 'retention',
    arguments: 'retention run',
    what: 'erase the recordings that are due',
    onCalendar: '03:17',
  },
];

/** One pass of a job, confined as `serve` is. */
export function jobService(service: string, job: Job): string {
  const confined = part(packagedService(service), /^StateDirectory=[^]*?(?=\n\[Install\])/m, 'StateDirectory=')[0];
  const shared = part(packagedService(service), /^User=[^]*?(?=\n\n)/m, 'User=')[0];

  return `# One pass. \`serve\` makes them by itself; this is for a machine on which it is stopped for good, where recordings are left.
# Exit code 3, something needs attention, is a failure here, so that \`systemctl --failed\` shows it.

[Unit]
Description=Préavis: ${job.what}
Documentation=man:preavis(1) file:///usr/share/doc/preavis/docs/operations/service.md
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/bin/preavis ${job.arguments}
${shared}

${confined}`;
}

export function jobTimer({ what, onCalendar }: Job): string {
  return `[Unit]
Description=Préavis: ${what}, also while serve is stopped
Documentation=man:preavis(1) file:///usr/share/doc/preavis/docs/operations/service.md

[Timer]
OnCalendar=${onCalendar}
Persistent=yes

[Install]
WantedBy=timers.target
`;
}

// --- manual page -----------------------------------------------------------------------------------------------------

/** preavis(1): what --help prints, and where the pages are. */
export function manualPage(help: string, version: string): string {
  const literal = help
    .trim()
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');

  return `.TH PREAVIS 1 "" "preavis ${version}"
.SH NAME
preavis \\- recording notice and call recording for Asterisk
.SH SYNOPSIS
.B preavis
[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]
.SH DESCRIPTION
.nf
${literal}
.fi
.SH FILES
.TP
.I /etc/preavis/preavis.yaml
the configuration
.TP
.I /etc/preavis/preavis.env
variables of the services
.TP
.I /etc/asterisk/preavis.conf
the dialplan, to be included in extensions.conf
.TP
.I /var/lib/preavis
catalogue, erasure ledger, signing key, and the archive where it is a folder
.SH SEE ALSO
.I /usr/share/doc/preavis/docs
`;
}
