/**
 * How somebody checks a bundle with unzip, OpenSSL 3, sha256sum, jq and bash alone. The commands are the same in all languages, in
 * the pages of a bundle and in docs/evidence.md: a page may be forged with the rest, and then the documentation has the true ones.
 */
import { bundleFile, manifestType } from './format.ts';

export const recipeSteps = ['unpack', 'key', 'list', 'signed', 'receipt', 'chain', 'stamp'] as const;
export type RecipeStep = (typeof recipeSteps)[number];

/** What SHA256SUMS has of the files that the manifest lists: all but itself and what stands on it. */
const below = `select(.[66:] | IN("${bundleFile.manifest}", "${bundleFile.signedManifest}", "${bundleFile.timeStamp}") | not)`;
const sentences =
  '[.notice[] | select(.startedAt)] | to_entries[] | .key += 1 | ' +
  'select(.key | IN($made[0].noticeMissing[].number) | not) | "\\(.key) \\(.value.sha256) \\(.value.prompt)-\\(.value.language)"';
const whole = '.verdict == "verified" and .finishedAt != null or .verdict == "answered"' as const;
const told =
  `.recording.startedAt as $began | $began != null and ([.notice[] | select(.startedAt)] | length > 0 and all(${whole}) ` +
  'and any(.verdict == "verified") and all(.finishedAt <= $began))';
/** As `objection` has it (call/decide/recordable.ts). */
const willing = '.consent | .answer != "refused" and (.mode != "optIn" or .answer == "accepted")';
/** As `stepsFault` and `hashInTrail` have them (auditExtract.ts). */
const steps = '[.rows[] | select(.to)] | map(.from) == [null, .[:-1][].to] and (.[-1].to | IN("recorded", "archived"))';
const measured =
  '[.rows[] | select(.chain and (.to | IN("recorded", "archived"))).detail.sha256 | select(.)] | last // empty';
const lines =
  '.recording as $id | .rows[] | select(.chain) | "\\(.id) \\(.chain) " + ([(.at[:19] + "Z" | fromdate) * 1000 + (.at[20:23] | tonumber), ' +
  '$id, .event, .from, .to, .actor, (.detail | tojson)] | tojson)';
/** How many there are; nothing where one without a link stands behind one that has it. */
const linked = '[.rows[].chain != null] | select(. == sort) | map(select(.)) | length | select(. > 0)';
const stampedAt =
  'capture("Time stamp: (?<at>.*) GMT").at | sub("[.][0-9]+"; "") | strptime("%b %e %H:%M:%S %Y") | mktime';

