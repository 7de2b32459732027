# Préavis as an image: `npm run package:image`, or  docker build -t preavis .
# What it needs to see of the Asterisk machine: docs/deployment.md, "Asterisk on another machine or in a container".

# The release line of Node that is in long-term support from October 2026 to April 2029.
ARG NODE=26
# Name your own where you have a registry or a hardened image: any Debian with Node >= 22 (on 20 SQLite is compiled), the first one with npm.
ARG BUILD_BASE=docker.io/library/node:${NODE}-trixie
ARG BASE=docker.io/library/node:${NODE}-trixie-slim

FROM ${BUILD_BASE} AS build
WORKDIR /opt/preavis
COPY package.json package-lock.json ./
# Without scripts: only SQLite for Node 20 has one that is needed, which compiles it where there is no ready-made one.
RUN npm ci --ignore-scripts --no-audit --no-fund \
  && if [ "$(node -p 'process.versions.node.split(`.`)[0] < 22')" = true ]; then npm rebuild better-sqlite3; fi
COPY tsconfig.json build.mjs ./
COPY src src
COPY console console
RUN npm run build && npm prune --omit=dev --no-audit --no-fund && rm -r src console tsconfig.json build.mjs package-lock.json
COPY sounds sounds
COPY texts texts
COPY dialplan dialplan
COPY config config
COPY LICENSE ./
# A checkout that was made with umask 077 would be one that user 10001 cannot read.
RUN chmod -R u=rwX,go=rX . && chmod 755 dist/main.js

FROM ${BASE}
# Of package.json: `npm run package:image` gives it.
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Préavis" \
  org.opencontainers.image.description="Tells callers of Asterisk that the call may be recorded, and only then records it." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}"
# A number that no package of the host uses; give it the group of Asterisk's recording folder when the container starts.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/preavis --shell /usr/sbin/nologin preavis \
  && install -d -o preavis -g preavis -m 0700 /var/lib/preavis \
  && ln -s /opt/preavis/dist/main.js /usr/local/bin/preavis
COPY --from=build /opt/preavis /opt/preavis
WORKDIR /opt/preavis
ENV NODE_ENV=production
# By number: Kubernetes sees only of a number that it is not root.
USER 10001:10001
# The catalogue, and the archive when it is a folder.
VOLUME /var/lib/preavis
# Whether it lives: one that cannot record connects calls all the same, and starting it anew mends nothing. Monitors ask /health. Set
# PREAVIS_HEALTH_PORT, and not health.port in the file, so that this finds the page.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PREAVIS_HEALTH_PORT ?? 8090) + '/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/preavis/dist/main.js"]
CMD ["serve"]
