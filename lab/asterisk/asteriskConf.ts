/** The configuration files of a lab instance, as text. */

export type InstancePorts = {
  readonly http: number;
  readonly sip: number;
  readonly rtpFirst: number;
  readonly rtpLast: number;
};

export type ConfInput = {
  /** The instance's folder as Asterisk sees it. */
  readonly folder: string;
  readonly ports: InstancePorts;
  readonly ariUsername: string;
  readonly ariPassword: string;
  readonly dialplan: string;
  readonly incomingContext: string;
  /** Names of files that the user of the lab brings; a module with a file of its own is loaded. */
  readonly brought: readonly string[];
};

/** Modules that open ports, need another server or only make noise. */
const unwanted = [
  'chan_iax2',
  'chan_unistim',
  'chan_ooh323',
  'chan_motif',
  'chan_mgcp',
  'chan_skinny',
  'chan_sip',
  'chan_console',
  'chan_alsa',
  'chan_oss',
  'app_jack',
  'app_voicemail',
  'app_voicemail_odbc',
  'app_voicemail_imap',
  'app_minivm',
  'app_festival',
  'app_queue',
  'app_agent_pool',
  'app_followme',
  'app_adsiprog',
  'pbx_dundi',
  'pbx_ael',
  'pbx_lua',
  'pbx_realtime',
  'res_snmp',
  'res_corosync',
  'res_hep',
  'res_hep_pjsip',
  'res_hep_rtcp',
  'res_config_ldap',
  'res_config_odbc',
  'res_config_pgsql',
  'res_config_sqlite3',
  'res_odbc',
  'res_odbc_transaction',
  'res_calendar',
  'res_calendar_caldav',
  'res_calendar_ews',
  'res_calendar_exchange',
  'res_calendar_icalendar',
  'res_phoneprov',
  'res_pjsip_phoneprov_provider',
  'res_prometheus',
  'res_smdi',
  'res_stun_monitor',
  'res_xmpp',
  'res_adsi',
  'res_ael_share',
  'res_fax',
  'res_fax_spandsp',
  'res_stir_shaken',
  'res_pjsip_stir_shaken',
  'res_geolocation',
  'res_pjsip_geolocation',
  'res_aeap',
  'res_speech_aeap',
  'res_resolver_unbound',
  'res_pjsip_notify',
  'res_pjsip_config_wizard',
  'res_statsd',
  'res_chan_stats',
  'res_endpoint_stats',
  'res_clialiases',
  'res_http_media_cache',
  'chan_websocket',
  'func_odbc',
  'app_alarmreceiver',
  'app_amd',
  'app_getcpeid',
  'cdr_csv',
  'cdr_custom',
  'cel_custom',
  'cdr_manager',
  'cdr_radius',
  'cel_radius',
  'cel_manager',
  'cdr_adaptive_odbc',
  'cdr_odbc',
  'cdr_pgsql',
  'cdr_tds',
  'cdr_sqlite3_custom',
  'cel_odbc',
  'cel_pgsql',
  'cel_tds',
  'cel_sqlite3_custom',
];

