# Préavis as an image. Build it from a checkout:  docker build -t preavis .
# What it needs to see of the Asterisk machine: docs/deployment.md, "Asterisk on another machine or in a container".

# The release line of Node that is in long-term support from October 2026 to April 2029.
ARG NODE=26

FROM node:${NODE}-trixie AS build
WORKDIR /opt/preavis
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json build.mjs ./
COPY src src
COPY console console
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:${NODE}-trixie-slim
# A number that no package of the host uses; give it the group of Asterisk's recording folder when the container starts.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/preavis --shell /usr/sbin/nologin preavis \
  && install -d -o preavis -g preavis -m 0700 /var/lib/preavis
WORKDIR /opt/preavis
COPY --from=build /opt/preavis/package.json ./
COPY --from=build /opt/preavis/node_modules node_modules
COPY --from=build /opt/preavis/dist dist
COPY sounds sounds
COPY texts texts
COPY dialplan dialplan
COPY config config
COPY LICENSE ./
ENV NODE_ENV=production
USER preavis
# The catalogue, and the archive when it is a folder.
VOLUME /var/lib/preavis
# Whether it lives: one that cannot record connects calls all the same, and starting it anew mends nothing. Monitors ask /health. Set
# PREAVIS_HEALTH_PORT, and not health.port in the file, so that this finds the page.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PREAVIS_HEALTH_PORT ?? 8090) + '/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/preavis/dist/main.js"]
CMD ["serve"]