/** Each prints lines that begin with OK; one that begins with NOT tells what does not fit. They are run in this order in one shell. */
const recipe: Readonly<Record<RecipeStep, string>> = {
  unpack: `
FILE=$PWD/call.zip      # the bundle
PUBLISHED=              # the id of the key, as the company publishes it: not from here
ok() { if [[ -n $2 && $2 = "$3" ]]; then echo "OK   $1"; else echo "NOT  $1"; fi; }
try() { if "\${@:2}"; then echo "OK   $1"; else echo "NOT  $1"; fi; }
sum() { local s; s=$(sha256sum "$@"); echo "\${s%% *}"; }
url() { local s=\${1//+/-}; s=\${s//\\//_}; echo "\${s%%=*}"; }
raw() { local s=\${1//-/+}; s=\${s//_//}; while (( \${#s} % 4 )); do s+==; done; printf %s "$s" | openssl base64 -d -A; }
unzip -q "$FILE" -d bundle && cd bundle`,
  key: `
der=$(openssl pkey -pubin -in ${bundleFile.publicKey} -outform DER | openssl base64 -A)
[[ $der = MCowBQYDK2VwAyEA* && \${#der} = 60 ]] || der=        # another kind of key
json=$(printf '{"crv":"Ed25519","kty":"OKP","x":"%s"}' "$(url "\${der:16}")")
kid=$(url "$(printf %s "$json" | openssl dgst -sha256 -binary | openssl base64 -A)")
echo "kid $kid"
ok 'the key is the one that the company publishes' "$kid" "$PUBLISHED"`,
  list: `
signed() { openssl pkeyutl -verify -rawin -pubin -inkey ${bundleFile.publicKey} -in "$1" -sigfile "$2"; }
try 'the key has signed the list' signed ${bundleFile.sums} ${bundleFile.signature}
try 'every file is as it is listed' sha256sum --strict --quiet -c ${bundleFile.sums}
listed=$(while read -r sum name; do echo "$name"; done < ${bundleFile.sums}; echo ${bundleFile.sums}; echo ${bundleFile.signature})
ok 'there is no other file' "$(unzip -Z1 "$FILE")" "$listed"`,
  signed: `
IFS=. read -r head payload signature < ${bundleFile.signedManifest}
printf %s "$head.$payload" > ../jws.txt; raw "$signature" > ../jws.sig
try 'the key has signed ${bundleFile.signedManifest}' signed ../jws.txt ../jws.sig
ok 'it is the signature of a manifest' "$(raw "$head" | jq -r .typ)" ${manifestType}
ok 'it is over ${bundleFile.manifest}' "$(raw "$payload" | jq -r .manifest.sha256)" "$(sum ${bundleFile.manifest})"
ok 'the files are those of the manifest' "$(jq -r '.files[] | "\\(.sha256)  \\(.name)"' ${bundleFile.manifest})" \\
  "$(jq -Rr '${below}' ${bundleFile.sums})"
jq -j '.signatures[0] as $s | $s.protected + "." + .payload' ${bundleFile.signedVcon} > ../jws.txt
raw "$(jq -r '.signatures[0].signature' ${bundleFile.signedVcon})" > ../jws.sig
try 'the key has signed ${bundleFile.signedVcon}' signed ../jws.txt ../jws.sig
ok 'it is over ${bundleFile.vcon}' "$(raw "$(jq -r .payload ${bundleFile.signedVcon})" | jq -S .)" "$(jq -S . ${bundleFile.vcon})"`,
  receipt: `
ok 'the recording is the one of the receipt' "$(sum ${bundleFile.recording})" "$(jq -r .recording.sha256 ${bundleFile.receipt})"
while read -r number sha256 name; do
  ok "sentence $number of the notice is the one of the receipt" "$(sum "notice/$number-$name.wav")" "$sha256"
done < <(jq -r --slurpfile made ${bundleFile.manifest} '${sentences}' ${bundleFile.receipt})
ids=$(jq -r .recording.id ${bundleFile.receipt}; jq -r .recording ${bundleFile.audit})
ok 'receipt and history are of the recording of the manifest' "$ids" "$(jq -r '.recording, .recording' ${bundleFile.manifest})"
ok 'the receipt says: heard whole, and recorded after it' "$(jq '${told}' ${bundleFile.receipt})" true
ok 'the receipt says: nobody refused, and who was asked for a yes gave it' "$(jq '${willing}' ${bundleFile.receipt})" true
echo "what the automatic checks have noted (keys_unheard: a refusal may be missing): $(jq -r '.recording.flags | join(" ") | if . == "" then "nothing" else . end' ${bundleFile.receipt})"`,
  chain: `
exec 3< <(jq -r '${lines}' ${bundleFile.audit})
read -r row chain text <&3
link=$(jq -r '.chain.before // ""' ${bundleFile.audit}); fit=0
while read -r id digest; do
  link=$(printf %s "$link$digest" | sum)
  if [[ $id = "$row" ]]; then
    if [[ $digest = "$(printf %s "$text" | sum)" && $chain = "$link" ]]; then fit=$((fit + 1)); else echo "NOT  line $id"; fi
    read -r row chain text <&3
  fi
done < ${bundleFile.auditChain}
ok 'every line of the history with a link is in the chain' "$(jq '${linked}' ${bundleFile.audit})" $fit
ok 'the chain ends where the manifest says' "$link" "$(jq -r .auditHead.chain ${bundleFile.manifest})"
ok 'its steps follow one another, to a recording that is kept' "$(jq '${steps}' ${bundleFile.audit})" true
measured=$(jq -r '${measured}' ${bundleFile.audit})
if [[ -n $measured ]]; then ok 'the recording is the one of the history' "$(sum ${bundleFile.recording})" "$measured"
else echo 'the history names no hash of the recording, as those of earlier versions'; fi
echo "lines from before the chain, which nothing proves: $(jq '[.rows[] | select(.chain | not)] | length' ${bundleFile.audit})"`,
  stamp: `
AUTHORITY=../authority.pem   # the authority's root certificate: not from here
at=$(openssl ts -reply -in ${bundleFile.timeStamp} -text | jq -Rr '${stampedAt}')
try 'the authority has stamped the manifest' \\
  openssl ts -verify -data ${bundleFile.manifest} -in ${bundleFile.timeStamp} -CAfile "$AUTHORITY" -attime "$at"
echo "it was $(jq -nr "$at | todate")"`,
};

/** The commands of a step as they are shown: without an empty line before. */
export const commandsOf = (step: RecipeStep): string => recipe[step].trimStart();