export function confFiles(input: ConfInput): Record<string, string> {
  const { folder, ports } = input;
  const noload = unwanted.filter((name) => !input.brought.includes(`${name}.conf`));
  return {
    'asterisk.conf': `[directories]
astetcdir => ${folder}/etc
astvarlibdir => ${folder}/lib
astdbdir => ${folder}/lib
astkeydir => ${folder}/lib
astdatadir => ${folder}/data
astagidir => ${folder}/data/agi-bin
astspooldir => ${folder}/spool
astrundir => ${folder}/run
astlogdir => ${folder}/log
astcachedir => ${folder}/cache

[options]
verbose = 3
nocolor = yes
hideconnect = yes
lockconfdir = no
documentation_language = en_US
`,
    'modules.conf': `[modules]
autoload = yes
${noload.map((name) => `noload = ${name}.so`).join('\n')}
`,
    'logger.conf': `[general]
dateformat = %F %T.%3q

[logfiles]
full.log => notice,warning,error,verbose(3)
`,
    'http.conf': `[general]
enabled = yes
bindaddr = 127.0.0.1
bindport = ${ports.http}
sessionlimit = 1000
`,
    'ari.conf': `[general]
enabled = yes
pretty = no

[${input.ariUsername}]
type = user
read_only = no
password_format = plain
password = ${input.ariPassword}
`,
    'rtp.conf': `[general]
rtpstart = ${ports.rtpFirst}
rtpend = ${ports.rtpLast}
strictrtp = no
icesupport = no
`,
    'pjsip.conf': pjsipConf(input),
    'extensions.conf': input.dialplan,
    // To switch on, bring cel.conf (enable = yes, apps = all, events = ALL) and cel_custom.conf; the same for CDR.
    'cdr.conf': '[general]\nenable = no\n',
    'cel.conf': '[general]\nenable = no\n',
    'manager.conf': '[general]\nenabled = no\n',
    'features.conf': '[general]\n',
    'indications.conf': `[general]
country = be

[be]
description = Belgium
ringcadence = 1000,3000
dial = 425
busy = 425/500,0/500
ring = 425/1000,0/3000
congestion = 425/167,0/167
callwaiting = 1400/175,0/175,1400/175,0/3500
dialrecall = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
record = 1400/500,0/15000
info = 900/330,1400/330,1800/330,0/1000
stutter = 350+440
`,
    'websocket_client.conf': '',
    'pjproject.conf': '[log_mappings]\ntype = log_mappings\n',
    'acl.conf': '',
    'musiconhold.conf': `[default]\nmode = files\ndirectory = ${folder}/lib/moh\n`,
    'udptl.conf': '[general]\n',
    'ccss.conf': '[general]\n',
    'codecs.conf': '',
    'confbridge.conf': '[general]\n',
    'res_parking.conf': '[general]\n',
    'stasis.conf': '[threadpool]\n',
  };
}

/** The header of an INVITE that says how its caller sends keys; without it: by RFC 4733. */
export const digitsHeader = 'X-Lab-Digits';

/** The header of an INVITE whose caller speaks G.722 or mu-law; without it: A-law. */
export const codecHeader = 'X-Lab-Codec';

/** Who sends from 127.0.0.1 is the caller; agents are only called, by address. */
function pjsipConf({ ports, incomingContext }: ConfInput): string {
  const media = `disallow = all
allow = alaw
direct_media = no
rtp_symmetric = no
force_rport = yes
rewrite_contact = no
trust_id_inbound = yes
trust_id_outbound = yes
`;
  const otherDigits = (['info', 'inband'] as const)
    .map(
      (mode) => `
[caller-${mode}]
type = endpoint
transport = udp
context = ${incomingContext}
dtmf_mode = ${mode}
${media}
[caller-${mode}]
type = identify
endpoint = caller-${mode}
match_header = ${digitsHeader}: ${mode}
`,
    )
    .join('');
  const otherCodecs = (['g722', 'ulaw'] as const)
    .map(
      (codec) => `
[caller-${codec}]
type = endpoint
transport = udp
context = ${incomingContext}
dtmf_mode = rfc4733
${media.replace('allow = alaw', `allow = ${codec}`)}
[caller-${codec}]
type = identify
endpoint = caller-${codec}
match_header = ${codecHeader}: ${codec}
`,
    )
    .join('');

  return `[global]
type = global
endpoint_identifier_order = header,ip
user_agent = lab

[system]
type = system
timer_t1 = 500

[udp]
type = transport
protocol = udp
bind = 127.0.0.1:${ports.sip}

[caller]
type = endpoint
transport = udp
context = ${incomingContext}
dtmf_mode = rfc4733
${media}
[caller]
type = identify
endpoint = caller
match = 127.0.0.1

[agent]
type = endpoint
transport = udp
context = ${incomingContext}
dtmf_mode = rfc4733
${media}${otherDigits}${otherCodecs}`;
}
